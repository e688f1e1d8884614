"""The data behind the two interactive charts: forecast fans and error over time, small enough to travel in the page."""

import base64
import json
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from sparsedyn.studies.figures.error_over_time import CEILING, FLOOR, ErrorCurve
from sparsedyn.studies.figures.forecast_fan import plausible_range
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.curves import error_curve, trajectory_labels

MOST_POINTS, MOST_MEMBERS, MOST_STATES = 150, 10, 12
# A forecast is stored as a 16-bit position within the plausible range; this value means "off scale".
MISSING = 65535


def explorer_data(contents: Contents) -> dict[str, Any]:
    """Return a table fit for JSON, empty when no cell has curves.

    Fans are thinned out to 150 points and ten members, and packed to two bytes a value: a chart on a screen shows no
    more, and sixteen techniques would otherwise weigh tens of megabytes.
    """
    having = {key: cell.curves for key, cell in contents.cells.items() if "truth" in cell.curves}
    if not having:
        return {}
    truth = next(iter(having.values()))["truth"].astype(np.float64)[..., :MOST_STATES]
    plausible = plausible_range(truth)
    chosen = thin(truth.shape[1])
    return {
        "timeLabel": contents.clock.label,
        "states": [
            {"name": name, "unit": unit, "range": [float(low), float(high)]}
            for name, unit, low, high in zip(
                contents.state_names(truth.shape[2]),
                contents.state_units(truth.shape[2]),
                *plausible,
                strict=True,
            )
        ],
        "trajectories": trajectory_labels(contents, next(iter(having.values()))),
        "points": len(chosen),
        "truth": pack(truth[:, chosen], plausible),
        "cells": [_cell(contents, key, plausible) for key in having],
        "errorRange": [FLOOR, CEILING],
    }


def _cell(contents: Contents, key: str, plausible: Float[np.ndarray, "2 state"]) -> dict[str, Any]:
    curves, look = contents.cells[key].curves, contents.looks[key]
    fans = curves["fan_states"][:MOST_MEMBERS, ..., :MOST_STATES]
    chosen = thin(fans.shape[2])
    cell: dict[str, Any] = {
        "label": look.label,
        "color": look.color,
        "averaged": look.averaged,
        "members": len(fans),
        "time": rounded(contents.clock.times(curves["time_index"][chosen])),
        "fans": pack(fans[:, :, chosen], plausible),
    }
    curve = error_curve(contents.clock, curves)
    return cell | ({"error": _thinned(curve)} if curve is not None else {})


def _thinned(curve: ErrorCurve) -> dict[str, list[float | None]]:
    chosen = thin(len(curve.time))
    return {name: rounded(getattr(curve, name)[chosen]) for name in ("time", "low", "middle", "high")}


def thin(points: int) -> Shaped[np.ndarray, " chosen"]:
    """Return the positions of at most `MOST_POINTS` of `points`, evenly spread, first and last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, MOST_POINTS)).round().astype(np.int64))


def pack(values: Float[np.ndarray, "*lead state"], plausible: Float[np.ndarray, "2 state"]) -> str:
    """Return `values` as base64 of little-endian 16-bit positions between the two rows of `plausible`."""
    low, high = plausible
    with np.errstate(invalid="ignore", over="ignore"):
        position = (values.astype(np.float64) - low) / (high - low)
        known = (position >= 0) & (position <= 1)
    codes = np.where(known, np.round(np.where(known, position, 0) * (MISSING - 1)), MISSING).astype("<u2")
    return base64.b64encode(codes.tobytes()).decode()


def rounded(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """Return numbers of five significant digits, None for those that are not finite, which JSON has no word for."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]


def as_script(table: dict[str, Any]) -> str:
    """Return JSON that cannot end the script element it stands in; nothing for an empty table."""
    if not table:
        return ""
    return json.dumps(table, separators=(",", ":"), ensure_ascii=True, allow_nan=False).replace(
        "<", "\\u003c"
    )

"""The data behind the two interactive charts, fans and error over time, small enough to travel in the page."""

import base64
import json
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sparsedyn.plotting.text import unit_text
from sparsedyn.studies.figures import ErrorCurve, plausible_range
from sparsedyn.studies.figures.error_over_time import error_limits
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.curves import error_curve, trajectory_labels

MOST_POINTS, MOST_MEMBERS, MOST_STATES = 150, 10, 12
# A forecast is stored as a 16-bit position within the plausible range; this value means "off scale".
MISSING = 65535


def explorer_data(contents: Contents) -> dict[str, Any]:
    """Return a table fit for JSON, empty when no cell has curves.

    Fans are thinned out to 150 points and ten members, and packed to two bytes a value: a chart on a screen shows
    no more, and sixteen techniques would otherwise weigh tens of megabytes.
    """
    having = [key for key, cell in contents.cells.items() if {"truth", "fan_states"} <= cell.curves.keys()]
    if not having:
        return {}
    curves = contents.cells[having[0]].curves
    truth = curves["truth"].astype(np.float64)[..., :MOST_STATES]
    states, plausible = curves["truth"].shape[2], plausible_range(truth)
    ranges = plausible.T.tolist()
    names, units = contents.state_names(states), contents.state_units(states)
    return {
        "timeLabel": contents.clock.label,
        "states": [
            {"name": n, "unit": unit_text(u), "range": r} for n, u, r in zip(names, units, ranges, strict=False)
        ],
        "trajectories": trajectory_labels(contents, curves),
        "points": len(thin(truth.shape[1])),
        "truth": pack(truth[:, thin(truth.shape[1])], plausible),
        "cells": [_cell(contents, key, plausible) for key in having],
        "errorRange": _error_range(contents),
    }


def _cell(contents: Contents, key: str, plausible: Float[np.ndarray, "2 state"]) -> dict[str, Any]:
    curves, look = contents.cells[key].curves, contents.looks[key]
    fans = curves["fan_states"][:MOST_MEMBERS, ..., :MOST_STATES].astype(np.float64)
    chosen = thin(fans.shape[2])
    cell = {
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


def _error_range(contents: Contents) -> list[float]:
    found = [error_curve(contents.clock, cell.curves) for cell in contents.cells.values()]
    known = [curve for curve in found if curve is not None]
    return list(error_limits(known)) if known else []


def thin(points: int) -> Int[np.ndarray, " chosen"]:
    """Return the positions of at most 150 of `points`, evenly spread, first and last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, MOST_POINTS)).round().astype(np.int64))


def pack(values: Float[np.ndarray, "*lead time state"], plausible: Float[np.ndarray, "2 state"]) -> str:
    """Return `values` as base64 of little-endian 16-bit positions between the two rows of `plausible`.

    A series counts as missing from where it first leaves that range.
    """
    low, high = plausible
    with np.errstate(invalid="ignore", over="ignore"):
        position = (values - low) / (high - low)
        known = np.logical_and.accumulate((position >= 0) & (position <= 1), axis=-2)
    codes = np.where(known, np.round(np.where(known, position, 0) * (MISSING - 1)), MISSING).astype("<u2")
    return base64.b64encode(codes.tobytes()).decode()


def rounded(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """Return numbers of five significant digits, None for those not finite, which JSON has no word for."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]


def as_script(table: dict[str, Any]) -> str:
    """Return JSON that cannot end the script element it stands in; nothing for an empty table."""
    if not table:
        return ""
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")

"""Scores of forecasts and what bands hold, as tables and as JSON."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.output import between, findings, number, percent, plural, show_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from sparsedyn.cli.model_file import Fitted
    from sparsedyn.forecast import Forecast

COVERED = ("covered", "covered_last", "trusted")
"""Columns of scores that are about bands."""
MOST = 10
"""Stretches that are shown of rows far from the training data."""


def facts(scores: "pd.DataFrame", forecasts: "Forecast", model: "Fitted") -> dict[str, Any]:
    """Return the scores for JSON: a list per quantity, an entry per horizon."""
    elsewhere = ("horizon", "diverged", "rfmse", *COVERED)
    more = [name for name in scores.columns if name not in elsewhere]
    return {
        "horizons": scores["horizon"],
        "diverged": scores["diverged"],
        "rfmse": scores["rfmse"],
        "nonzeros": float(model.nonzeros_.mean()),
        "rmse": dict(zip(forecasts.state_names, forecasts.rmse(), strict=True)),
        **{str(name): scores[name] for name in more},
        "nonzeros_per_member": model.nonzeros_,
        "weights": getattr(model, "weights_", None),
        "members": len(forecasts.predicted),
        "trajectories": list(forecasts.labels),
        "valid_time": float(forecasts.valid_time().mean()),
        "dt": forecasts.dt,
        "warmup": forecasts.warmup,
        "report": findings(forecasts.report),
        **band_facts(forecasts, [int(rows) for rows in scores["horizon"]]),
    }


def band_facts(forecasts: "Forecast", horizons: Sequence[int]) -> dict[str, Any]:
    """Return what the bands of a calibrated model hold, up to the horizons that they reach, or up to their end."""
    calibration = forecasts.calibration
    if calibration is None or not forecasts.has_bands:
        return {}
    reached = [rows for rows in horizons if 1 < rows <= forecasts.reach]
    table = forecasts.coverage(reached or [forecasts.reach])
    found = {"coverage": calibration.coverage, "rows": forecasts.reach, **table.to_dict(orient="list")}
    return {"bands": found, "trust": trusted_rows(forecasts)}


def trusted_rows(forecasts: "Forecast") -> "dict[str, np.ndarray]":
    """Return for every trajectory which of its rows are near the training data."""
    trust = forecasts.bands()["trust"].to_numpy()
    return {
        label: rows[:length]
        for label, rows, length in zip(forecasts.labels, trust, forecasts.data.lengths, strict=True)
    }


def show_scores(scores: "pd.DataFrame", forecasts: "Forecast", model: "Fitted") -> None:
    """Write the scores as a table; the time of a horizon is that from its first row to its last."""
    rows = [
        (
            f"{row['horizon']:,}",
            f"{(row['horizon'] - 1) * forecasts.dt:g} s",
            str(row["forecasts"]),
            percent(row["diverged"]),
            between(row["diverged_low"], row["diverged_high"], 100.0),
            number(row["rfmse"]),
            number(row["rfmse_std"]),
            between(row["rfmse_low"], row["rfmse_high"]),
        )
        for row in scores.to_dict(orient="records")
    ]
    names = ("horizon", "time", "forecasts", "diverged", "95 %", "RFMSE", "spread", "95 %")
    trajectories = plural(len(forecasts.labels), "trajectory")
    show_table(names, rows, title=f"{sized(model, len(forecasts.predicted))}, {trajectories}")
    if found := band_facts(forecasts, [int(one) for one in scores["horizon"]]):
        show_bands(found["bands"])
        show_far(found["trust"], forecasts.dt)


def sized(model: "Fitted", members: int) -> str:
    """Return the size of a model in words."""
    nonzeros = f"{model.nonzeros_.mean():,.0f}"
    if hasattr(model, "weights_"):
        return f"{plural(members, 'member')} with {nonzeros} of {model.weights_:,} weights"
    return f"{plural(len(model.state_names_), 'equation')} and {nonzeros} nonzero coefficients"


def show_bands(bands: dict[str, Any]) -> None:
    """Write what the bands hold as a table."""
    columns = ("horizon", *COVERED)
    rows = [
        (f"{horizon:,}", *map(percent, shares)) for horizon, *shares in zip(*(bands[c] for c in columns), strict=True)
    ]
    names = ("horizon", "in the band", "in its last tenth", "rows near training")
    reach = f"up to row {bands['rows']:,}"
    show_table(names, rows, title=f"Bands calibrated for {percent(bands['coverage'])} of recorded values, {reach}")


def show_far(trust: "Mapping[str, np.ndarray]", dt: float) -> None:
    """Write the stretches of rows that are far from the training data as a table."""
    found = [(label, *stretch) for label, rows in trust.items() for stretch in stretches(rows)]
    if not found:
        return
    rows = [(label, f"{first:,} to {last:,}", f"{first * dt:g} to {last * dt:g} s") for label, first, last in found]
    more = f", the first {MOST} of {len(found)} stretches" if len(found) > MOST else ""
    show_table(("trajectory", "rows", "time"), rows[:MOST], title=f"Rows far from the training data{more}")


def stretches(trust: "np.ndarray") -> list[tuple[int, int]]:
    """Return the first and the last row of every stretch that is not trusted."""
    far = [row for row, near in enumerate(trust.tolist()) if not near]
    known = set(far)
    first = [row for row in far if row - 1 not in known]
    last = [row for row in far if row + 1 not in known]
    return list(zip(first, last, strict=True))

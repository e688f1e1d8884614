"""What sparsity costs: nonzero weights against error or divergence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.entries import Entries, labelled
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import Look, looks_of, styled
from sparsedyn.plotting.text import entry

Counts: TypeAlias = int | float | Sequence[int] | np.ndarray | pd.Series
MEASURES = {"rfmse": "RFMSE of those that did not diverge", "diverged": "diverged, %"}


@styled
def sparsity_against_error(
    scores: Entries[pd.DataFrame],
    nonzeros: Entries[Counts],
    *,
    measure: str = "rfmse",
    horizon: int | None = None,
    looks: Mapping[str, Look] | None = None,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw a point with its interval per model, nonzero weights against its error, and return the axes.

    `scores` is the table that `model.evaluate(data)` returns, or several of them by label; `nonzeros` is
    `model.nonzeros_`, or several by the same labels; their means over members are drawn. `measure` is "rfmse"
    (on a logarithmic axis) or "diverged" (in percent), at one `horizon`, by default each table's longest. A model
    without a forecast that did not diverge has no RFMSE and no point. `looks`, `ax`: as for `error_over_time`.

    Raises `ValueError` for another measure, a horizon that a table does not have, or labels without `nonzeros`.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: expected one of {', '.join(MEASURES)}; got {measure!r}.")
    entries = labelled(scores)
    weights = {label: float(np.mean(np.asarray(value, np.float64))) for label, value in labelled(nonzeros).items()}
    missing = [label for label in entries if label not in weights]
    if missing:
        raise ValueError(f"nonzeros: expected an entry for each of the scores; got none for {', '.join(missing)}.")
    looks = looks_of(entries, looks)
    panels = arrange_one(6.4 if len(entries) > 1 else 4.6, 3.3, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    for label, table in entries.items():
        _point(ax, weights[label], _row(table, horizon), measure, looks[label])
    ax.set(xlabel="nonzero weights, mean over members", xscale="log", ylabel=MEASURES[measure])
    usable = np.array([value for value in weights.values() if math.isfinite(value) and value > 0])
    if usable.size:
        ax.set_xlim(usable.min() / 1.25, usable.max() * 1.25)
    log_ticks(ax.xaxis)
    if measure == "diverged":
        ax.set_ylim(bottom=min(-1.0, -0.03 * ax.get_ylim()[1]))
    else:
        ax.set_yscale("log")
        log_ticks(ax.yaxis)
    if list(entries) != [""]:
        panels.legend([marker(look, [], []) for look in looks.values()], right=True)
    return ax


def marker(look: Look, x: list[float], y: list[float]) -> Line2D:
    """Return the mark of an entry: a dot, or a hollow diamond for averaged weights."""
    return Line2D(
        x,
        y,
        marker="D" if look.averaged else "o",
        markersize=5.5,
        markerfacecolor="white" if look.averaged else look.color,
        markeredgecolor=look.color,
        linestyle="",
        label=entry(look.label, 28),
    )


def _row(table: pd.DataFrame, horizon: int | None) -> "pd.Series[Any]":
    chosen = table["horizon"].max() if horizon is None else horizon
    rows = table[table["horizon"] == chosen]
    if rows.empty:
        known = ", ".join(str(h) for h in table["horizon"])
        raise ValueError(f"horizon: expected one of {known}; got {horizon}.")
    return rows.iloc[0]


def _point(ax: Axes, nonzeros: float, row: "pd.Series[Any]", name: str, look: Look) -> None:
    factor = 100.0 if name == "diverged" else 1.0
    value, low, high = (factor * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    # A technique and its averaged variant have as many weights: side by side, both can be seen.
    nonzeros *= 1.015 if look.averaged else 1 / 1.015
    if not (math.isfinite(value) and nonzeros > 0):
        return
    if math.isfinite(low) and math.isfinite(high):
        ax.plot([nonzeros, nonzeros], [low, high], color=look.color, linewidth=1, alpha=0.7)
    ax.add_line(marker(look, [nonzeros], [value]))
    ax.autoscale_view()

"""What sparsity costs: nonzero weights against error and divergence at the longest horizon."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import panels
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import Look, styled
from sparsedyn.plotting.text import plain


@styled
def sparsity_against_error(results: pd.DataFrame, looks: dict[str, Look], *, horizon_name: str) -> Figure:
    """Draw a point per cell with its interval, left the RFMSE, right the share diverged.

    `results` holds one row per cell: cell, nonzeros, rfmse and diverged with their _low and _high.
    """
    figure, (left, right) = panels(2, 2, 4.6, 3.3)
    figure.suptitle(f"Nonzero weights against error, {horizon_name}", x=0.01, ha="left")
    for _, row in results.iterrows():
        look = looks[str(row["cell"])]
        _point(left, row, "rfmse", 1.0, look)
        _point(right, row, "diverged", 100.0, look)
    left.set(ylabel="RFMSE of those that did not diverge", yscale="log")
    log_ticks(left.yaxis)
    right.set(ylabel="diverged, %")
    right.set_ylim(bottom=min(-1.0, -0.03 * right.get_ylim()[1]))
    for ax in (left, right):
        _weights_axis(ax, results["nonzeros"].to_numpy(np.float64))
    handles = [_marker(look, [], []) for look in looks.values()]
    figure.legend(handles=handles, loc="outside right center", handletextpad=0.3)
    return figure


def _point(ax: Axes, row: "pd.Series[Any]", name: str, factor: float, look: Look) -> None:
    value, low, high = (factor * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    # A technique and its averaged variant have as many weights: side by side, both can be seen.
    nonzeros = float(row["nonzeros"]) * (1.015 if look.averaged else 1 / 1.015)
    if not (math.isfinite(value) and nonzeros > 0):
        return
    if math.isfinite(low) and math.isfinite(high):
        ax.plot([nonzeros, nonzeros], [low, high], color=look.color, linewidth=1, alpha=0.7)
    ax.add_line(_marker(look, [nonzeros], [value]))
    ax.autoscale_view()


def _marker(look: Look, x: list[float], y: list[float]) -> Line2D:
    return Line2D(
        x,
        y,
        marker="D" if look.averaged else "o",
        markersize=5.5,
        markerfacecolor="white" if look.averaged else look.color,
        markeredgecolor=look.color,
        linestyle="",
        label=plain(look.label, 28),
    )


def _weights_axis(ax: Axes, nonzeros: np.ndarray) -> None:
    ax.set(xlabel="nonzero weights, mean over members", xscale="log")
    usable = nonzeros[np.isfinite(nonzeros) & (nonzeros > 0)]
    if usable.size:
        ax.set_xlim(usable.min() / 1.25, usable.max() * 1.25)
    log_ticks(ax.xaxis)

"""How training went: loss, validation loss and share of zero weights per technique."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.plotting.layout import balanced
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import INK, Look, styled, tint
from sparsedyn.plotting.text import plain

COLUMNS = 5


@styled
def training_curves(histories: dict[str, pd.DataFrame], looks: dict[str, Look]) -> Figure:
    """Draw for every cell the losses (median over members, band from lowest to highest), below them the sparsity.

    `histories` holds per cell a table with the columns epoch, member, loss, validation, sparsity (a share).
    """
    columns = balanced(len(histories), COLUMNS)
    bands = -(-len(histories) // columns)
    wide = {1: 7.0, 2: 4.5, 3: 3.6, 4: 2.85}.get(columns, 2.4)
    figure = Figure(figsize=(wide * columns, 2.5 * bands + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Training: loss and share of zero weights", x=0.01, ha="left")
    grid = figure.add_gridspec(2 * bands, columns, height_ratios=[3, 1] * bands)
    losses = [table[kind].to_numpy(np.float64) for table in histories.values() for kind in ("loss", "validation")]
    limits = log_limits(np.concatenate(losses), 1e-9, 1e3)
    for i, (cell, table) in enumerate(histories.items()):
        band, column = divmod(i, columns)
        upper = figure.add_subplot(grid[2 * band, column])
        lower = figure.add_subplot(grid[2 * band + 1, column], sharex=upper)
        _draw(upper, lower, table, looks[cell])
        upper.set_ylim(limits)
        log_ticks(upper.yaxis)
        _label(upper, lower, first=column == 0, last=i + columns >= len(histories))
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def _draw(upper: Axes, lower: Axes, table: pd.DataFrame, look: Look) -> None:
    upper.set(yscale="log", title=plain(look.label, 30))
    for kind, color, width in (("validation", INK, 0.9), ("loss", look.color, 1.3)):
        middle, low, high = over_members(table, kind)
        if len(middle):
            at = middle.index.to_numpy(np.float64)
            upper.fill_between(at, low, high, color=tint(color, 0.6), alpha=0.4, linewidth=0)
            upper.plot(at, middle, color=color, linewidth=width)
    middle, low, high = over_members(table, "sparsity")
    at = middle.index.to_numpy(np.float64)
    lower.fill_between(at, 0.0, 100 * middle, color=tint(look.color, 0.6), linewidth=0)
    lower.plot(at, 100 * middle, color=look.color, linewidth=1)
    lower.set(ylim=(0, 104), yticks=[0, 100])


def over_members(table: pd.DataFrame, column: str) -> "tuple[pd.Series[float], pd.Series[float], pd.Series[float]]":
    """Return median, lowest and highest over members by epoch, epochs without any finite value left out."""
    finite = table[np.isfinite(table[column].to_numpy(np.float64))]
    by_epoch = finite.groupby("epoch")[column]
    return by_epoch.median(), by_epoch.min(), by_epoch.max()


def _label(upper: Axes, lower: Axes, *, first: bool, last: bool) -> None:
    upper.tick_params(labelbottom=False, labelleft=first)
    lower.tick_params(labelleft=first)
    lower.locator_params(nbins=4, axis="x", integer=True)
    if first:
        upper.set_ylabel("loss")
        lower.set_ylabel("zeros, %")
    if last:
        lower.set_xlabel("epoch")


def _handles() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color="#6B6B6B", linewidth=1.6, label="training loss (colour of the technique)"),
        Line2D([], [], color=INK, linewidth=0.9, label="validation loss"),
        Patch(color="#CFCFCF", label="lowest to highest member"),
    ]

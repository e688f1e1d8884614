"""How training went: loss, validation loss and share of zero weights."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.plotting.layout import arrange
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import INK, PALETTE, styled, tint


@styled
def training(
    history: pd.DataFrame,
    *,
    color: str = PALETTE[0],
    title: str = "",
    axes: Sequence[Axes] | np.ndarray | None = None,
    figure: Figure | None = None,
) -> np.ndarray:
    """Draw losses over epochs and, below, the share of zero weights, and return the two axes.

    `history` is `model.history_`, with the columns `epoch`, `member`, `loss`, `validation` and `sparsity` (a share).
    Losses are mean squared errors of the scaled derivatives, penalties left out: the median over members, bands from
    the lowest to the highest. `axes` (two), `figure`: as for `fan`.
    """
    panels = arrange(2, 1, 7.0, 1.55, axes=axes, figure=figure, title=title)
    upper, lower = panels.axes
    if panels.figure is not None:
        lower.sharex(upper)
        upper.tick_params(labelbottom=False)
        upper.get_gridspec().set_height_ratios([3, 1])  # type: ignore[union-attr]
    draw_losses(upper, history, color)
    draw_sparsity(lower, history, color)
    upper.set(ylim=loss_limits([history]), ylabel="loss")
    log_ticks(upper.yaxis)
    lower.set(xlabel="epoch", ylabel="zeros, %")
    panels.legend([*upper.get_legend_handles_labels()[0], spread_handle()])
    return panels.array


def draw_losses(ax: Axes, history: pd.DataFrame, color: str) -> None:
    """Draw training and, in black, validation loss: median and range over members."""
    ax.set_yscale("log")
    for kind, shade, width in (("validation", INK, 0.9), ("loss", color, 1.3)):
        middle, low, high = over_members(history, kind)
        if len(middle):
            at = middle.index.to_numpy(np.float64)
            ax.fill_between(at, low, high, color=tint(shade, 0.6), alpha=0.4, linewidth=0)
            name = "validation loss" if kind == "validation" else "training loss"
            ax.plot(at, middle, color=shade, linewidth=width, label=name)


def draw_sparsity(ax: Axes, history: pd.DataFrame, color: str) -> None:
    """Draw the share of zero weights in percent, the median over members."""
    middle, _, _ = over_members(history, "sparsity")
    at = middle.index.to_numpy(np.float64)
    ax.fill_between(at, 0.0, 100 * middle, color=tint(color, 0.6), linewidth=0)
    ax.plot(at, 100 * middle, color=color, linewidth=1)
    ax.set(ylim=(0, 104), yticks=[0, 100])
    ax.locator_params(nbins=4, axis="x", integer=True)


def loss_limits(histories: Iterable[pd.DataFrame]) -> tuple[float, float]:
    """Return the limits of an axis on which the losses of all `histories` can be seen."""
    losses = [table[kind].to_numpy(np.float64) for table in histories for kind in ("loss", "validation")]
    return log_limits(np.concatenate(losses), 1e-9, 1e3)


def over_members(table: pd.DataFrame, column: str) -> "tuple[pd.Series[float], pd.Series[float], pd.Series[float]]":
    """Return median, lowest and highest over members by epoch, epochs without any finite value left out."""
    finite = table[np.isfinite(table[column].to_numpy(np.float64))]
    by_epoch = finite.groupby("epoch")[column]
    return by_epoch.median(), by_epoch.min(), by_epoch.max()


def spread_handle() -> Patch:
    """Return the entry of a legend for the bands."""
    return Patch(color="#CFCFCF", label="lowest to highest member")


def loss_handles() -> list[Line2D | Patch]:
    """Return the entries of a legend for the losses of several models, each in its colour."""
    return [
        Line2D([], [], color="#6B6B6B", linewidth=1.6, label="training loss (colour of the technique)"),
        Line2D([], [], color=INK, linewidth=0.9, label="validation loss"),
        spread_handle(),
    ]

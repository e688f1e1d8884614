"""The influence of settings in a search: the validation loss of all combinations by the value of every setting."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import bottom
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import CONTEXT, INK, PALETTE, styled
from sparsedyn.plotting.text import plain

CEILING = 10.0
"""Losses above count as lost: a model that predicts only the mean derivative has a loss of about one."""


@styled
def losses_by_value(
    values: Mapping[str, Sequence[str]], loss: Float[np.ndarray, " combination"], kept: Bool[np.ndarray, " combination"]
) -> Figure:
    """Draw a panel per setting and a row per value: a dot per combination, its quartiles as a bar, the median a line.

    `values` holds per setting one value (in words) for every combination; `loss` may be infinite. Differs from a
    common box plot: combinations above the ceiling stay part of the quartiles and are counted at the right edge.
    """
    rows = {name: list(dict.fromkeys(words)) for name, words in values.items()}
    columns = min(2, len(rows))
    figure, axes = _panels([len(found) for found in rows.values()], columns)
    figure.suptitle("Validation loss after the first rung, by setting", x=0.01, ha="left")
    limits = log_limits(loss, 1e-6, CEILING)
    for ax, (name, words) in zip(axes, values.items(), strict=True):
        ax.set(xscale="log", xlim=limits, ylim=(len(rows[name]) - 0.4, -0.6))
        if limits[0] < 1 < limits[1]:
            ax.axvline(1, color=INK, linewidth=0.7, linestyle=":")
        for row, value in enumerate(rows[name]):
            chosen = np.asarray([word == value for word in words])
            _row(ax, row, loss[chosen], kept[chosen], limits[1])
        ax.set_yticks(range(len(rows[name])), [plain(value, 24) for value in rows[name]])
        ax.set_title(name)
        log_ticks(ax.xaxis)
        ax.tick_params(axis="y", length=0)
        ax.grid(False, axis="y")
    for ax in bottom(axes, columns):
        ax.set_xlabel("mean squared error, scaled derivatives")
    return figure


def _panels(rows: list[int], columns: int) -> tuple[Figure, list[Axes]]:
    """Return axes as high as their rows need, those side by side as high as the one with most."""
    bands = [0.5 + 0.32 * max(3, *rows[i : i + columns]) for i in range(0, len(rows), columns)]
    figure = Figure(figsize=(4.6 * columns, sum(bands) + 0.55), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(bands), columns, height_ratios=bands)
    return figure, [figure.add_subplot(grid[i // columns, i % columns]) for i in range(len(rows))]


def _row(
    ax: Axes, row: int, loss: Float[np.ndarray, " part"], kept: Bool[np.ndarray, " part"], furthest: float
) -> None:
    """Draw the combinations that share a value; dots are jittered by rank, not at random."""
    lost = ~(loss <= CEILING)
    height = np.empty(loss.size)
    # A low-discrepancy sequence along the sorted losses keeps neighbours apart.
    height[np.argsort(loss, kind="stable")] = row + 0.56 * ((np.arange(loss.size) * 0.6180339887) % 1 - 0.5)
    for shown, color, above in ((~kept & ~lost, CONTEXT, 2), (kept & ~lost, PALETTE[0], 3)):
        ax.plot(loss[shown], height[shown], "o", markersize=2.6, color=color, markeredgewidth=0, zorder=above)
    low, middle, high = np.quantile(np.where(lost, np.inf, loss), [0.25, 0.5, 0.75], method="inverted_cdf")
    if low < np.inf:
        ax.plot([low, min(high, furthest)], [row, row], color=INK, linewidth=1.6, solid_capstyle="butt", zorder=4)
    if middle < np.inf:
        ax.plot([middle, middle], [row - 0.3, row + 0.3], color=INK, linewidth=1.6, solid_capstyle="butt", zorder=4)
    if lost.any():
        text = f"{int(lost.sum())} lost"
        ax.annotate(
            text, (1, row), (3, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center",
            fontsize=7.5, annotation_clip=False,
        )  # fmt: skip

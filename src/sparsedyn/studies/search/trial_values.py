"""The objective of trials over time, and by the values that were tried."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import balanced, headline, panels
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import CONTEXT, PALETTE, styled
from sparsedyn.plotting.text import plain

Values = Float[np.ndarray, " trial"] | Sequence[str]
MARGIN = 0.12
"""Space above the objectives, as a share of their range, for trials that have none."""


@styled
def trial_values(
    objective: Float[np.ndarray, " trial"],
    given_up: Bool[np.ndarray, " trial"],
    tried: Mapping[str, Values],
    logarithmic: Mapping[str, bool],
    *,
    title: str,
) -> Figure:
    """Draw the objective by trial, then by the values of every key of `tried`: numbers, or choices in words.

    Trials that were given up, and those without a finite objective, stand along the upper edge, since their values are
    not comparable. The best trial stands out; the line of the first panel is the best so far.
    """
    columns = balanced(1 + len(tried), 3)
    figure, axes = panels(1 + len(tried), columns, 3.1, 2.5)
    headline(figure, title)
    has = np.isfinite(objective) & ~given_up
    low, high = (float(objective[has].min()), float(objective[has].max())) if has.any() else (0.0, 1.0)
    room = MARGIN * max(high - low, 1e-3)
    height = np.where(has, objective, high + 1.5 * room)
    best = int(np.argmin(np.where(has, objective, np.inf))) if has.any() else None
    number = np.arange(1, len(objective) + 1, dtype=np.float64)
    first, *others = axes
    _dots(first, number, height, has, best)
    first.plot(number, np.minimum.accumulate(np.where(has, objective, np.inf)), color=CONTEXT, drawstyle="steps-post")
    first.set_xlabel("trial")
    first.locator_params(axis="x", integer=True)
    for ax, (name, values) in zip(others, tried.items(), strict=True):
        if isinstance(values, np.ndarray):
            _dots(ax, values, height, has, best)
            if logarithmic[name]:
                ax.set_xscale("log")
                log_ticks(ax.xaxis)
        else:
            words = list(dict.fromkeys(values))
            _dots(ax, np.array([words.index(value) for value in values], np.float64), height, has, best)
            ax.set_xticks(range(len(words)), [plain(word, 12) for word in words])
            ax.set_xlim(-0.5, len(words) - 0.5)
        ax.set_xlabel(plain(name))
    for ax in axes:
        ax.set_ylim(low - room, high + 2.2 * room)
        if not has.all():
            ax.axhline(high + 0.75 * room, color=CONTEXT, linewidth=0.8, linestyle=":")
    for ax in axes[::columns]:
        ax.set_ylabel("objective")
    handles = [
        Line2D([], [], color=PALETTE[1], marker="o", linestyle="", label="best trial"),
        Line2D([], [], color=PALETTE[0], marker="o", linestyle="", markersize=4, label="trained to the end"),
    ]
    if not has.all():
        handles.append(Line2D([], [], color="#8A8A8A", marker="x", linestyle="", markersize=4, label="given up"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _dots(
    ax: Axes,
    x: Float[np.ndarray, " trial"],
    height: Float[np.ndarray, " trial"],
    has: Bool[np.ndarray, " trial"],
    best: int | None,
) -> None:
    ax.plot(x[has], height[has], "o", markersize=4, color=PALETTE[0], markeredgewidth=0, zorder=3)
    ax.plot(x[~has], height[~has], "x", markersize=4, color="#8A8A8A", zorder=2)
    if best is not None:
        ax.plot(x[best], height[best], "o", markersize=7, color=PALETTE[1], markeredgewidth=0, zorder=4)

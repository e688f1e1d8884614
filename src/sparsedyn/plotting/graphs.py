"""Which states and inputs reach which derivative, and how strongly, as a graph."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from sparsedyn.equations import THRESHOLD
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.maps import names_for
from sparsedyn.plotting.style import INK, PALETTE, styled
from sparsedyn.plotting.text import number, plain

WIDEST, THINNEST = 7.0, 0.8
"""Widths of lines in points, of the strongest dependence and of one at the threshold or below."""
MOST_LABELS = 24
"""More strengths than this cannot be read; they are left out."""


@styled
def graph(
    dependence: Float[np.ndarray, "member output feature"] | Bool[np.ndarray, "member output feature"],
    states: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    *,
    threshold: float = THRESHOLD,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw a line from every state and input to every derivative that depends on it, and return the axes.

    `dependence` is what `model.dependence(data)` returns (strengths in standard deviations of the derivative), or
    `model.reach()` (truth values). A line is as wide as the mean over members is large, or as many members have a path;
    means of at most `threshold` have none. Lines of states and of inputs differ in colour. Names are as those of
    `input_output_map`; members that are not finite are left out. `ax` is drawn into instead of new axes.

    Raises `ValueError` where names do not fit.
    """
    outputs, features = dependence.shape[1:]
    right = names_for("states", states, outputs, "x")
    left = (*right, *names_for("inputs", inputs, features - outputs, "u"))
    alive = np.isfinite(dependence).all(axis=(1, 2))
    living = dependence[alive].astype(np.float64)
    means = living.mean(axis=0) if len(living) else np.zeros((outputs, features))
    side = 0.085 * (max(map(len, left)) + max(map(len, right)) + 4)
    panels = arrange_one(3.0 + side, 0.6 + 0.42 * max(features, outputs), ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    least = 0.0 if dependence.dtype == np.bool_ else threshold
    places = _places(features), _places(outputs)
    edges = sorted((float(means[i, j]), i, j) for i, j in np.argwhere(means > least))
    largest = max((size for size, _, _ in edges), default=1.0)
    for size, i, j in edges:
        color = PALETTE[0] if j < outputs else PALETTE[1]
        _line(ax, places[0][j], places[1][i], max(THINNEST, WIDEST * size / largest), color)
    if len(edges) <= MOST_LABELS and dependence.dtype != np.bool_:
        for size, i, j in edges:
            at = 0.24 + 0.04 * (i % 3)
            y = _curve(places[0][j], places[1][i], at)
            ax.text(at, y, number(size, 2), ha="center", va="center", fontsize=6.5, color=INK, bbox=BOX)
    rates = [f"d {name}/dt" for name in right]
    for x, names, heights, align in ((-0.03, left, places[0], "right"), (1.03, rates, places[1], "left")):
        for name, y in zip(names, heights, strict=True):
            ax.text(x, y, plain(name), ha=align, va="center", color=INK)
    ax.set(xlim=(0, 1), ylim=(-0.04, 1.04))
    ax.set_axis_off()
    return ax


BOX = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def _places(count: int) -> Float[np.ndarray, " name"]:
    """Heights of names, from above."""
    return np.linspace(1, 0, count) if count > 1 else np.asarray([0.5])


def _line(ax: Axes, start: float, end: float, width: float, color: str) -> None:
    path = Path([(0, start), (0.5, start), (0.5, end), (1, end)], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    ax.add_patch(PathPatch(path, facecolor="none", edgecolor=color, linewidth=width, alpha=0.6, capstyle="round"))


def _curve(start: float, end: float, at: float) -> float:
    """The height of a line where it has come so far to the right."""
    # x(t) = 1.5 t (1 - t) + t^3 grows from 0 to 1; its inverse by bisection of a fine table.
    t = np.linspace(0, 1, 201)
    share = 3 * t**2 * (1 - t) + t**3
    return float(start + (end - start) * np.interp(at, 1.5 * t * (1 - t) + t**3, share))

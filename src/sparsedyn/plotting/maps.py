"""Which derivative depends on which state and input, and how many members agree on it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from sparsedyn.equations import THRESHOLD, depends
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.style import INK, styled
from sparsedyn.plotting.text import plain

TRUE_COLOR = "#D55E00"


@styled
def input_output_map(
    dependence: Float[np.ndarray, "member output feature"] | Bool[np.ndarray, "member output feature"],
    states: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    *,
    threshold: float = THRESHOLD,
    truth: Bool[np.ndarray, "output feature"] | None = None,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw in which share of members a derivative depends on a state or input, and return the axes.

    `dependence` is what `model.dependence(data)` returns (strengths; above `threshold` there is a dependence) or
    `model.reach()` (truth values). Rows are the derivatives of `states`, columns the states and, right of a line, the
    `inputs`; their names are by default x1, x2, ..., u1, u2, ... Members whose strengths are not finite are left out.
    What is true, where that is known, is framed (`truth`). `ax` is drawn into instead of new axes.

    Raises `ValueError` where names do not fit.
    """
    outputs, features = dependence.shape[1:]
    rows = names_for("states", states, outputs, "x")
    columns = (*rows, *names_for("inputs", inputs, features - outputs, "u"))
    alive = np.isfinite(dependence).all(axis=(1, 2))
    found = dependence if dependence.dtype == np.bool_ else depends(dependence, threshold)
    side, below = (0.075 * max(map(len, names)) for names in (rows, columns))
    panels = arrange_one(1.6 + side + 0.3 * features, 0.8 + below + 0.3 * outputs, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    image = draw_map(ax, share_of_members(found, alive), rows, columns, truth)
    if panels.figure is not None:
        color_bar(panels.figure, image, [ax])
    return ax


def draw_map(
    ax: Axes,
    share: Float[np.ndarray, "output feature"],
    rows: Sequence[str],
    columns: Sequence[str],
    truth: Bool[np.ndarray, "output feature"] | None = None,
) -> AxesImage:
    """Draw shares of members, what is true framed, and return the image for a colour bar."""
    outputs, features = share.shape
    image = ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    ax.grid(False)
    ax.set_xticks(np.arange(features + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(outputs + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color="white", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    # As many states as outputs come first; then the inputs.
    if outputs < features:
        ax.axvline(outputs - 0.5, color=INK, linewidth=1)
    for row, column in np.argwhere(truth) if truth is not None else ():
        corner = (column - 0.4, row - 0.4)
        ax.add_patch(Rectangle(corner, 0.8, 0.8, fill=False, edgecolor=TRUE_COLOR, linewidth=1.1, zorder=3))
    ax.set_yticks(range(outputs), map(plain, rows))
    ax.set_xticks(range(features), map(plain, columns), rotation=90)
    return image


def color_bar(figure: Figure, image: AxesImage, axes: Sequence[Axes]) -> None:
    """Say beside the axes what the colours of maps mean."""
    shrink = min(1.0, 2.4 / figure.get_figheight())
    bar = figure.colorbar(image, ax=list(axes), shrink=shrink, aspect=16, pad=0.02)
    bar.set_label("share of members")
    bar.outline.set_visible(False)


def share_of_members(
    maps: Bool[np.ndarray, "member output feature"], alive: Bool[np.ndarray, " member"]
) -> Float[np.ndarray, "output feature"]:
    """Return the share of the living members whose map has each dependence, NaN without any."""
    living = maps[alive].astype(np.float64)
    return living.mean(axis=0) if len(living) else np.full(maps.shape[1:], np.nan)


def names_for(what: str, given: Sequence[str] | None, count: int, letter: str) -> tuple[str, ...]:
    """Return the given names, or numbered ones; raises `ValueError` where they are not as many as there are columns."""
    names = tuple(f"{letter}{i + 1}" for i in range(count)) if given is None else tuple(given)
    if len(names) != count:
        raise ValueError(f"{what}: expected {count} names; got {len(names)}: {', '.join(names)}.")
    return names

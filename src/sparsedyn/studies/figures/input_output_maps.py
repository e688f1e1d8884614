"""Which derivative depends on which state and input, and how many members agree on it."""

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sparsedyn.plotting.layout import balanced, bottom, headline, panels
from sparsedyn.plotting.style import INK, Look, styled
from sparsedyn.plotting.text import plain

COLUMNS = 5
TRUE_COLOR = "#D55E00"


@styled
def input_output_maps(
    shares: dict[str, Float[np.ndarray, "output feature"]],
    looks: dict[str, Look],
    *,
    output_names: tuple[str, ...],
    feature_names: tuple[str, ...],
    truth: Bool[np.ndarray, "output feature"] | None = None,
) -> Figure:
    """Draw a heat map per cell: in which share of members an output depends on a feature.

    What is true, where that is known, is framed.
    """
    outputs, features = len(output_names), len(feature_names)
    columns = balanced(len(shares), COLUMNS)
    wide, high = float(np.clip(0.16 * features, 1.4, 5)), float(np.clip(0.16 * outputs, 0.8, 5))
    figure, axes = panels(len(shares), columns, wide + 0.2, high + 0.42)
    # Room for the names at the left and below.
    side, below = (0.075 * max(map(len, names)) for names in (output_names, feature_names))
    # Not narrower than the title.
    figure.set_size_inches(max(figure.get_figwidth() + side + 1.0, 4.6), figure.get_figheight() + below)
    headline(figure, "What the derivative of each row depends on")
    for i, (ax, (cell, share)) in enumerate(zip(axes, shares.items(), strict=True)):
        image = ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
        ax.set_title(plain(looks[cell].label, max(16, int(11 * wide))))
        _grid(ax, outputs, features)
        if truth is not None:
            _frame(ax, truth)
        ax.set_yticks(range(outputs), map(plain, output_names))
        ax.set_xticks(range(features), [""] * features)
        ax.tick_params(labelleft=i % columns == 0)
    for ax in bottom(axes, columns):
        ax.set_xticks(range(features), map(plain, feature_names), rotation=90)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 2.4 / figure.get_figheight()), aspect=16, pad=0.02)
    bar.set_label("share of members")
    bar.outline.set_visible(False)
    return figure


def share_of_members(
    maps: Bool[np.ndarray, "member output feature"], alive: Bool[np.ndarray, " member"]
) -> Float[np.ndarray, "output feature"]:
    """Return the share of the living members whose map has each dependence, NaN without any."""
    living = maps[alive].astype(np.float64)
    return living.mean(axis=0) if len(living) else np.full(maps.shape[1:], np.nan)


def _frame(ax: Axes, truth: Bool[np.ndarray, "output feature"]) -> None:
    for row, column in np.argwhere(truth):
        ax.add_patch(
            Rectangle((column - 0.4, row - 0.4), 0.8, 0.8, fill=False, edgecolor=TRUE_COLOR, linewidth=1.1, zorder=3)
        )


def _grid(ax: Axes, outputs: int, features: int) -> None:
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

"""Which derivative depends on which state and input, a map per cell."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import balanced, bottom, headline, panels
from sparsedyn.plotting.maps import color_bar, draw_map
from sparsedyn.plotting.style import Look, styled
from sparsedyn.plotting.text import plain

COLUMNS = 5


@styled
def input_output_maps(
    shares: Mapping[str, Float[np.ndarray, "output feature"]],
    looks: Mapping[str, Look],
    *,
    output_names: Sequence[str],
    feature_names: Sequence[str],
    truth: Bool[np.ndarray, "output feature"] | None = None,
) -> Figure:
    """Draw a heat map per cell: in which share of members an output depends on a feature.

    True dependences are framed where they are known.
    """
    outputs, features = len(output_names), len(feature_names)
    columns = balanced(len(shares), COLUMNS)
    wide, high = float(np.clip(0.16 * features, 1.4, 5)), float(np.clip(0.16 * outputs, 0.8, 5))
    figure, axes = panels(len(shares), columns, wide + 0.2, high + 0.42)
    # Space for the names at the left and below.
    side, below = (0.075 * max(map(len, names)) for names in (output_names, feature_names))
    # Not narrower than the title.
    figure.set_size_inches(max(figure.get_figwidth() + side + 1.0, 4.6), figure.get_figheight() + below)
    headline(figure, "What the derivative of each row depends on")
    lowest = bottom(axes, columns)
    for i, (ax, (cell, share)) in enumerate(zip(axes, shares.items(), strict=True)):
        image = draw_map(ax, share, output_names, feature_names, truth)
        ax.set_title(plain(looks[cell].label, max(16, int(11 * wide))))
        ax.tick_params(labelleft=i % columns == 0, labelbottom=ax in lowest)
    color_bar(figure, image, axes)
    return figure

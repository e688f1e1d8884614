"""Coefficients of discovered equations as matrices: which terms there are, how large, of which sign."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import FAINT, INK, PALETTE, styled
from sparsedyn.plotting.text import plain

# More rows than this cannot be read; their names are left out.
MOST_NAMES = 40
COLUMNS = 6
DECADES = 3.0
"""Coefficients this many decades below the largest of all are as faint as it gets."""


@styled
def coefficient_matrices(
    coefficients: Float[np.ndarray, "member term latent"],
    *,
    terms: Sequence[str],
    names: Sequence[str],
    labels: Sequence[str],
    title: str,
) -> Figure:
    """Draw a matrix per member, a row per term and a column per equation; terms that are not there stay white.

    Colour is sign and logarithm of the size. After Champion et al. 2019, figure 3.
    """
    shown = len(terms) <= MOST_NAMES
    width, height = 0.5 + 0.42 * len(names), (0.155 * len(terms) if shown else 0.05 * len(terms)) + 0.45
    figure, axes = panels(len(labels), COLUMNS, max(width, 1.25), height)
    figure.set_figwidth(figure.get_figwidth() + 0.7)
    headline(figure, title)
    sizes = np.abs(coefficients)
    largest = float(np.nanmax(np.where(np.isfinite(sizes), sizes, 0.0), initial=1e-12)) or 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.clip(1 + np.log10(sizes / largest) / DECADES, 0.12, 1.0)
    values = np.where((sizes > 0) & np.isfinite(sizes), np.sign(coefficients) * depth, np.nan)
    colours = LinearSegmentedColormap.from_list("signs", [PALETTE[1], "#FFFFFF", PALETTE[0]])
    for i, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        ax.imshow(values[i], cmap=colours, norm=Normalize(-1, 1), aspect="auto", interpolation="nearest")
        ax.set_title(plain(label, 16))
        ax.set_xticks(range(len(names)), [plain(name) for name in names])
        first = i % COLUMNS == 0
        ax.set_yticks(range(len(terms)) if shown else [], [plain(t) for t in terms] if shown and first else None)
        if not first:
            ax.set_yticklabels([])
        ax.set_xticks(np.arange(-0.5, len(names)), minor=True)
        ax.set_yticks(np.arange(-0.5, len(terms)) if shown else [], minor=True)
        ax.grid(False)
        ax.grid(which="minor", color=FAINT, linewidth=0.5)
        ax.tick_params(which="both", length=0)
        ax.tick_params(axis="y", labelsize=6.5)
        ax.tick_params(axis="x", labelcolor=INK)
        for spine in ax.spines.values():
            spine.set_visible(True)
    return figure

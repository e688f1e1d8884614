"""Coefficients of equations as a matrix: which terms there are, how large, of which sign."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.style import FAINT, INK, PALETTE, styled
from sparsedyn.plotting.text import number, plain

# More rows than this cannot be read; their names are left out.
MOST_NAMES = 40
DECADES = 3.0
"""Coefficients this many decades below the largest are as faint as it gets."""
SIGNS = LinearSegmentedColormap.from_list("signs", [PALETTE[1], "#FFFFFF", PALETTE[0]])
DARK = 0.7


@styled
def coefficients(
    table: pd.DataFrame,
    *,
    largest: float | None = None,
    digits: int | None = 3,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw coefficients as a matrix, a row per term and a column per equation, and return the axes.

    `table` is what `model.coefficients()` returns: terms in the index, equations in the columns. Blue is positive,
    orange negative; the larger, the darker, on a logarithmic scale of three decades below `largest` (by default the
    largest of the table; give the same to several matrices to compare them). Terms that are not there (zero) stay
    white, others have their value written in them, with so many `digits` (None for none). Names are left out where
    there are more than forty terms. `ax` is drawn into instead of new axes. After Champion et al. 2019, figure 3.
    """
    values = table.to_numpy(np.float64)
    rows, columns = values.shape
    shown = rows <= MOST_NAMES
    width = 0.6 + 0.075 * max((len(str(term)) for term in table.index), default=0) + 0.75 * columns
    panels = arrange_one(max(width, 2.0), 0.45 + (0.21 if shown else 0.06) * rows, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    depth = shades(values, largest_of(values) if largest is None else largest)
    ax.imshow(depth, cmap=SIGNS, norm=Normalize(-1, 1), aspect="auto", interpolation="nearest")
    ax.set_xticks(range(columns), [plain(str(name)) for name in table.columns])
    ax.set_yticks(range(rows) if shown else [], [plain(str(term)) for term in table.index] if shown else [])
    _lines(ax, rows if shown else 0, columns)
    if digits is not None and shown:
        for (i, j), value in np.ndenumerate(values):
            if np.isfinite(value) and value != 0:
                color = "white" if abs(depth[i, j]) > DARK else INK
                text = number(value, digits).replace("-", "−")
                ax.text(j, i, text, ha="center", va="center", fontsize=7, color=color)
    return ax


def largest_of(values: Float[np.ndarray, "..."]) -> float:
    """Return the largest size of a finite coefficient, one where there is none."""
    sizes = np.abs(values[np.isfinite(values)])
    return float(sizes.max(initial=0.0)) or 1.0


def shades(values: Float[np.ndarray, "term equation"], largest: float) -> Float[np.ndarray, "term equation"]:
    """Return sign and depth of colour of coefficients, from -1 to 1, NaN for terms that are not there."""
    sizes = np.abs(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.clip(1 + np.log10(sizes / largest) / DECADES, 0.12, 1.0)
    return np.where((sizes > 0) & np.isfinite(sizes), np.sign(values) * depth, np.nan)


def _lines(ax: Axes, rows: int, columns: int) -> None:
    """Put lines between cells instead of a grid through them."""
    ax.set_xticks(np.arange(-0.5, columns), minor=True)
    ax.set_yticks(np.arange(-0.5, rows) if rows else [], minor=True)
    ax.grid(False)
    ax.grid(which="minor", color=FAINT, linewidth=0.5)
    ax.tick_params(which="both", length=0)
    ax.tick_params(axis="y", labelsize=6.5)
    ax.tick_params(axis="x", labelcolor=INK)
    for spine in ax.spines.values():
        spine.set_visible(True)

"""What a search of parameters came to: error against sparsity, and the sparsest model that is about as good."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import FAINT, INK, PALETTE, styled
from sparsedyn.selection import SearchResult

LOGARITHMIC = 10.0
"""Counts that differ by this factor are drawn on a logarithmic axis."""


@styled
def search_path(
    result: SearchResult, *, within: float = 1.0, title: str = "", ax: Axes | None = None, figure: Figure | None = None
) -> Axes:
    """Draw the error of every candidate against its nonzero weights or terms, and return the axes.

    `result` is what `sparsedyn.search` returns. Bars are one standard error over folds. The dotted line is the least
    error and `within` of its standard errors: the sparsest candidate below it is the one that
    `result.sparsest(within)` fits to all data. Candidates that could not be fitted are left out.
    """
    panels = arrange_one(6.4, 3.4, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    size, error, spread = (result.table[name].to_numpy(np.float64) for name in ("nonzeros", "error", "error_se"))
    known = np.isfinite(size) & np.isfinite(error)
    best, sparsest, limit = result.best_index_, result.sparsest_index(within), result.limit(within)
    ax.axhspan(float(error[best]), limit, color=FAINT, linewidth=0, zorder=0)
    words = "one standard error" if within == 1 else f"{within:g} standard errors"
    ax.axhline(limit, color=INK, linewidth=0.8, linestyle=":", label=f"least error and {words}")
    ax.errorbar(
        size[known],
        error[known],
        spread[known],
        fmt="o",
        markersize=4.5,
        color=PALETTE[0],
        elinewidth=1,
        label="candidate",
    )
    for index, color, room, label in (
        (best, PALETTE[2], 110, "least error"),
        (sparsest, PALETTE[1], 190, f"sparsest within {words}"),
    ):
        ax.scatter(size[index], error[index], s=room, facecolor="none", edgecolor=color, linewidth=1.6, label=label)
    if size[known].min() > 0 and size[known].max() > LOGARITHMIC * size[known].min():
        ax.set_xscale("log")
        log_ticks(ax.xaxis)
    ax.set(xlabel="nonzero weights or terms, mean over folds", ylabel=f"RFMSE over {result.horizon} rows")
    panels.legend(columns=2)
    return ax

"""Share of forecasts that diverged, a panel per horizon and a bar per technique."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.divergences import highest, shares_of
from sparsedyn.plotting.style import INK, Look, styled
from sparsedyn.plotting.text import number
from sparsedyn.studies.figures.rows import label_rows, row_panels


@styled
def divergence_bars(results: pd.DataFrame, looks: Mapping[str, Look], horizon_names: Mapping[int, str]) -> Figure:
    """Draw the share in percent with its interval as a whisker and its number beside it.

    `results` needs the columns cell, horizon, diverged, diverged_low, diverged_high (shares between 0 and 1).
    Horizontal, so that the names of many cells fit.
    """
    figure, axes = row_panels(len(horizon_names), len(looks), "Share of forecasts that diverged")
    tables = dict(iter(results.groupby(results["cell"].astype(str))))
    shares, furthest = {cell: shares_of(table) for cell, table in tables.items()}, highest(tables)
    for ax, (horizon, name) in zip(axes, horizon_names.items(), strict=True):
        for row, (cell, look) in enumerate(looks.items()):
            if horizon not in shares.get(cell, {}):
                continue
            share, low, high = shares[cell][horizon]
            ax.barh(row, share, height=0.68, color=look.fill, edgecolor=look.color, linewidth=0.6)
            if np.isfinite([low, high]).all():
                ax.plot([low, high], [row, row], color=INK, linewidth=1.1, solid_capstyle="butt")
            end = np.nanmax([share, high, 0.0])
            ax.text(end + 0.02 * furthest, row, number(share), va="center", fontsize=7.5)
        # Room for the number at the end of the longest whisker.
        ax.set(title=name, xlim=(0, 1.2 * furthest), xlabel="diverged, %")
        ax.set_xticks([t for t in ax.get_xticks() if t <= min(100, 1.2 * furthest)])
    label_rows(axes, looks)
    return figure

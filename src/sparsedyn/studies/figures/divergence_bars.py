"""Share of forecasts that diverged, a panel per horizon and a bar per technique."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.style import INK, Look, styled
from sparsedyn.plotting.text import number
from sparsedyn.studies.figures.rows import label_rows, row_panels

COLUMNS = ["diverged", "diverged_low", "diverged_high"]


@styled
def divergence_bars(results: pd.DataFrame, looks: dict[str, Look], horizon_names: dict[int, str]) -> Figure:
    """Draw the share in percent with its interval as a whisker and its number beside it.

    `results` needs the columns cell, horizon, diverged, diverged_low, diverged_high (shares between 0 and 1).
    Lying, so that many cells keep their names beside them; `panel_bars` stands them up as Haugstvedt et al. 2023 do.
    """
    figure, axes = row_panels(len(horizon_names), len(looks))
    figure.suptitle("Share of forecasts that diverged", x=0.01, ha="left")
    furthest = 100 * float(np.nanmax([*results["diverged_high"], *results["diverged"], 0.02]))
    for ax, (horizon, name) in zip(axes, horizon_names.items(), strict=True):
        part = results[results["horizon"] == horizon]
        rows = dict(zip(part["cell"].astype(str), (100 * part[COLUMNS]).to_numpy(np.float64), strict=True))
        for row, (cell, look) in enumerate(looks.items()):
            if cell not in rows:
                continue
            share, low, high = rows[cell]
            ax.barh(row, share, height=0.68, color=look.fill, edgecolor=look.color, linewidth=0.6)
            if np.isfinite([low, high]).all():
                ax.plot([low, high], [row, row], color=INK, linewidth=1.1, solid_capstyle="butt")
            end = np.nanmax([share, high, 0.0])
            ax.text(end + 0.02 * furthest, row, number(share), va="center", fontsize=7.5)
        ax.set_title(name)
        # Room for the number at the end of the longest whisker.
        ax.set_xlim(0, 1.2 * furthest)
        ax.set_xticks([t for t in ax.get_xticks() if t <= min(100, 1.2 * furthest)])
        ax.set_xlabel("diverged, %")
    label_rows(axes, looks)
    return figure

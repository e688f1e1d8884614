"""Share of forecasts that diverged as a paper arranges it: horizons side by side, a bar per technique in each."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.style import Look, styled
from sparsedyn.studies.figures.groups import diamond, group_bands, group_legend, whisker

COLUMNS = ["diverged", "diverged_low", "diverged_high"]


@styled
def panel_bars(
    results: pd.DataFrame,
    looks: dict[str, Look],
    horizon_names: dict[int, str],
    published: Mapping[tuple[str, int], float],
    *,
    title: str,
) -> Figure:
    """Draw the share in percent of every cell in `looks`, its interval as a whisker.

    `results` needs the columns cell, horizon, diverged, diverged_low, diverged_high (shares between 0 and 1).
    `published` has, by cell and horizon, what others found, in percent: a diamond on the bar. After Haugstvedt et
    al. 2023, figures 6, 8, 10 and 12.
    """
    figure, bands = group_bands(title, horizon_names, len(looks))
    chosen = results[results["cell"].isin(list(looks))]
    places = zip(chosen["cell"].astype(str), chosen["horizon"].astype(int), strict=True)
    shares = dict(zip(places, (100 * chosen[COLUMNS]).to_numpy(np.float64), strict=True))
    marks = {
        place: value
        for place, value in published.items()
        if math.isfinite(value) and place[0] in looks and place[1] in horizon_names
    }
    highest = np.concatenate([*shares.values(), list(marks.values()), [2.0]])
    furthest = float(np.nanmax(highest))
    for band in bands:
        for horizon in band.horizons:
            for entry, (cell, look) in enumerate(looks.items()):
                at = band.place(horizon, entry)
                if (cell, horizon) in shares:
                    share, low, high = shares[cell, horizon]
                    band.ax.bar(at, share, width=0.86 * band.room, color=look.fill, edgecolor=look.color, linewidth=0.6)
                    if np.isfinite([low, high]).all():
                        whisker(band.ax, at, low, high)
                if (cell, horizon) in marks:
                    band.ax.add_line(diamond([at], [marks[cell, horizon]]))
        band.ax.set_ylim(0, 1.04 * furthest)
        band.ax.locator_params(nbins=6, axis="y")
        band.ax.set_yticks([tick for tick in band.ax.get_yticks() if tick <= min(100, 1.04 * furthest)])
        band.ax.set_ylabel("diverged, %")
    group_legend(figure, list(looks.values()), "published" if marks else "")
    return figure

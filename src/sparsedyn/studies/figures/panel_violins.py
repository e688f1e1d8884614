"""Errors of the forecasts that did not diverge as a paper arranges them: horizons side by side, a violin each."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import Look, styled
from sparsedyn.studies.figures.groups import diamond, group_bands, group_legend
from sparsedyn.studies.figures.violin import draw_violin, surviving_errors


@styled
def panel_violins(
    forecasts: dict[str, pd.DataFrame],
    looks: dict[str, Look],
    horizon_names: dict[int, str],
    published: Mapping[tuple[str, int], float],
    *,
    title: str,
) -> Figure:
    """Draw an upright violin per horizon and cell in `looks`; bar: quartiles, ring: mean.

    `forecasts` holds per cell a table with the columns horizon, rfmse, diverged. A cell without survivors at a
    horizon says so. `published` has, by cell and horizon, the mean that others found: a diamond. After Haugstvedt et
    al. 2023, figures 7, 9, 11, 13 and 14; differs from the paper: a logarithmic axis, on which the first horizons
    can be read too.
    """
    figure, bands = group_bands(title, horizon_names, len(looks))
    tables = {cell: table for cell, table in forecasts.items() if cell in looks}
    known = {
        (cell, horizon): surviving_errors(table, horizon)
        for cell, table in tables.items()
        for horizon in horizon_names
        if (table["horizon"] == horizon).any()
    }
    marks = {
        place: value
        for place, value in published.items()
        if math.isfinite(value) and value > 0 and place[0] in looks and place[1] in horizon_names
    }
    limits = log_limits(np.concatenate([*known.values(), list(marks.values())]), 1e-6, 10.0)
    for band in bands:
        band.ax.set(yscale="log", ylim=limits)
        for horizon in band.horizons:
            for entry, (cell, look) in enumerate(looks.items()):
                at = band.place(horizon, entry)
                if (cell, horizon) in known:
                    draw_violin(band.ax, at, known[cell, horizon], look, half=0.45 * band.room, upright=True)
                if (cell, horizon) in marks:
                    band.ax.add_line(diamond([at], [marks[cell, horizon]]))
        log_ticks(band.ax.yaxis)
        band.ax.set_ylabel("RFMSE, standard deviations")
    group_legend(figure, list(looks.values()), "published mean" if marks else "")
    return figure

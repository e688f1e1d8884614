"""Distribution of the RFMSE of the forecasts that did not diverge, a panel per horizon."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import Look, styled
from sparsedyn.studies.figures.rows import label_rows, row_panels
from sparsedyn.studies.figures.violin import draw_violin, surviving_errors


@styled
def error_violins(forecasts: dict[str, pd.DataFrame], looks: dict[str, Look], horizon_names: dict[int, str]) -> Figure:
    """Draw densities over a logarithmic axis; bar: quartiles, ring: mean; a row without survivors says so.

    `forecasts` holds per cell a table with the columns horizon, rfmse, diverged. Lying, so that many cells keep
    their names beside them; `panel_violins` stands them up as Haugstvedt et al. 2023 do.
    """
    figure, axes = row_panels(len(horizon_names), len(looks))
    figure.suptitle("RFMSE of the forecasts that did not diverge", x=0.01, ha="left")
    known = {
        (cell, horizon): surviving_errors(table, horizon)
        for cell, table in forecasts.items()
        for horizon in horizon_names
    }
    everything = np.concatenate([*known.values(), np.empty(0)])
    limits = log_limits(everything, 1e-6, 10.0)
    for ax, (horizon, name) in zip(axes, horizon_names.items(), strict=True):
        ax.set(xscale="log", xlim=limits)
        for row, (cell, look) in enumerate(looks.items()):
            if (cell, horizon) in known:
                draw_violin(ax, float(row), known[cell, horizon], look)
        ax.set_title(name)
        log_ticks(ax.xaxis)
        ax.set_xlabel("RFMSE, standard deviations")
    label_rows(axes, looks)
    return figure

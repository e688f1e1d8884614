"""Distribution of the RFMSE of the forecasts that did not diverge, a panel per horizon."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import Look, styled
from sparsedyn.plotting.violins import draw_violin, surviving_errors, violin_limits
from sparsedyn.studies.figures.rows import label_rows, row_panels


@styled
def error_violins(
    forecasts: Mapping[str, pd.DataFrame], looks: Mapping[str, Look], horizon_names: Mapping[int, str]
) -> Figure:
    """Draw densities over a logarithmic axis; bar: quartiles, ring: mean; a row where all forecasts diverged says so.

    `forecasts` holds per cell a table with the columns horizon, rfmse, diverged. Horizontal, so that the names of many
    cells fit.
    """
    figure, axes = row_panels(len(horizon_names), len(looks), "RFMSE of the forecasts that did not diverge")
    errors = {cell: {h: surviving_errors(table, h) for h in horizon_names} for cell, table in forecasts.items()}
    limits = violin_limits(errors)
    for ax, (horizon, name) in zip(axes, horizon_names.items(), strict=True):
        ax.set(xscale="log", xlim=limits, title=name, xlabel="RFMSE, standard deviations")
        for row, (cell, look) in enumerate(looks.items()):
            if cell in errors:
                draw_violin(ax, float(row), errors[cell][horizon], look)
        log_ticks(ax.xaxis)
    label_rows(axes, looks)
    return figure

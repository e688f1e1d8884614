"""What sparsity costs: nonzero weights against error and divergence, side by side."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting import sparsity_against_error as draw_points
from sparsedyn.plotting.layout import panels
from sparsedyn.plotting.sparsity import MEASURES, marker
from sparsedyn.plotting.style import Look, styled


@styled
def sparsity_against_error(results: pd.DataFrame, looks: Mapping[str, Look], *, horizon_name: str) -> Figure:
    """Draw a point per cell with its interval, left the RFMSE, right the share diverged.

    `results` holds one row per cell: cell, horizon, nonzeros, rfmse and diverged with their _low and _high.
    """
    scores = dict(iter(results.groupby(results["cell"].astype(str))))
    nonzeros = {cell: table["nonzeros"] for cell, table in scores.items()}
    figure, axes = panels(2, 2, 4.6, 3.3)
    figure.suptitle(f"Nonzero weights against error, {horizon_name}", x=0.01, ha="left")
    for ax, measure in zip(axes, MEASURES, strict=True):
        draw_points(scores, nonzeros, measure=measure, looks=looks, ax=ax)
    handles = [marker(look, [], []) for look in looks.values()]
    figure.legend(handles=handles, loc="outside right center", handletextpad=0.3)
    return figure

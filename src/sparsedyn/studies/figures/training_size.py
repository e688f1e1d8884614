"""How stability and error depend on the number of training trajectories."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import panels
from sparsedyn.plotting.sparsity import MEASURES
from sparsedyn.plotting.style import styled
from sparsedyn.studies.figures.by_size import lines_of, size_axis


@styled
def training_size(results: pd.DataFrame, *, horizon_name: str) -> Figure:
    """Draw RFMSE and share diverged against training trajectories: a line with whiskers per technique and average.

    `results` holds one row per cell: technique, average, train_trajectories, rfmse and diverged with their ends
    _low and _high.
    After the question of Lundby et al. 2023: do sparse networks need less data?
    """
    figure, (left, right) = panels(2, 2, 4.6, 3.3)
    figure.suptitle(f"Training trajectories against error, {horizon_name}", x=0.01, ha="left")
    lines = list(lines_of(results))
    for i, line in enumerate(lines):
        # Side by side, or whiskers would cover each other.
        at = line.sizes * 1.025 ** (i - (len(lines) - 1) / 2)
        for ax, column, factor in ((left, "rfmse", 1.0), (right, "diverged", 100.0)):
            ends = (factor * line.rows[f"{column}{end}"].to_numpy(np.float64) for end in ("", "_low", "_high"))
            value, low, high = ends
            # A mean lies within its interval but for rounding.
            reach = np.maximum(np.stack([value - low, high - value]), 0.0)
            ax.errorbar(at, value, yerr=reach, elinewidth=0.9, **line.style)
    for ax, measure in ((left, "rfmse"), (right, "diverged")):
        size_axis(ax, results)
        ax.set_ylabel(MEASURES[measure])
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=min(-1.0, -0.03 * right.get_ylim()[1]))
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center")
    return figure

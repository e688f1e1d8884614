"""How stability and error depend on the number of training trajectories."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sparsedyn.plotting.layout import panels
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain
from sparsedyn.studies.figures.averages import average_name


@styled
def training_size(results: pd.DataFrame, *, horizon_name: str) -> Figure:
    """Draw RFMSE and share diverged against training trajectories: a line with whiskers per technique and average.

    `results` holds one row per cell: technique, average, train_trajectories, rfmse and diverged with their ends
    _low and _high.
    After the question of Lundby et al. 2023: do sparse networks need less data?
    """
    figure, (left, right) = panels(2, 2, 4.6, 3.3)
    figure.suptitle(f"Training trajectories against error, {horizon_name}", x=0.01, ha="left")
    techniques = list(dict.fromkeys(results["technique"].astype(str)))
    lines = results.groupby(["technique", "average"], sort=False, dropna=False)
    for i, ((technique, average), part) in enumerate(lines):
        # Side by side, or whiskers would cover each other.
        shift = 1.025 ** (i - (len(lines) - 1) / 2)
        color = PALETTE[techniques.index(str(technique)) % len(PALETTE)]
        ordered = part.sort_values("train_trajectories")
        for ax, column, factor in ((left, "rfmse", 1.0), (right, "diverged", 100.0)):
            _line(ax, ordered, column, factor, shift, color, str(technique), average_name(average))
    left.set(ylabel="RFMSE of those that did not diverge", ylim=(0, None))
    right.set(ylabel="diverged, %", ylim=(min(-1.0, -0.03 * right.get_ylim()[1]), None))
    sizes = np.unique(results["train_trajectories"].to_numpy(np.float64)).tolist()
    for ax in (left, right):
        ax.set(xscale="log", xlabel="training trajectories")
        ax.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
        ax.xaxis.set_minor_locator(NullLocator())
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center")
    return figure


def _line(
    ax: Axes,
    part: pd.DataFrame,
    column: str,
    factor: float,
    shift: float,
    color: str,
    technique: str,
    average: str,
) -> None:
    value, low, high = (factor * part[f"{column}{end}"].to_numpy(np.float64) for end in ("", "_low", "_high"))
    ax.errorbar(
        part["train_trajectories"].to_numpy(np.float64) * shift,
        value,
        # A mean lies within its interval but for rounding.
        yerr=np.maximum(np.stack([value - low, high - value]), 0.0),
        color=color,
        linestyle="--" if average else "-",
        marker="D" if average else "o",
        markersize=4,
        linewidth=1.2,
        elinewidth=0.9,
        label=plain(f"{technique} + {average}" if average else technique, 28),
    )

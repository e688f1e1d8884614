"""How stability and error depend on the number of training trajectories."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from sparsedyn.studies.figures.style import PALETTE, panels, plain, styled


@styled
def training_size(results: pd.DataFrame, *, horizon_name: str) -> Figure:
    """Draw RFMSE and share diverged against training trajectories: a line with whiskers per technique and average.

    `results` holds one row per cell: technique, average, train_trajectories, rfmse and diverged with their ends
    _low and _high.
    After the question of Lundby et al. 2023: do sparse networks need less data?
    """
    figure, (left, right) = panels(2, 2, 4.6, 3.3)
    figure.suptitle(f"Training trajectories against error, {horizon_name}", x=0.01, ha="left")
    sizes = np.unique(results["train_trajectories"].to_numpy(np.int64))
    techniques = list(dict.fromkeys(results["technique"].astype(str)))
    lines = results.groupby(["technique", "average"], sort=False, dropna=False)
    for i, ((technique, average), part) in enumerate(lines):
        part = part.sort_values("train_trajectories")
        averaged = str(average) not in ("none", "nan", "None", "")
        # Side by side, or whiskers would cover each other.
        at = part["train_trajectories"].to_numpy(np.float64) * 1.025 ** (i - (len(lines) - 1) / 2)
        for ax, column, factor in ((left, "rfmse", 1.0), (right, "diverged", 100.0)):
            value, low, high = (factor * part[f"{column}{e}"].to_numpy(np.float64) for e in ("", "_low", "_high"))
            ax.errorbar(
                at,
                value,
                # A mean lies within its interval but for rounding.
                yerr=np.maximum(np.stack([value - low, high - value]), 0.0),
                color=PALETTE[techniques.index(str(technique)) % len(PALETTE)],
                linestyle="--" if averaged else "-",
                marker="D" if averaged else "o",
                markersize=4,
                linewidth=1.2,
                elinewidth=0.9,
                label=plain(f"{technique} + {average}" if averaged else str(technique), 28),
            )
    left.set(ylabel="RFMSE of those that did not diverge", ylim=(0, None))
    right.set(ylabel="diverged, %", ylim=(min(-1.0, -0.03 * right.get_ylim()[1]), None))
    for ax in (left, right):
        ax.set(xscale="log", xlabel="training trajectories")
        ax.xaxis.set_major_locator(FixedLocator(sizes.astype(float).tolist()))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center")
    return figure

"""Lines over the number of training trajectories, one per technique and average."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from sparsedyn.plotting.style import PALETTE
from sparsedyn.plotting.text import entry
from sparsedyn.studies.figures.averages import average_name


@dataclass(frozen=True)
class Line:
    """The results of one technique and average by size, and how they are drawn."""

    label: str
    color: str
    averaged: bool
    rows: pd.DataFrame

    @property
    def sizes(self) -> Float[np.ndarray, " size"]:
        """The numbers of training trajectories."""
        return self.rows["train_trajectories"].to_numpy(np.float64)

    @property
    def style(self) -> dict[str, Any]:
        """The look of the line, for Matplotlib."""
        return {
            "color": self.color,
            "linestyle": "--" if self.averaged else "-",
            "marker": "D" if self.averaged else "o",
            "markersize": 4,
            "linewidth": 1.2,
            "label": entry(self.label, 28),
        }


def lines_of(results: pd.DataFrame) -> Iterator[Line]:
    """Yield a line per technique and average of `results`: technique, average, train_trajectories and what is drawn."""
    techniques = list(dict.fromkeys(results["technique"].astype(str)))
    for (technique, average), rows in results.groupby(["technique", "average"], sort=False, dropna=False):
        name, color = average_name(average), PALETTE[techniques.index(str(technique)) % len(PALETTE)]
        label = f"{technique} + {name}" if name else str(technique)
        yield Line(label, color, bool(name), rows.sort_values("train_trajectories"))


def size_axis(ax: Axes, results: pd.DataFrame) -> None:
    """Make the lower axis one of training trajectories."""
    sizes = np.unique(results["train_trajectories"].to_numpy(np.float64)).tolist()
    ax.set(xscale="log", xlabel="training trajectories")
    ax.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())

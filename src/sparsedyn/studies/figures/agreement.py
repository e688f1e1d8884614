"""Agreement within ensembles: similarity to each other and to the plant, sizes, spread of errors."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import balanced, headline, panels
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.sparsity import marker
from sparsedyn.plotting.style import Look, styled
from sparsedyn.studies.figures.by_size import lines_of, size_axis
from sparsedyn.studies.figures.rows import label_rows, row_panels


@dataclass(frozen=True)
class Quantity:
    """A column of the results to draw, and how: `shares` are from 0 to 1, other quantities on a logarithmic axis."""

    column: str
    title: str
    shares: bool = False


QUANTITIES = (
    Quantity("jaccard", "Members with each other:\nJaccard index", shares=True),
    Quantity("kappa", "The same beyond chance:\nCohen's kappa", shares=True),
    Quantity("true_jaccard", "Members with the plant:\nJaccard index", shares=True),
    Quantity("active", "Size:\nweights above 0.001"),
    Quantity("rfmse_spread", "Spread over members:\nstd. of mean RFMSE"),
)


@styled
def agreement_by_size(results: pd.DataFrame, *, horizon_name: str) -> Figure:
    """Draw every available quantity against the training trajectories, a line per technique and average.

    `results` holds one row per cell: technique, average, train_trajectories and the columns of `QUANTITIES`. Bands
    reach from the lowest to the highest value over thresholds (columns such as jaccard_at_0.03).
    """
    shown = known(results)
    figure, axes = panels(len(shown), balanced(len(shown), 3), 3.1, 2.7)
    figure.set_figwidth(figure.get_figwidth() + 1.7)
    headline(figure, _title(horizon_name))
    for line in lines_of(results):
        for ax, quantity in zip(axes, shown, strict=True):
            ax.plot(line.sizes, line.rows[quantity.column].to_numpy(np.float64), **line.style)
            if quantity.shares and not line.averaged:
                low, high = over_thresholds(line.rows, quantity.column)
                ax.fill_between(line.sizes, low, high, color=line.color, alpha=0.12, linewidth=0)
    for ax, quantity in zip(axes, shown, strict=True):
        size_axis(ax, results)
        ax.set_title(quantity.title)
        if quantity.shares:
            ax.set_ylim(min(0.0, ax.get_ylim()[0]), 1.03)
        else:
            ax.set_yscale("log")
            log_ticks(ax.yaxis)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


@styled
def agreement_by_cell(results: pd.DataFrame, looks: Mapping[str, Look], *, horizon_name: str) -> Figure:
    """Draw every available quantity as a dot per cell, for a study with one number of training trajectories.

    `results` holds one row per cell: cell and the columns of `QUANTITIES`. Lines reach from the lowest to the highest
    value over thresholds.
    """
    shown = known(results)
    figure, axes = row_panels(len(shown), len(looks), _title(horizon_name), columns=len(shown), width=1.85)
    rows = {key: i for i, key in enumerate(looks)}
    for ax, quantity in zip(axes, shown, strict=True):
        for _, row in results.iterrows():
            look = looks[str(row["cell"])]
            value, at = float(row[quantity.column]), rows[str(row["cell"])]
            low, high = over_thresholds(results.loc[[row.name]], quantity.column)
            ax.plot([low[0], high[0]], [at, at], color=look.color, linewidth=1.2, alpha=0.5)
            ax.add_line(marker(look, [value], [float(at)]))
        ax.set_title(quantity.title)
        if quantity.shares:
            ax.set_xlim(min(0.0, ax.get_xlim()[0]), 1.03)
        else:
            _log_axis(ax)
    label_rows(axes, looks, len(axes))
    return figure


def known(results: pd.DataFrame) -> list[Quantity]:
    """Return the quantities for which the results have values."""
    return [q for q in QUANTITIES if q.column in results and results[q.column].notna().any()]


def over_thresholds(results: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value of a column in every row, over the thresholds it was taken at."""
    values = results[[name for name in results if name == column or str(name).startswith(f"{column}_at_")]]
    return values.min(axis=1).to_numpy(np.float64), values.max(axis=1).to_numpy(np.float64)


def _title(horizon_name: str) -> str:
    return f"What members agree on, how large they are, and how far their errors spread within {horizon_name}"


def _log_axis(ax: Axes) -> None:
    """A logarithmic axis with a little room, if there is anything to show."""
    values = np.concatenate([np.atleast_1d(np.asarray(line.get_xdata(), np.float64)) for line in ax.lines])
    usable = values[np.isfinite(values) & (values > 0)]
    if usable.size:
        ax.set_xscale("log")
        ax.set_xlim(usable.min() / 1.4, usable.max() * 1.4)
        log_ticks(ax.xaxis)

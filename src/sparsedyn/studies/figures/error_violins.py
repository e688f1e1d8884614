"""Distribution of the RFMSE of the forecasts that did not diverge, a panel per horizon."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from sparsedyn.studies.figures.rows import label_rows, row_panels
from sparsedyn.studies.figures.style import INK, Look, log_limits, log_ticks, styled

# Below so many forecasts a density would be invented: they are drawn one by one.
FEWEST_FOR_DENSITY = 8


@styled
def error_violins(forecasts: dict[str, pd.DataFrame], looks: dict[str, Look], horizon_names: dict[int, str]) -> Figure:
    """Draw densities over a logarithmic axis; bar: quartiles, dot: mean; a row without survivors says so.

    `forecasts` holds per cell a table with the columns horizon, rfmse, diverged. After Haugstvedt et al. 2023,
    figures 7, 9, 11, 13 and 14; differs from the paper: logarithmic, so that all horizons share an axis.
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
                _draw(ax, row, known[cell, horizon], look)
        ax.set_title(name)
        log_ticks(ax.xaxis)
        ax.set_xlabel("RFMSE, standard deviations")
    label_rows(axes, looks)
    return figure


def surviving_errors(forecasts: pd.DataFrame, horizon: int) -> Float[np.ndarray, " forecast"]:
    """Return the RFMSE at `horizon` of the forecasts that had not diverged by then."""
    part = forecasts[forecasts["horizon"] == horizon]
    errors = part.loc[~part["diverged"].astype(bool), "rfmse"].to_numpy(np.float64)
    return errors[np.isfinite(errors)]


def _draw(ax: Axes, row: int, errors: Float[np.ndarray, " forecast"], look: Look) -> None:
    if not errors.size:
        ax.text(
            0.5,
            row,
            "all diverged",
            transform=ax.get_yaxis_transform(),
            ha="center",
            va="center",
            fontsize=7.5,
        )
        return
    exponent = np.log10(np.maximum(errors, 1e-6))
    if errors.size < FEWEST_FOR_DENSITY or np.ptp(exponent) < 1e-3:
        ax.plot(errors, np.full(errors.size, row), "o", markersize=3.5, color=look.color, alpha=0.7)
    else:
        at = np.linspace(exponent.min(), exponent.max(), 120)
        density = gaussian_kde(exponent)(at)
        half = 0.38 * density / density.max()
        ax.fill_between(10**at, row - half, row + half, facecolor=look.fill, edgecolor=look.color, linewidth=0.6)
    low, high = np.quantile(errors, [0.25, 0.75])
    ax.plot([low, high], [row, row], color=INK, linewidth=2, solid_capstyle="butt")
    ax.plot(
        errors.mean(),
        row,
        "o",
        markersize=4,
        markerfacecolor="white",
        markeredgecolor=INK,
        markeredgewidth=0.9,
    )

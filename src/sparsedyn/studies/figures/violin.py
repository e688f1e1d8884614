"""One violin of errors on a logarithmic axis, lying or upright."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from sparsedyn.plotting.style import INK, Look

# Below so many forecasts a density would be invented: they are drawn one by one.
FEWEST_FOR_DENSITY = 8
SMALLEST = 1e-6
# Our mean lies on top of a published one, whose corners show from below where both agree.
RING = 4


def surviving_errors(forecasts: pd.DataFrame, horizon: int) -> Float[np.ndarray, " forecast"]:
    """Return the RFMSE at `horizon` of the forecasts that had not diverged by then."""
    part = forecasts[forecasts["horizon"] == horizon]
    errors = part.loc[~part["diverged"].astype(bool), "rfmse"].to_numpy(np.float64)
    return errors[np.isfinite(errors)]


def draw_violin(
    ax: Axes,
    at: float,
    errors: Float[np.ndarray, " forecast"],
    look: Look,
    *,
    half: float = 0.38,
    upright: bool = False,
) -> None:
    """Draw the density of `errors` around the place `at`; bar: quartiles, ring: mean; without errors say so."""
    if not errors.size:
        _say_none(ax, at, upright=upright)
        return
    exponent = np.log10(np.maximum(errors, SMALLEST))
    if errors.size < FEWEST_FOR_DENSITY or np.ptp(exponent) < 1e-3:
        _plot(ax, errors, np.full(errors.size, at), upright, "o", markersize=3.5, color=look.color, alpha=0.7)
    else:
        along = np.linspace(exponent.min(), exponent.max(), 120)
        density = gaussian_kde(exponent)(along)
        width = half * density / density.max()
        fill = ax.fill_betweenx if upright else ax.fill_between
        fill(10**along, at - width, at + width, facecolor=look.fill, edgecolor=look.color, linewidth=0.6)
    ends = np.quantile(errors, [0.25, 0.75])
    _plot(ax, ends, np.full(2, at), upright, color=INK, linewidth=1.7 if upright else 2, solid_capstyle="butt")
    ring: dict[str, Any] = {
        "markerfacecolor": "white",
        "markeredgecolor": INK,
        "markeredgewidth": 0.9,
        "zorder": RING,
    }
    _plot(ax, errors.mean(keepdims=True), np.full(1, at), upright, "o", markersize=4, **ring)


def _plot(ax: Axes, errors: np.ndarray, places: np.ndarray, upright: bool, *args: Any, **kwargs: Any) -> None:
    x, y = (places, errors) if upright else (errors, places)
    ax.plot(x, y, *args, **kwargs)


def _say_none(ax: Axes, at: float, *, upright: bool) -> None:
    across: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}
    if upright:
        # At the foot, where a published error of such a cell is not to be expected.
        across["va"] = "bottom"
        ax.text(at, 0.03, "all diverged", transform=ax.get_xaxis_transform(), rotation=90, **across)
    else:
        ax.text(0.5, at, "all diverged", transform=ax.get_yaxis_transform(), **across)

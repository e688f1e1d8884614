"""Distributions of the errors of forecasts on a logarithmic axis, lying or upright."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from sparsedyn.forecast import Forecast
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.entries import Entries, labelled
from sparsedyn.plotting.groups import RING, Groups, Values, diamond, group_legend
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import INK, Look, looks_of, styled

Errors = Mapping[str, Mapping[int, Float[np.ndarray, " _forecast"]]]
"""Errors of the forecasts that did not diverge, by entry and horizon."""
# Below so many forecasts a density would be invented: they are drawn one by one.
FEWEST_FOR_DENSITY = 8
SMALLEST, LARGEST = 1e-6, 10.0
USUAL = (100, 1000)


@styled
def error_violins(
    forecasts: Entries[Forecast],
    horizons: Sequence[int] | None = None,
    *,
    looks: Mapping[str, Look] | None = None,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw how the errors of the forecasts that did not diverge are distributed, and return the axes.

    `forecasts` is what `model.forecast(data)` returns, or several of them by label. Horizons (rows; by default 100,
    1000 and the longest trajectory, as far as there are so many) stand side by side, in each a violin per entry: the
    density of the RFMSE over members and trajectories, on a logarithmic axis. Bar: quartiles, ring: mean. Fewer than
    eight forecasts are drawn one by one. Read it together with `divergence`: where many forecasts diverged, the easy
    ones remain. `looks`, `ax`: as for `error_over_time`.

    Raises `DataError` for a horizon that no trajectory has.
    """
    entries = labelled(forecasts)
    looks = looks_of(entries, looks)
    first = next(iter(entries.values()))
    longest = min(forecast.truth.shape[1] for forecast in entries.values())
    rows = sorted({h for h in (*USUAL, longest) if h <= longest} if horizons is None else set(horizons))
    clock = Clock(first.dt, first.truth.shape[1])
    errors = {label: {h: _finite(forecast.scores(h).rfmse) for h in rows} for label, forecast in entries.items()}
    groups = Groups({h: clock.horizon(h) for h in rows}, list(looks))
    panels = arrange_one(groups.width, 3.0, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    draw_errors(ax, groups, errors, looks)
    if panels.figure is not None and list(entries) != [""]:
        group_legend(panels.figure, list(looks.values()))
    return ax


def draw_errors(
    ax: Axes,
    groups: Groups,
    errors: Errors,
    looks: Mapping[str, Look],
    reference: Values | None = None,
    *,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw an upright violin per entry and horizon that `errors` knows, and diamonds at `reference` values.

    An entry without errors at a horizon says so. After Haugstvedt et al. 2023, figures 7, 9, 11, 13 and 14; differs
    from the paper: a logarithmic axis, on which the first horizons can be read too.
    """
    groups.prepare(ax)
    ax.set(yscale="log", ylim=violin_limits(errors, reference) if limits is None else limits)
    for label, horizon, at in groups.places():
        if horizon in errors.get(label, {}):
            draw_violin(ax, at, errors[label][horizon], looks[label], half=0.45 * groups.room, upright=True)
        if (label, horizon) in (reference or {}):
            ax.add_line(diamond([at], [(reference or {})[label, horizon]]))
    log_ticks(ax.yaxis)
    ax.set_ylabel("RFMSE, standard deviations")


def violin_limits(errors: Errors, reference: Values | None = None) -> tuple[float, float]:
    """Return the limits of an axis on which all errors and reference values can be seen."""
    every = [values for by_horizon in errors.values() for values in by_horizon.values()]
    return log_limits(np.concatenate([*every, list((reference or {}).values())]), SMALLEST, LARGEST)


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


def _finite(errors: Float[np.ndarray, "member trajectory"]) -> Float[np.ndarray, " forecast"]:
    return errors[np.isfinite(errors)]

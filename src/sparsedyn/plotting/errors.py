"""How the error of forecasts grows with time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.forecast import Forecast
from sparsedyn.forecast import error_over_time as mean_over_states
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.entries import Entries, labelled
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.series import evenly
from sparsedyn.plotting.style import Look, looks_of, styled, tint
from sparsedyn.plotting.text import entry

# Beyond so many standard deviations a forecast is simply wrong.
CEILING, FLOOR = 10.0, 1e-4
MOST_POINTS = 800
MARK = "#8A8A8A"


@dataclass(frozen=True)
class ErrorCurve:
    """Error against time over forecasts, in standard deviations of the states.

    `low`, `middle` and `high` are quantiles over forecasts; entries may be infinite where forecasts blew up.
    """

    time: Float[np.ndarray, " time"]
    low: Float[np.ndarray, " time"]
    middle: Float[np.ndarray, " time"]
    high: Float[np.ndarray, " time"]


@styled
def error_over_time(
    forecasts: Entries[Forecast],
    *,
    band: tuple[float, float] = (0.05, 0.95),
    horizons: Sequence[int] = (),
    looks: Mapping[str, Look] | None = None,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw how errors grow with time, the median over forecasts and a band of quantiles, and return the axes.

    `forecasts` is what `model.forecast(data)` returns, or several of them by label. The error at a time is the mean
    over states of |forecast - truth| in standard deviations of the training data; forecasts are those of all members
    and trajectories that are that long, and diverged ones count: they leave through the top. Dotted lines mark
    `horizons` (rows). At irregular times the axis counts rows. `looks` are how entries are drawn, by label; `ax` is
    drawn into instead of new axes.
    """
    entries = labelled(forecasts)
    looks = looks_of(entries, looks)
    longest = max(entries.values(), key=lambda forecast: forecast.dt * forecast.truth.shape[1])
    regular = all(forecast.data.regular for forecast in entries.values())
    clock = Clock(longest.dt if regular else None, longest.truth.shape[1])
    curves = {label: error_curve(forecast, clock, band) for label, forecast in entries.items()}
    panels = arrange_one(8.0, 2.75, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    for label, curve in curves.items():
        draw_curve(ax, curve, looks[label], label=entry(looks[label].label or "median"))
    for time in clock.times(np.asarray(horizons, np.int64) - 1):
        mark_time(ax, float(time))
    error_axis(ax, curves.values())
    ax.set(xlabel=clock.label, ylabel="error, standard deviations")
    handles = [*ax.get_legend_handles_labels()[0], _band_handle(band), *([_mark_handle()] if horizons else [])]
    panels.legend(handles, columns=min(6, len(handles)))
    return ax


def error_curve(forecast: Forecast, clock: Clock, band: tuple[float, float]) -> ErrorCurve:
    """Return the quantiles over all members and trajectories of the errors of a forecast, thinned out."""
    rows = evenly(forecast.truth.shape[1], MOST_POINTS)
    error = mean_over_states(forecast.error[:, :, rows]).reshape(-1, len(rows))
    # A value itself rather than a mixture of two: between a number and infinity there is nothing.
    low, middle, high = np.nanquantile(error, [band[0], 0.5, band[1]], axis=0, method="inverted_cdf")
    time = clock.times(rows) if clock.dt is None else clock.seconds(rows * forecast.dt)
    return ErrorCurve(time, low, middle, high)


def error_axis(ax: Axes, curves: Iterable[ErrorCurve]) -> None:
    """Give axes the limits and ticks that fit all of `curves`."""
    shown = list(curves)
    end = max(float(curve.time[-1]) for curve in shown)
    ax.set(yscale="log", ylim=error_limits(shown), xlim=(0.0, max(end, 1e-9)))
    log_ticks(ax.yaxis)


def error_limits(curves: list[ErrorCurve]) -> tuple[float, float]:
    """Return the limits of the error axis: without the very start, where errors come from nothing."""
    later = [1 + len(curve.time) // 50 for curve in curves]
    shown = [v[i:] for c, i in zip(curves, later, strict=True) for v in (c.low, c.middle, c.high)]
    return log_limits(np.concatenate(shown), FLOOR, CEILING)


def visible(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Bring an error into what a logarithmic axis can show: neither zero at the start nor infinite later."""
    return np.clip(np.nan_to_num(values, nan=np.inf, posinf=np.inf), FLOOR / 10, CEILING * 10)


def draw_curve(ax: Axes, curve: ErrorCurve, look: Look, *, label: str = "") -> None:
    """Draw a median and its band."""
    low, high = visible(curve.low), visible(curve.high)
    ax.fill_between(curve.time, low, high, color=tint(look.color, 0.5), alpha=0.35, linewidth=0)
    ax.plot(curve.time, visible(curve.middle), color=look.color, linewidth=1.3, linestyle=look.dashes, label=label)


def mark_time(ax: Axes, time: float) -> None:
    """Draw a dotted line across."""
    ax.axvline(time, color=MARK, linewidth=0.6, linestyle=":")


def _band_handle(band: tuple[float, float]) -> Patch:
    return Patch(color="#CFCFCF", label=f"{100 * band[0]:g} to {100 * band[1]:g} % of the forecasts")


def _mark_handle() -> Line2D:
    return Line2D([], [], color=MARK, linewidth=0.8, linestyle=":", label="horizons")

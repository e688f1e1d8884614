"""How the error of a forecast grows with time, a panel per technique, the others in grey behind it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import balanced, bottom, panels
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import CONTEXT, Look, styled, tint
from sparsedyn.plotting.text import plain

COLUMNS = 4
# Beyond so many standard deviations a forecast is simply wrong.
CEILING, FLOOR = 10.0, 1e-4


@dataclass(frozen=True)
class ErrorCurve:
    """Error against time over the forecasts of one cell, in standard deviations of the states.

    `low`, `middle` and `high` are quantiles over forecasts; entries may be infinite where forecasts blew up.
    """

    time: Float[np.ndarray, " time"]
    low: Float[np.ndarray, " time"]
    middle: Float[np.ndarray, " time"]
    high: Float[np.ndarray, " time"]


@styled
def error_over_time(
    curves: dict[str, ErrorCurve],
    looks: dict[str, Look],
    *,
    time_label: str,
    marks: tuple[float, ...],
    band: str,
) -> Figure:
    """Draw the median error and its band; `marks` are the times of the horizons, `band` names the band."""
    names = list(dict.fromkeys(looks[cell].name for cell in curves))
    columns = balanced(len(names), COLUMNS)
    figure, axes = panels(len(names), columns, {1: 8.0, 2: 5.0, 3: 3.8}.get(columns, 2.85), 2.2)
    figure.suptitle(f"Error of the forecasts over time (median, and {band})", x=0.01, ha="left")
    limits = error_limits(list(curves.values()))
    end = max(float(curve.time[-1]) for curve in curves.values())
    for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
        ax.set(yscale="log", ylim=limits, xlim=(0.0, max(end, 1e-9)))
        log_ticks(ax.yaxis)
        own = {cell: curve for cell, curve in curves.items() if looks[cell].name == name}
        for cell in [cell for cell in curves if cell not in own]:
            ax.plot(curves[cell].time, visible(curves[cell].middle), color=CONTEXT, linewidth=0.7)
        for cell, curve in own.items():
            _draw(ax, curve, looks[cell])
        for mark in marks:
            ax.axvline(mark, color="#8A8A8A", linewidth=0.6, linestyle=":")
        ax.set_title(plain(name))
        ax.locator_params(nbins=5, axis="x")
        ax.tick_params(labelleft=i % columns == 0)
        ax.set_ylabel("error, standard deviations" if i % columns == 0 else "")
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    handles = _handles([looks[cell] for cell in curves], len(marks))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def error_limits(curves: list[ErrorCurve]) -> tuple[float, float]:
    """Return the limits of the error axis: without the very start, where errors come from nothing."""
    later = [1 + len(curve.time) // 50 for curve in curves]
    shown = [v[i:] for c, i in zip(curves, later, strict=True) for v in (c.low, c.middle, c.high)]
    return log_limits(np.concatenate(shown), FLOOR, CEILING)


def visible(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Bring an error into what a logarithmic axis can show: neither zero at the start nor infinite later."""
    return np.clip(np.nan_to_num(values, nan=np.inf, posinf=np.inf), FLOOR / 10, CEILING * 10)


def _draw(ax: Axes, curve: ErrorCurve, look: Look) -> None:
    low, high = visible(curve.low), visible(curve.high)
    ax.fill_between(curve.time, low, high, color=tint(look.color, 0.5), alpha=0.35, linewidth=0)
    ax.plot(curve.time, visible(curve.middle), color=look.color, linewidth=1.3, linestyle=look.dashes)


def _handles(looks: list[Look], marks: int) -> list[Line2D]:
    ink = "#444444"
    handles = [Line2D([], [], color=ink, linewidth=1.3, label="this technique")]
    if any(look.averaged for look in looks):
        averaged = Line2D([], [], color=ink, linewidth=1.3, linestyle="--", label="with averaged weights")
        handles.append(averaged)
    if len({look.name for look in looks}) > 1:
        handles.append(Line2D([], [], color=CONTEXT, linewidth=1, label="the other techniques"))
    if marks:
        horizons = Line2D([], [], color="#8A8A8A", linewidth=0.6, linestyle=":", label="horizons of the table")
        handles.append(horizons)
    return handles

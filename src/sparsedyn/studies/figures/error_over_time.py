"""How the error of a forecast grows with time, a panel per technique, the others in grey behind it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.studies.figures.style import CONTEXT, Look, bottom, log_limits, panels, plain, styled, tint

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
    """Draw the median error and its band; `marks` are the times of the horizons, `band` says what the band holds."""
    techniques = list(dict.fromkeys(looks[cell].technique for cell in curves))
    columns = 3 if len(techniques) in (3, 5, 6) else COLUMNS
    figure, axes = panels(len(techniques), columns, 2.9 if len(techniques) > 2 else 4.4, 2.1)
    figure.suptitle(f"Error of the forecasts over time (median, and {band})", x=0.01, ha="left")
    shown = [values for curve in curves.values() for values in (curve.low, curve.middle, curve.high)]
    limits = log_limits(np.concatenate([v[1:] for v in shown]), FLOOR, CEILING)
    for i, (ax, technique) in enumerate(zip(axes, techniques, strict=True)):
        ax.set(yscale="log", ylim=limits)
        own = {cell: curve for cell, curve in curves.items() if looks[cell].technique == technique}
        for cell in curves.keys() - own.keys():
            ax.plot(curves[cell].time, visible(curves[cell].middle), color=CONTEXT, linewidth=0.7)
        for cell, curve in own.items():
            _draw(ax, curve, looks[cell])
        for mark in marks:
            ax.axvline(mark, color="#8A8A8A", linewidth=0.6, linestyle=":")
        ax.set_title(plain(technique))
        ax.locator_params(nbins=5, axis="x")
        if i % columns == 0:
            ax.set_ylabel("error, standard deviations")
        else:
            ax.tick_params(labelleft=False)
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    figure.legend(
        handles=_handles([looks[cell] for cell in curves], len(marks)), loc="outside lower center", ncols=4
    )
    return figure


def visible(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Bring an error into the range that a logarithmic axis shows: the exact start and blow-ups stay in sight."""
    return np.clip(np.nan_to_num(values, nan=np.inf, posinf=np.inf), FLOOR / 10, CEILING * 10)


def _draw(ax: Axes, curve: ErrorCurve, look: Look) -> None:
    ax.fill_between(
        curve.time,
        visible(curve.low),
        visible(curve.high),
        color=tint(look.color, 0.5),
        alpha=0.35,
        linewidth=0,
    )
    ax.plot(curve.time, visible(curve.middle), color=look.color, linewidth=1.3, linestyle=look.dashes)


def _handles(looks: list[Look], marks: int) -> list[Line2D]:
    handles = [Line2D([], [], color="#444444", linewidth=1.3, label="this technique")]
    if any(look.averaged for look in looks):
        handles.append(
            Line2D([], [], color="#444444", linewidth=1.3, linestyle="--", label="with averaged weights")
        )
    if len({look.technique for look in looks}) > 1:
        handles.append(Line2D([], [], color=CONTEXT, linewidth=1, label="the other techniques"))
    if marks:
        handles.append(
            Line2D([], [], color="#8A8A8A", linewidth=0.6, linestyle=":", label="horizons of the table")
        )
    return handles

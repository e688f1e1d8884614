"""How the error of forecasts grows with time, a panel per technique, the others in grey behind it."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.errors import MARK, ErrorCurve, draw_curve, error_axis, mark_time, visible
from sparsedyn.plotting.layout import balanced, bottom, panels
from sparsedyn.plotting.style import CONTEXT, Look, styled
from sparsedyn.plotting.text import plain

COLUMNS = 4


@styled
def error_over_time(
    curves: Mapping[str, ErrorCurve],
    looks: Mapping[str, Look],
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
    for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
        error_axis(ax, curves.values())
        own = {cell: curve for cell, curve in curves.items() if looks[cell].name == name}
        for cell in [cell for cell in curves if cell not in own]:
            ax.plot(curves[cell].time, visible(curves[cell].middle), color=CONTEXT, linewidth=0.7)
        for cell, curve in own.items():
            draw_curve(ax, curve, looks[cell])
        for mark in marks:
            mark_time(ax, mark)
        ax.set_title(plain(name))
        ax.locator_params(nbins=5, axis="x")
        ax.tick_params(labelleft=i % columns == 0)
        ax.set_ylabel("error, standard deviations" if i % columns == 0 else "")
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    handles = _handles([looks[cell] for cell in curves], len(marks))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _handles(looks: Sequence[Look], marks: int) -> list[Line2D]:
    ink = "#444444"
    handles = [Line2D([], [], color=ink, linewidth=1.3, label="this technique")]
    if any(look.averaged for look in looks):
        averaged = Line2D([], [], color=ink, linewidth=1.3, linestyle="--", label="with averaged weights")
        handles.append(averaged)
    if len({look.name for look in looks}) > 1:
        handles.append(Line2D([], [], color=CONTEXT, linewidth=1, label="the other techniques"))
    if marks:
        horizons = Line2D([], [], color=MARK, linewidth=0.6, linestyle=":", label="horizons of the table")
        handles.append(horizons)
    return handles

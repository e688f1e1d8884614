"""Two interactive charts: forecasts against truth, by configuration and test trajectory, and error over time."""

from functools import partial
from typing import Any

import numpy as np

from sparsedyn.plotting.errors import ErrorCurve, error_limits, visible
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.curves import error_curve
from sparsedyn.studies.comparison.fan_chart import MOST_MEMBERS, fan_chart, thin
from sparsedyn.studies.document import Chart
from sparsedyn.studies.document.charts import AXIS, LAYOUT, MENU, chart_text

FEW = 4
"""With fewer cells than this, bands are shown from the beginning."""


def explorer(contents: Contents) -> list[Chart]:
    """Return the charts for which the data are stored."""
    having = [label for label, cell in contents.cells.items() if {"truth", "fan_states"} <= cell.arrays.keys()]
    found = {label: error_curve(contents.clock, cell.arrays) for label, cell in contents.cells.items()}
    curves = {label: curve for label, curve in found.items() if curve is not None}
    charts = []
    if having:
        caption = (
            f"Forecasts against truth. Thick: the truth; thin: up to {MOST_MEMBERS} members, each until it leaves the "
            "plausible range. The menus choose configuration and test trajectory. Drag to zoom; double-click to reset."
        )
        charts.append(Chart("fans", caption, partial(fan_chart, contents, having)))
    if curves:
        caption = (
            "Error over time: median over forecasts. A click on a name hides it, a double-click hides all others; the "
            "buttons show and hide the bands between quantiles."
        )
        charts.append(Chart("errors", caption, partial(_errors, contents, curves)))
    return charts


def _errors(contents: Contents, curves: dict[str, ErrorCurve]) -> Any:
    from plotly.graph_objects import Figure, Scatter

    figure, edges = Figure(), []
    banded = len(curves) < FEW
    for label, curve in curves.items():
        look = contents.looks[label]
        chosen = thin(len(curve.time))
        time = curve.time[chosen].astype(np.float32)
        low, middle, high = (visible(v)[chosen].astype(np.float32) for v in (curve.low, curve.middle, curve.high))
        edge = {"x": time, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        edges += [len(figure.data), len(figure.data) + 1]
        figure.add_trace(Scatter(y=low, legendgroup=label, visible=banded, **edge))
        figure.add_trace(
            Scatter(y=high, legendgroup=label, visible=banded, fill="tonexty", fillcolor=f"{look.color}24", **edge)
        )
        line = {"color": look.color, "width": 2, "dash": "dash" if look.averaged else "solid"}
        hover = "%{y:.3~g}"
        name = chart_text(label)
        figure.add_trace(
            Scatter(x=time, y=middle, name=name, legendgroup=label, mode="lines", line=line, hovertemplate=hover)
        )
    low, high = np.log10(error_limits(list(curves.values())))
    buttons = [
        {"label": word, "method": "restyle", "args": [{"visible": shown}, edges]}
        for word, shown in (("bands", True), ("no bands", False))
    ]
    menu = {"buttons": buttons, "type": "buttons", "direction": "right", "x": 0, "active": 1 - banded, **MENU}
    error = {"title": {"text": "error, standard deviations"}, "type": "log", "range": [low, high], "dtick": "D2"}
    figure.update_layout(
        **LAYOUT,
        height=430 + 12 * len(curves),
        margin={"l": 65, "r": 12, "t": 70, "b": 44},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "tracegroupgap": 0},
        xaxis={**AXIS, "title": {"text": contents.clock.label}},
        yaxis={**AXIS, **error},
        updatemenus=[menu],
    )
    return figure

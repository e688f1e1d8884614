"""The interactive chart of forecasts against truth, by configuration and test trajectory."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from sparsedyn.plotting.fans import plausible_range
from sparsedyn.plotting.style import INK
from sparsedyn.plotting.text import unit_text
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.curves import trajectory_labels
from sparsedyn.studies.document.charts import AXIS, LAYOUT, MENU, chart_text

MOST_POINTS, MOST_MEMBERS, MOST_STATES, COLUMNS = 150, 10, 12, 4
ROOM = 0.6
"""Room above and below a truth for forecasts that stray, as a share of its range."""
TRUTH = -1
"""In place of the number of a cell: the truth, which all cells share."""


class Line(NamedTuple):
    """A line of the chart: its cell, trajectory and state; all members are joined into one line."""

    cell: int
    trajectory: int
    state: int
    time: Float[np.ndarray, " point"]
    values: Float[np.ndarray, " point"]


def fan_chart(contents: Contents, labels: Sequence[str]) -> Any:
    """Return a panel per state, in which menus choose one of the cells in `labels`, and a trajectory.

    Plotly's menus are independent of each other: one sets `visible`, the other `opacity` and the limits.
    """
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    first = contents.cells[labels[0]].arrays
    lines = list(fan_lines(contents, labels))
    states = 1 + max(line.state for line in lines)
    columns = min(COLUMNS, states)
    rows = -(-states // columns)
    units = [unit_text(unit) for unit in contents.state_units(first["truth"].shape[-1])]
    names = contents.state_names(first["truth"].shape[-1])
    titles = [chart_text(f"{n} ({u})" if u else n) for n, u in zip(names[:states], units, strict=False)]
    figure = make_subplots(rows, columns, subplot_titles=titles, vertical_spacing=0.24 / rows)
    for line in lines:
        is_truth = line.cell == TRUTH
        color = INK if is_truth else contents.looks[labels[line.cell]].color
        trace = Scatter(
            x=line.time,
            y=line.values,
            name="truth" if is_truth else "members",
            line={"color": color, "width": 2 if is_truth else 1},
            mode="lines",
            showlegend=False,
            visible=line.cell in (TRUTH, 0),
            hovertemplate=f"%{{y:.5~g}} {chart_text(units[line.state])}",
        )
        figure.add_trace(trace, row=line.state // columns + 1, col=line.state % columns + 1)
    figure.update_xaxes(**AXIS, matches="x")
    figure.update_yaxes(**AXIS, nticks=5, exponentformat="power", minexponent=6)
    for column in range(1, columns + 1):
        figure.update_xaxes(title_text=contents.clock.label, row=rows, col=column)
    for state, annotation in enumerate(figure.layout.annotations):
        corner = figure.layout[f"xaxis{state + 1 if state else ''}"].domain[0]
        annotation.update(x=corner, xanchor="left", font={"size": 12.5})
    trajectories = [chart_text(name) for name in trajectory_labels(contents, first)]
    figure.plotly_update(_only(lines, 0), _limits(lines, 0))
    menus = [
        _menu([chart_text(label) for label in labels], 0.0, lambda i: [_of_cell(lines, i), {}]),
        _menu(trajectories, 0.45, lambda i: [_only(lines, i), _limits(lines, i)]),
    ]
    figure.update_layout(**LAYOUT, height=150 + 215 * rows, margin={"l": 55, "r": 12, "t": 84, "b": 48})
    figure.update_layout(updatemenus=[menu for menu in menus if len(menu["buttons"]) > 1])
    return figure


def fan_lines(contents: Contents, labels: Sequence[str]) -> Iterator[Line]:
    """Yield the forecasts of the cells in `labels`, each until it leaves the plausible range, then the truth."""
    first = contents.cells[labels[0]].arrays
    truth = first["truth"].astype(np.float64)[..., :MOST_STATES]
    plausible = plausible_range(truth)
    for number, label in enumerate(labels):
        curves = contents.cells[label].arrays
        chosen = thin(curves["fan_states"].shape[2])
        time = contents.clock.times(curves["time_index"][chosen])
        fans = curves["fan_states"][:MOST_MEMBERS][:, :, chosen, :MOST_STATES].astype(np.float64)
        shown = until_left(fans, plausible)
        for trajectory, state in np.ndindex(shown.shape[1], shown.shape[3]):
            yield Line(number, trajectory, state, *joined(time, shown[:, trajectory, :, state]))
    chosen = thin(truth.shape[1])
    time = contents.clock.times(first["time_index"][chosen]).astype(np.float32)
    for trajectory, state in np.ndindex(truth.shape[0], truth.shape[2]):
        yield Line(TRUTH, trajectory, state, time, truth[trajectory, chosen, state].astype(np.float32))


def thin(points: int) -> Int[np.ndarray, " chosen"]:
    """Return the positions of at most 150 of `points`, evenly spread, first and last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, MOST_POINTS)).round().astype(np.int64))


def until_left(
    values: Float[np.ndarray, "*lead time state"], plausible: Float[np.ndarray, "2 state"]
) -> Float[np.ndarray, "*lead time state"]:
    """Return `values` with NaN from where a series first leaves the range between the two rows of `plausible`."""
    with np.errstate(invalid="ignore"):
        inside = np.logical_and.accumulate((values >= plausible[0]) & (values <= plausible[1]), axis=-2)
    return np.where(inside, values, np.nan)


def joined(
    time: Float[np.ndarray, " time"], values: Float[np.ndarray, "member time"]
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Return the series of several members as one, with gaps between them: one line of a chart instead of many."""
    gap = np.full((len(values), 1), np.nan)
    x = np.concatenate([np.broadcast_to(time, values.shape), gap], axis=1)
    return x.ravel().astype(np.float32), np.concatenate([values, gap], axis=1).ravel().astype(np.float32)


def _of_cell(lines: Sequence[Line], cell: int) -> dict[str, list[bool]]:
    return {"visible": [line.cell in (TRUTH, cell) for line in lines]}


def _only(lines: Sequence[Line], trajectory: int) -> dict[str, list[Any]]:
    shown = [line.trajectory == trajectory for line in lines]
    return {"opacity": [float(one) for one in shown], "hoverinfo": ["all" if one else "skip" for one in shown]}


def _limits(lines: Sequence[Line], trajectory: int) -> dict[str, list[float]]:
    """The limits of all panels for a trajectory, the same for all cells."""
    found = {}
    for line in lines:
        if (line.cell, line.trajectory) == (TRUTH, trajectory):
            low, high = float(np.nanmin(line.values)), float(np.nanmax(line.values))
            room = ROOM * max(high - low, 1e-6 * max(abs(high), abs(low), 1e-30))
            found[f"yaxis{line.state + 1 if line.state else ''}.range"] = [low - room, high + room]
    return found


def _menu(names: Sequence[str], x: float, changes: Any) -> dict[str, Any]:
    buttons = [{"label": name, "method": "update", "args": changes(i)} for i, name in enumerate(names)]
    return {"buttons": buttons, "x": x, **MENU}

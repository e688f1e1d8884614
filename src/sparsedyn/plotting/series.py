"""Trajectories over time, a panel per variable."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.data import Trajectories
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.layout import arrange, balanced
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import entry, plain, unit_text

COLUMNS = 4
MOST_PANELS = 24
MOST_POINTS = 600
MOST_NAMED = 8
"""Trajectories that are told apart; of more, the legend would be larger than the picture."""


@styled
def trajectories(
    data: Trajectories,
    variables: Sequence[str] | None = None,
    *,
    clock: Clock | None = None,
    title: str = "",
    axes: Sequence[Axes] | np.ndarray | None = None,
    figure: Figure | None = None,
) -> np.ndarray:
    """Draw states and inputs over time, and return the axes, one per variable.

    `variables` are names of states and inputs, by default all of them; of more than 24 the first 24 are shown. Every
    trajectory is a line of at most 600 points that keeps all peaks; inputs are steps, since they are held between
    rows. Time counts from each trajectory's first row, in the unit that fits, or as `clock` says. `axes`, `figure`: as
    for `fan`. After Haugstvedt et al. 2023, figures 2 and 3.

    Raises `ValueError` for variables that are not there.
    """
    known = (*data.state_names, *data.input_names)
    wanted = known if variables is None else tuple(variables)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise ValueError(f"variables: expected some of {', '.join(known)}; got {', '.join(unknown) or 'none'}.")
    names = wanted[:MOST_PANELS]
    columns = balanced(len(names), COLUMNS)
    wide = {1: 8.0, 2: 5.5, 3: 3.9}.get(columns, 3.05)
    title += f" (first {len(names)} of {len(wanted)})" if len(wanted) > len(names) else ""
    panels = arrange(len(names), columns, wide, 1.95 if len(names) > 3 else 2.4, axes=axes, figure=figure, title=title)
    clock = clock_of(data) if clock is None else clock
    for ax, name in zip(panels.axes, names, strict=True):
        _draw(ax, data, name, clock)
    for ax in panels.bottom:
        ax.set_xlabel(clock.label)
    if len(data) <= MOST_NAMED:
        handles = [
            Line2D([], [], color=_color(j), linewidth=1.4, label=entry(f"trajectory {label}", 30))
            for j, label in enumerate(data.labels)
        ]
        panels.legend(handles, columns=min(len(handles), max(1, round(panels.columns * wide / 1.6))))
    return panels.array


def evenly(count: int, most: int) -> Int[np.ndarray, " chosen"]:
    """Return at most `most` positions below `count`, evenly spread, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))


def thinned(series: Float[np.ndarray, " time"], most: int = MOST_POINTS) -> Int[np.ndarray, " chosen"]:
    """Return the positions of at most `most` points that keep every peak: the extremes of equal stretches."""
    rows = len(series)
    if rows <= most:
        return np.arange(rows)
    edges = np.linspace(0, rows, (most - 2) // 2 + 1).astype(np.int64)
    stretches = [(a, series[a:b]) for a, b in pairwise(edges)]
    peaks = [a + peak for a, part in stretches for peak in (int(part.argmin()), int(part.argmax()))]
    return np.unique(np.array([0, *peaks, rows - 1], np.int64))


def _draw(ax: Axes, data: Trajectories, name: str, clock: Clock) -> None:
    held = name not in data.state_names
    names, units, tables = (
        (data.input_names, data.input_units, data.inputs) if held else (data.state_names, data.state_units, data.states)
    )
    column = names.index(name)
    for j, table in enumerate(tables):
        rows = thinned(table[:, column])
        ax.plot(
            times_of(data, j, rows, clock),
            table[rows, column],
            color=_color(j),
            linewidth=0.8,
            drawstyle="steps-post" if held else "default",
            label=entry(f"trajectory {data.labels[j]}", 30),
        )
    end = max(float(times_of(data, j, np.array([rows - 1]), clock)[0]) for j, rows in enumerate(data.lengths))
    ax.set(title=plain(name, 30), ylabel=plain(unit_text(units[column])), xlim=(0.0, max(end, 1e-9)))
    # A power of ten above a panel would push it down beside its neighbours.
    ax.ticklabel_format(axis="y", scilimits=(-4, 6))
    ax.locator_params(nbins=4, axis="y")
    ax.locator_params(nbins=5, axis="x")


def clock_of(data: Trajectories) -> Clock:
    """Return a clock as long as the longest trajectory."""
    rows = max(data.lengths)
    longest = max(time[-1] - time[0] for time in data.time)
    return Clock(data.dt if data.regular else float(longest) / (rows - 1), rows)


def times_of(
    data: Trajectories, trajectory: int, rows: Int[np.ndarray, " time"], clock: Clock
) -> Float[np.ndarray, " time"]:
    """Return the times of rows of a trajectory since its first, in the unit of a clock."""
    time = data.time[trajectory]
    return clock.times(rows) if data.regular else clock.seconds(time[rows] - time[0])


def _color(number: int) -> str:
    return PALETTE[number % len(PALETTE)]

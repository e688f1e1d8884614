"""The columns of a table as they were recorded, a panel each."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.data import Overview
from sparsedyn.data.units import in_brackets
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.layout import arrange, balanced
from sparsedyn.plotting.series import COLUMNS, MOST_PANELS, thinned
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain, unit_text


@styled
def recorded(
    overview: Overview,
    *,
    title: str = "",
    axes: Sequence[Axes] | np.ndarray | None = None,
    figure: Figure | None = None,
) -> np.ndarray:
    """Draw the columns of numbers of a table over time, and return the axes, one per column.

    Lines break where rows or cells are missing; red marks on the axis show where cells are. Held inputs are steps.
    Without times, or where these cannot be read, rows are counted. `axes`, `figure`: as for `fan`.

    Raises `ValueError` for a table without columns of numbers.
    """
    clock_column = overview.time.column if overview.time else None
    shown = [c for c in overview.columns if c.kind == "numbers" and c.name not in (clock_column, overview.trajectory)]
    if not shown:
        raise ValueError("overview: expected columns of numbers; got none.")
    names = [c.name for c in shown][:MOST_PANELS]
    columns = balanced(len(names), COLUMNS)
    wide = {1: 8.0, 2: 5.5, 3: 3.9}.get(columns, 3.05)
    panels = arrange(len(names), columns, wide, 1.95 if len(names) > 3 else 2.4, axes=axes, figure=figure, title=title)
    times, label, step = _clock(overview)
    for ax, column in zip(panels.axes, shown, strict=False):
        values = overview.frame[column.name].to_numpy(dtype=np.float64, na_value=np.nan)
        at, height = _broken(times, values, step)
        chosen = _kept(height)
        style = "steps-post" if column.held else "default"
        ax.plot(at[chosen], height[chosen], color=PALETTE[0], linewidth=0.8, drawstyle=style)
        missing = times[np.isnan(values)]
        if len(missing):
            ax.plot(
                missing, np.zeros(len(missing)), "|", color=PALETTE[1], transform=ax.get_xaxis_transform(),
                markersize=8, clip_on=False,
            )  # fmt: skip
        ax.set(
            title=plain(column.name, 30),
            ylabel="" if column.unit == in_brackets(column.name) else plain(unit_text(column.unit)),
        )
        ax.ticklabel_format(axis="y", scilimits=(-4, 6))
        ax.locator_params(nbins=4, axis="y")
        ax.locator_params(nbins=5, axis="x")
    for ax in panels.bottom:
        ax.set_xlabel(label)
    return panels.array


def _clock(overview: Overview) -> tuple[np.ndarray, str, float]:
    """Return the times of rows in the unit that fits, the label of their axis, and the usual step."""
    if overview.seconds is None or overview.time is None or not overview.time.step or overview.trajectory:
        return np.arange(float(overview.rows)), "row", 1.0
    begin = float(np.nanmin(overview.seconds))
    span = float(np.nanmax(overview.seconds)) - begin
    clock = Clock(overview.time.step, round(span / overview.time.step) + 1)
    times = clock.seconds(overview.seconds - begin)
    return times, clock.label, float(np.median(np.diff(times)))


def _broken(times: np.ndarray, values: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a line with a break, NaN, wherever rows are missing."""
    gaps = np.flatnonzero((np.diff(times) > 1.5 * step) & (step > 0)) + 1
    return np.insert(times, gaps, times[gaps - 1] if len(gaps) else []), np.insert(values, gaps, np.nan)


def _kept(values: np.ndarray) -> np.ndarray:
    """Return the positions of at most some hundred points that keep peaks and breaks."""
    filled = np.where(np.isnan(values), 0.0, values)
    return np.unique(np.concatenate([thinned(filled), np.flatnonzero(np.isnan(values))]))

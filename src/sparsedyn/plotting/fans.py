"""Forecasts of one trajectory by every member, a panel per state, against the truth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.forecast import Forecast
from sparsedyn.plotting.layout import arrange, balanced
from sparsedyn.plotting.series import clock_of, evenly, times_of
from sparsedyn.plotting.style import CONTEXT, INK, PALETTE, styled, tint
from sparsedyn.plotting.text import plain, unit_text

COLUMNS = 4
MOST_PANELS = 24
MOST_LINES = 20
"""Members that are drawn as lines; more become bands."""
MOST_POINTS = 800
"""Points in time that are drawn: more cannot be told apart."""


def fan(
    forecast: Forecast,
    trajectory: int | str = 0,
    *,
    color: str = PALETTE[0],
    title: str | None = None,
    axes: Sequence[Axes] | np.ndarray | None = None,
    figure: Figure | None = None,
) -> np.ndarray:
    """Draw the forecasts of one trajectory by all members against the truth, and return the axes, one per state.

    `forecast` is what `model.forecast(data)` returns; `trajectory` is a position or a label. The truth is black,
    members are thin lines, or bands (5 to 95 % and 25 to 75 %) where there are more than twenty. A panel shows the
    range of the truth over all trajectories and half of it either side: a forecast ends where it leaves this range, and
    the panel says how many did. The band of a calibrated model is grey, and rows that are far from the training data
    are marked at the bottom. Of more than 24 states the first 24 are shown.

    `axes` are drawn into instead of new ones, one per state; `figure`, an empty one, is filled instead of a new one of
    pyplot. Raises `ValueError` for a trajectory that is not there, or another number of axes.
    """
    position = trajectory_position(forecast, trajectory)
    rows = evenly(forecast.data.lengths[position], MOST_POINTS)
    clock = clock_of(forecast.data)
    return draw_fan(
        times_of(forecast.data, position, rows, clock),
        forecast.predicted[:, position, rows],
        forecast.truth[position, rows],
        plausible_range(forecast.truth),
        state_names=forecast.state_names,
        state_units=forecast.state_units,
        time_label=clock.label,
        title=f"Forecast of trajectory {forecast.labels[position]}" if title is None else title,
        color=color,
        axes=axes,
        figure=figure,
        band=band_of(forecast, position, rows) if forecast.has_bands else None,
    )


class Band(NamedTuple):
    """The limits of a calibrated band, what it is called, and the rows that are near the training data."""

    lower: Float[np.ndarray, "time state"]
    upper: Float[np.ndarray, "time state"]
    trust: Bool[np.ndarray, " time"]
    label: str


def band_of(forecast: Forecast, position: int, rows: Int[np.ndarray, " row"]) -> Band:
    """Return the band of one trajectory at some rows."""
    bands = forecast.bands().isel(trajectory=position, time=rows)
    lower, upper, trust = (bands[name].to_numpy() for name in ("lower", "upper", "trust"))
    return Band(lower, upper, trust, f"{100 * bands.attrs['coverage']:g} % band")


@styled
def draw_fan(
    time: Float[np.ndarray, " time"],
    predicted: Float[np.ndarray, "member time state"],
    truth: Float[np.ndarray, "time state"],
    plausible: Float[np.ndarray, "2 state"],
    *,
    state_names: Sequence[str],
    state_units: Sequence[str],
    time_label: str,
    title: str,
    color: str = PALETTE[0],
    axes: Sequence[Axes] | np.ndarray | None = None,
    figure: Figure | None = None,
    band: Band | None = None,
) -> np.ndarray:
    """Draw what `fan` draws, from arrays; `plausible` holds the lowest and the highest value to show of each state.

    After Haugstvedt et al. 2023, figures 4 and 5.
    """
    states = min(truth.shape[1], MOST_PANELS)
    columns = balanced(states, COLUMNS)
    wide = {1: 8.0, 2: 5.5, 3: 3.7}.get(columns, 2.85)
    if truth.shape[1] > states:
        title += f" (first {states} of {truth.shape[1]} states)"
    panels = arrange(states, columns, wide, 2.05 if states > 3 else 2.6, axes=axes, figure=figure, title=title)
    for i, ax in enumerate(panels.axes):
        left = exits(predicted[:, :, i], plausible[:, i])
        held = hold(predicted[:, :, i], left, plausible[:, i])
        ax.plot(time, truth[:, i], color=INK, linewidth=1.4, label="truth", zorder=3)
        if band is not None:
            _draw_band(ax, time, band, i, plausible[:, i])
        _draw_members(ax, time, held, left, color)
        ax.set(title=plain(state_names[i], 30), ylabel=plain(unit_text(state_units[i])))
        ax.set_xlim(time[0], max(time[-1], time[0] + 1e-9))
        ax.set_ylim(_limits(held, truth[:, i], plausible[:, i], headroom=bool((left < len(time)).any())))
        ax.locator_params(nbins=4, axis="y")
        ax.locator_params(nbins=5, axis="x")
        _note(ax, int((left < len(time)).sum()), len(predicted))
    for ax in panels.bottom:
        ax.set_xlabel(time_label)
    panels.legend()
    return panels.array


def trajectory_position(forecast: Forecast, trajectory: int | str) -> int:
    """Return the position of a trajectory that is named by its position or label; raises `ValueError`."""
    count = len(forecast.labels)
    if isinstance(trajectory, str) and trajectory in forecast.labels:
        return forecast.labels.index(trajectory)
    if isinstance(trajectory, int | np.integer) and -count <= trajectory < count:
        return int(trajectory) % count
    raise ValueError(
        f"trajectory: expected a position below {count} or one of {', '.join(forecast.labels[:8])}"
        f"{', ...' if count > 8 else ''}; got {trajectory!r}."
    )


def plausible_range(truth: Float[np.ndarray, "trajectory time state"]) -> Float[np.ndarray, "2 state"]:
    """Return the least and the greatest value to show of each state: the truth's range and half of it either side."""
    low, high = np.nanmin(truth, axis=(0, 1)), np.nanmax(truth, axis=(0, 1))
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1e-6) * 0.1)
    return np.stack([low - span / 2, high + span / 2])


def off_scale(
    predicted: Float[np.ndarray, "*lead time state"], plausible: Float[np.ndarray, "2 state"]
) -> Bool[np.ndarray, "*lead state"]:
    """Tell which forecasts leave the plausible range of a state, or stop being numbers, at any time."""
    with np.errstate(invalid="ignore"):
        inside = (predicted >= plausible[0]) & (predicted <= plausible[1])
    outside: Bool[np.ndarray, "*lead state"] = ~inside.all(axis=-2)
    return outside


def exits(
    predicted: Float[np.ndarray, "member time"], plausible: Float[np.ndarray, " 2"]
) -> Int[np.ndarray, " member"]:
    """Return the position of the first value outside the plausible range; past the end for none."""
    with np.errstate(invalid="ignore"):
        outside = ~((predicted >= plausible[0]) & (predicted <= plausible[1]))
    return np.where(outside.any(axis=1), outside.argmax(axis=1), predicted.shape[1])


def hold(
    predicted: Float[np.ndarray, "member time"],
    left: Int[np.ndarray, " member"],
    plausible: Float[np.ndarray, " 2"],
) -> Float[np.ndarray, "member time"]:
    """Keep every forecast at the edge by which it left: where it wanders beyond, or back, means nothing."""
    held = predicted.copy()
    for member, first in enumerate(left):
        if first < predicted.shape[1]:
            value, before = predicted[member, first], predicted[member, max(first - 1, 0)]
            # Not a number has no side: the nearer edge then.
            upwards = (before if np.isnan(value) else value) > plausible.mean()
            held[member, first:] = plausible[1] if upwards else plausible[0]
    return held


def _limits(
    held: Float[np.ndarray, "member time"],
    truth: Float[np.ndarray, " time"],
    plausible: Float[np.ndarray, " 2"],
    *,
    headroom: bool,
) -> tuple[float, float]:
    low, high = float(min(held.min(), truth.min())), float(max(held.max(), truth.max()))
    # Never narrower than a tenth of the plausible range, or noise would fill the panel.
    margin = max(0.06 * (high - low), (0.1 * float(plausible[1] - plausible[0]) - (high - low)) / 2)
    # Room above the curves for a note.
    return low - margin, high + margin + (0.12 * (high - low) if headroom else 0.0)


def _draw_members(
    ax: Axes,
    time: Float[np.ndarray, " time"],
    held: Float[np.ndarray, "member time"],
    left: Int[np.ndarray, " member"],
    color: str,
) -> None:
    members = "1 member" if len(held) == 1 else f"{len(held)} members"
    if len(held) <= MOST_LINES:
        for line, first in zip(held, left, strict=True):
            ax.plot(time[: first + 1], line[: first + 1], color=color, linewidth=0.8, alpha=0.8, label=members)
            members = ""
        return
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    outer_low, inner_low, middle, inner_high, outer_high = np.quantile(held, levels, axis=0)
    outer = f"5 to 95 % of {members}"
    ax.fill_between(time, outer_low, outer_high, color=tint(color, 0.75), linewidth=0, label=outer)
    ax.fill_between(time, inner_low, inner_high, color=tint(color, 0.45), linewidth=0, label="25 to 75 %")
    ax.plot(time, middle, color=color, linewidth=1)


def _draw_band(
    ax: Axes, time: Float[np.ndarray, " time"], band: Band, state: int, plausible: Float[np.ndarray, " 2"]
) -> None:
    """Draw the calibrated band within the plausible range, and mark rows that are far from the training data."""
    lower, upper = (np.clip(limit[:, state], *plausible) for limit in (band.lower, band.upper))
    ax.fill_between(time, lower, upper, color=CONTEXT, alpha=0.6, linewidth=0, label=band.label, zorder=0.5)
    if not band.trust.all():
        inside = ax.get_xaxis_transform()
        ax.fill_between(
            time, 0, 0.03, where=~band.trust, transform=inside, color=PALETTE[1], linewidth=0, label="far from training"
        )


def _note(ax: Axes, beyond: int, members: int) -> None:
    if beyond:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
        text = f"{beyond} of {members} off scale"
        ax.text(0.985, 0.98, text, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, bbox=box)

"""Forecasts of one trajectory by every member, a panel per state, against the truth."""

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.plotting.layout import balanced, bottom, headline, panels
from sparsedyn.plotting.style import INK, styled, tint
from sparsedyn.plotting.text import plain, unit_text

COLUMNS = 4
MOST_PANELS = 24
MOST_LINES = 20


@styled
def forecast_fan(
    time: Float[np.ndarray, " time"],
    predicted: Float[np.ndarray, "member time state"],
    truth: Float[np.ndarray, "time state"],
    plausible: Float[np.ndarray, "2 state"],
    *,
    state_names: tuple[str, ...],
    state_units: tuple[str, ...],
    time_label: str,
    title: str,
    color: str,
) -> Figure:
    """Draw members as thin lines, or as bands when there are more than twenty, and the truth in black.

    `plausible` (lowest and highest of each state) bounds every panel: a forecast ends where it leaves, and the
    panel says how many did. After Haugstvedt et al. 2023, figures 4 and 5.
    """
    states = min(truth.shape[1], MOST_PANELS)
    columns = balanced(states, COLUMNS)
    wide = {1: 8.0, 2: 5.5, 3: 3.7}.get(columns, 2.85)
    figure, axes = panels(states, columns, wide, 2.05 if states > 3 else 2.6)
    if truth.shape[1] > states:
        title += f" (first {states} of {truth.shape[1]} states)"
    headline(figure, title)
    for i, ax in enumerate(axes):
        left = exits(predicted[:, :, i], plausible[:, i])
        held = hold(predicted[:, :, i], left, plausible[:, i])
        _draw_members(ax, time, held, left, color)
        ax.plot(time, truth[:, i], color=INK, linewidth=1.4)
        ax.set(title=plain(state_names[i], 30), ylabel=plain(unit_text(state_units[i])))
        ax.set_xlim(time[0], max(time[-1], time[0] + 1e-9))
        ax.set_ylim(_limits(held, truth[:, i], plausible[:, i], headroom=bool((left < len(time)).any())))
        ax.locator_params(nbins=4, axis="y")
        ax.locator_params(nbins=5, axis="x")
        _note(ax, int((left < len(time)).sum()), len(predicted))
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    figure.legend(handles=_handles(len(predicted), color), loc="outside lower center", ncols=3)
    return figure


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
    if len(held) <= MOST_LINES:
        for line, first in zip(held, left, strict=True):
            ax.plot(time[: first + 1], line[: first + 1], color=color, linewidth=0.8, alpha=0.8)
        return
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    outer_low, inner_low, middle, inner_high, outer_high = np.quantile(held, levels, axis=0)
    ax.fill_between(time, outer_low, outer_high, color=tint(color, 0.75), linewidth=0)
    ax.fill_between(time, inner_low, inner_high, color=tint(color, 0.45), linewidth=0)
    ax.plot(time, middle, color=color, linewidth=1)


def _handles(members: int, color: str) -> list[Line2D | Patch]:
    truth = Line2D([], [], color=INK, linewidth=1.4, label="truth")
    if members <= MOST_LINES:
        name = "1 member" if members == 1 else f"{members} members"
        return [truth, Line2D([], [], color=color, linewidth=1, label=name)]
    outer = Patch(color=tint(color, 0.75), label=f"5 to 95 % of {members} members")
    return [truth, outer, Patch(color=tint(color, 0.45), label="25 to 75 %")]


def _note(ax: Axes, beyond: int, members: int) -> None:
    if beyond:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
        text = f"{beyond} of {members} off scale"
        ax.text(0.985, 0.98, text, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, bbox=box)

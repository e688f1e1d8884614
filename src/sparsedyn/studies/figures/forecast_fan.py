"""Forecasts of one trajectory by every member, a panel per state, against the truth."""

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.studies.figures.style import INK, bottom, panels, plain, styled, tint

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

    `plausible` (lowest and highest of each state) bounds every panel: a forecast beyond it is cut, and the panel says
    how many are. After Haugstvedt et al. 2023, figures 4 and 5.
    """
    states = min(truth.shape[1], MOST_PANELS)
    columns = 2 if states == 4 else COLUMNS
    wide = {1: 8.0, 2: 5.5, 3: 3.7}.get(min(states, columns), 2.85)
    figure, axes = panels(states, columns, wide, 2.05 if states > 3 else 2.6)
    if truth.shape[1] > states:
        title += f" (first {states} of {truth.shape[1]} states)"
    figure.suptitle(plain(title, 110), x=0.01, ha="left")
    beyond = off_scale(predicted, plausible)
    for i, ax in enumerate(axes):
        drawn = np.where(np.isfinite(predicted[:, :, i]), predicted[:, :, i], np.nan)
        low, high = _limits(drawn, truth[:, i], plausible[:, i])
        # Far outside the panel all is one; huge numbers only upset the renderer.
        drawn = np.clip(drawn, low - 3 * (high - low), high + 3 * (high - low))
        _draw_members(ax, time, drawn, color)
        ax.plot(time, truth[:, i], color=INK, linewidth=1.4)
        ax.set(ylim=(low, high), xlim=(time[0], max(time[-1], time[0] + 1e-9)), ylabel=plain(state_units[i]))
        ax.set_title(plain(state_names[i], 30))
        ax.locator_params(nbins=4, axis="y")
        ax.locator_params(nbins=5, axis="x")
        _note(ax, int(beyond[:, i].sum()), len(predicted))
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    figure.legend(handles=_handles(len(predicted), color), loc="outside lower center", ncols=3)
    return figure


def plausible_range(truth: Float[np.ndarray, "trajectory time state"]) -> Float[np.ndarray, "2 state"]:
    """Return the lowest and highest value of each state that a picture shows: the truth's range and half of it to each side."""
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


def _limits(
    drawn: Float[np.ndarray, "member time"],
    truth: Float[np.ndarray, " time"],
    plausible: Float[np.ndarray, " 2"],
) -> tuple[float, float]:
    both = np.concatenate([np.clip(drawn, *plausible).ravel(), truth])
    both = both[np.isfinite(both)]
    if not both.size:
        return float(plausible[0]), float(plausible[1])
    low, high = float(both.min()), float(both.max())
    # Never narrower than a tenth of the plausible range, or noise would fill the panel.
    margin = max(0.06 * (high - low), (0.1 * float(plausible[1] - plausible[0]) - (high - low)) / 2)
    return low - margin, high + margin


def _draw_members(
    ax: Axes, time: Float[np.ndarray, " time"], drawn: Float[np.ndarray, "member time"], color: str
) -> None:
    if len(drawn) <= MOST_LINES:
        ax.plot(time, drawn.T, color=color, linewidth=0.8, alpha=0.75)
        return
    # A forecast that has blown up has left the panel: it counts as far below or above, not as missing.
    filled = np.where(np.isnan(drawn), np.nanmax(drawn), drawn)
    outer_low, inner_low, middle, inner_high, outer_high = np.quantile(
        filled, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0
    )
    ax.fill_between(time, outer_low, outer_high, color=tint(color, 0.75), linewidth=0)
    ax.fill_between(time, inner_low, inner_high, color=tint(color, 0.45), linewidth=0)
    ax.plot(time, middle, color=color, linewidth=1)


def _handles(members: int, color: str) -> list[Line2D | Patch]:
    truth = Line2D([], [], color=INK, linewidth=1.4, label="truth")
    if members <= MOST_LINES:
        return [
            truth,
            Line2D([], [], color=color, linewidth=1, label=f"{members} member{'s'[: members > 1]}"),
        ]
    outer = Patch(color=tint(color, 0.75), label=f"5 to 95 % of {members} members")
    return [truth, outer, Patch(color=tint(color, 0.45), label="25 to 75 %")]


def _note(ax: Axes, beyond: int, members: int) -> None:
    if beyond:
        ax.text(
            0.985,
            0.97,
            f"{beyond} of {members} off scale",
            transform=ax.transAxes,
            ha="right",
            va="top",
            fontsize=7.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )

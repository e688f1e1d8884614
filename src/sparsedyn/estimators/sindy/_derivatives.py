"""Derivatives for sparse identification: by a spline where states are smooth, by local polynomials where noisy."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import savgol_filter

from sparsedyn.data import DERIVATIVES, DataError, Trajectories, pieces
from sparsedyn.data.derivatives import NOISY, white_noise

Array: TypeAlias = Float[np.ndarray, "_time _state"]
Slopes: TypeAlias = Callable[[Array, float], tuple[slice, Array, Array]]
"""From states and a sample time to the rows that have a derivative, the (smoothed) states and the derivatives there."""

DIFFERENCES = 6
WINDOWS = (7, 9, 11, 15, 19, 25, 31, 41, 51, 61, 81)
DEGREE = 4


def noise(data: Trajectories) -> Float[np.ndarray, " state"]:
    """Return the standard deviation of white noise in every state, from differences of the sixth order."""
    return white_noise(data.states, DIFFERENCES)


def is_noisy(data: Trajectories) -> bool:
    """Whether the noise of any state is large enough to matter for its derivative."""
    return bool(np.any(noise(data) > NOISY * np.concatenate(data.states).std(axis=0)))


def slopes(method: str, data: Trajectories) -> Slopes:
    """Return how to differentiate states like those of `data`: one of `DERIVATIVES`, or `auto`."""
    if method == "auto":
        if is_noisy(data):
            return smoothing(data)
        method = "spline"
    function = DERIVATIVES[method]

    def plain(states: Array, dt: float) -> tuple[slice, Array, Array]:
        try:
            rows, found = function(states, dt)
        except DataError:  # a piece too short for the method: others may do
            return _no_rows(states)
        return rows, states[rows], found

    return plain


def smoothing(data: Trajectories) -> Slopes:
    """Return states and derivatives by Savitzky and Golay's polynomials, a window for each state chosen on `data`."""
    # When first asked for: the weak form of a first-order equation never asks.
    widths = cache(lambda: windows(data))

    def smooth(states: Array, dt: float) -> tuple[slice, Array, Array]:
        # States and, for order 2, the velocities after them are filtered alike.
        chosen = np.resize(widths(), states.shape[1])
        half = int(chosen.max()) // 2
        if len(states) <= 2 * half:
            return _no_rows(states)
        values, found = (
            np.stack(
                [_filtered(x, int(w), order, dt) for x, w in zip(states.T, chosen, strict=True)],
                axis=1,
            )
            for order in (0, 1)
        )
        rows = slice(half, len(states) - half)
        return rows, values[rows], found[rows]

    return smooth


def _filtered(values: np.ndarray, width: int, order: int = 0, dt: float = 1.0) -> np.ndarray:
    """Savitzky and Golay's filter along time; half a window at either end is not to be used."""
    # Polynomials fitted to the ends, which are cut off, would take most of the time.
    found: np.ndarray = savgol_filter(values, width, DEGREE, deriv=order, delta=dt, axis=0, mode="nearest")
    return found


def _no_rows(states: Array) -> tuple[slice, Array, Array]:
    return slice(0, 0), states[:0], states[:0]


def windows(data: Trajectories) -> Int[np.ndarray, " state"]:
    """Return for each state the window of least estimated error: residuals, and noise let through. Mallows 1973."""
    variance = np.square(noise(data))
    longest = int(np.median(data.lengths)) // 2
    usable = [width for width in WINDOWS if width <= longest] or [WINDOWS[0]]
    return np.asarray(usable)[np.argmin([_risk(data, width, variance) for width in usable], axis=0)]


def _risk(data: Trajectories, width: int, variance: Float[np.ndarray, " state"]) -> Float[np.ndarray, " state"]:
    half = width // 2
    unit = np.zeros(width)
    unit[half] = 1.0
    own = _filtered(unit, width)[half]
    long = [x for x in data.states if len(x) > width]
    if not long:
        return np.full(len(variance), np.inf)
    residuals = np.concatenate([(_filtered(x, width) - x)[half:-half] for x in long])
    return np.mean(np.square(residuals), axis=0) + 2 * variance * own


def full_states(data: Trajectories, order: int, velocity: list[Array] | None, differentiate: Slopes) -> Trajectories:
    """Return smooth pieces of the state: for order 2, positions and velocities, given or estimated."""
    if order == 1:
        return pieces(data)
    names = [*data.state_names, *velocity_names(data.state_names)]
    if velocity is not None:
        joined = [np.concatenate(both, axis=1) for both in zip(data.states, velocity, strict=True)]
        return pieces(_with_states(data, joined, list(data.inputs), names))
    states, inputs = [], []
    smooth = pieces(data)
    for x, u in zip(smooth.states, smooth.inputs, strict=True):
        rows, positions, velocities = differentiate(x, data.dt)
        if len(positions) > 1:
            states.append(np.concatenate([positions, velocities], axis=1))
            inputs.append(u[rows])
    return _with_states(data, states, inputs, names)


def velocity_names(names: tuple[str, ...]) -> list[str]:
    """Return the names of the velocities of positions."""
    return [f"{name}_dot" for name in names]


def full_names(states: tuple[str, ...], inputs: tuple[str, ...], order: int) -> list[str]:
    """Return the names of all variables of a library: states, for order 2 velocities after them, and inputs."""
    return [*states, *(velocity_names(states) if order == 2 else ()), *inputs]


def _with_states(data: Trajectories, states: list[Array], inputs: list[Array], names: list[str]) -> Trajectories:
    return Trajectories(states, inputs, dt=data.dt, state_names=names, input_names=data.input_names)

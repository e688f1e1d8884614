"""Equations integrated from row to row, under inputs that are held, run smoothly, or are functions of time."""

import warnings
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import DOP853, LSODA, OdeSolver

from sparsedyn.equations import Columns
from sparsedyn.estimators.sindy._paths import interpolant

TOLERANCE = 1e-9
FAR = 1e100
"""What no state of a plant reaches."""

EVALUATIONS = 20_000
EVALUATIONS_OF_ROW = {DOP853: 10_000, LSODA: 500}
"""Evaluations that a solver has for each row, beside those that it has at all."""
SOLVERS = {"DOP853": DOP853, "LSODA": LSODA}

Method = Literal["DOP853", "LSODA"]
Signal = Callable[[float], Float[np.ndarray, " input"]]


class Forcing(NamedTuple):
    """Inputs of one trajectory between rows: stretches (first row, last row, inputs at a time) without a jump."""

    stretches: list[tuple[int, int, Signal]]
    longest: float = np.inf
    """The longest step that cannot leave out what inputs do."""


def held(u: Float[np.ndarray, "time input"]) -> Forcing:
    """Return inputs that keep the value of a row until the next."""
    jumps = np.flatnonzero((np.diff(u, axis=0) != 0).any(axis=1)) + 1
    pairs = zip([0, *jumps], [*jumps, len(u) - 1], strict=True)
    return Forcing([(int(begin), int(end), _constant(u[begin])) for begin, end in pairs])


def interpolated(u: Float[np.ndarray, "time input"], times: Float[np.ndarray, " time"]) -> Forcing:
    """Return inputs that run smoothly through the values at rows."""
    if len(u) < 2:
        return held(u)
    return Forcing([(0, len(u) - 1, interpolant(times, u))], float(np.diff(times).max()))


def function(u: Signal, times: Float[np.ndarray, " time"]) -> Forcing:
    """Return inputs that are a function of time."""
    return Forcing([(0, len(times) - 1, u)], float(np.diff(times, prepend=times[:1]).max()) or np.inf)


def integrated(
    field: Columns,
    start: Float[np.ndarray, "trajectory state"],
    times: Float[np.ndarray, " time"],
    inputs: Sequence[Forcing],
    method: Method = "DOP853",
) -> Float[np.ndarray, "trajectory time state"]:
    """Return the states at increasing times; rows that are not reached are NaN.

    `field` gives derivatives for columns of states, then inputs; `method` is SciPy's, `LSODA` for stiff equations.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LSODA tells of what is NaN here
        return np.stack([_trajectory(field, *pair, times, method) for pair in zip(start, inputs, strict=True)])


def _trajectory(
    field: Columns, x0: Float[np.ndarray, " state"], inputs: Forcing, times: Float[np.ndarray, " time"], method: Method
) -> Float[np.ndarray, "time state"]:
    """Return the states of one trajectory: between jumps of its input in one go, never across one."""
    states = np.full((len(times), len(x0)), np.nan)
    states[0] = x0
    for begin, end, signal in inputs.stretches:
        if begin == end:
            continue
        solver = SOLVERS[method](
            _slope(field, signal),
            times[begin],
            states[begin],
            times[end],
            max_step=inputs.longest,
            rtol=TOLERANCE,
            atol=TOLERANCE * max(1e-6, float(np.abs(states[begin]).max())),
        )
        reached = _reached(solver, times[begin + 1 : end + 1])
        states[begin + 1 : begin + 1 + len(reached)] = reached
        if not np.isfinite(states[end]).all():
            break
    return states


def _reached(solver: OdeSolver, times: Float[np.ndarray, " time"]) -> Float[np.ndarray, "reached state"]:
    """Return the states at those of these times that come before the solver fails or its states run away.

    Before a pole, an overflow or a jump of slopes solvers go on with ever smaller steps, LSODA without ever failing.
    """
    found = [np.empty((0, len(solver.y)))]
    most = EVALUATIONS + EVALUATIONS_OF_ROW[type(solver)] * len(times)
    while solver.status == "running" and solver.nfev < most:
        if solver.step() is not None or not np.abs(solver.y).max() < FAR:
            break
        first, last = np.searchsorted(times, (solver.t_old, solver.t), side="right")
        if last > first:
            found.append(np.reshape(solver.dense_output()(times[first:last]), (len(solver.y), -1)).T)
    return np.concatenate(found)


def _slope(field: Columns, signal: Signal) -> Callable[[float, np.ndarray], np.ndarray]:
    def slope(time: float, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = field(np.concatenate([x, signal(time)])[None])[0]
        return found

    return slope


def _constant(value: Float[np.ndarray, " input"]) -> Signal:
    return lambda _: value

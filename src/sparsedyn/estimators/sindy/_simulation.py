"""Equations integrated from row to row, the input of a row held until the next."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import sympy
from jaxtyping import Float
from scipy.integrate import solve_ivp

from sparsedyn.equations import Columns, compiled

TOLERANCE = 1e-9


def integrated(
    equations: Sequence[sympy.Expr],
    names: Sequence[str],
    start: Float[np.ndarray, "trajectory state"],
    times: Float[np.ndarray, " time"],
    inputs: Float[np.ndarray, "trajectory time input"],
) -> Float[np.ndarray, "trajectory time state"]:
    """Return the states at increasing times; rows that cannot be reached are NaN. `names` are states, then inputs."""
    field = compiled(equations, names)
    with np.errstate(all="ignore"):
        return np.stack([_trajectory(field, *pair, times) for pair in zip(start, inputs, strict=True)])


def _trajectory(
    field: Columns,
    x0: Float[np.ndarray, " state"],
    u: Float[np.ndarray, "time input"],
    times: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "time state"]:
    """Return the states of one trajectory: between jumps of its input in one go, never across one."""
    states = np.full((len(times), len(x0)), np.nan)
    states[0] = x0
    jumps = np.flatnonzero((np.diff(u, axis=0) != 0).any(axis=1)) + 1
    for begin, end in zip([0, *jumps], [*jumps, len(times) - 1], strict=True):
        if begin == end:
            continue
        part = solve_ivp(
            partial(_slope, field, u[begin]),
            (times[begin], times[end]),
            states[begin],
            method="DOP853",
            t_eval=times[begin + 1 : end + 1],
            rtol=TOLERANCE,
            atol=TOLERANCE * max(1e-6, float(np.abs(states[begin]).max())),
        )
        reached = np.reshape(part.y, (len(x0), -1)).T
        states[begin + 1 : begin + 1 + len(reached)] = reached
        if not part.success or not np.isfinite(states[end]).all():
            break
    return states


def _slope(field: Columns, held: np.ndarray, _: float, x: np.ndarray) -> np.ndarray:
    slope: np.ndarray = field(np.concatenate([x, held])[None])[0]
    return slope

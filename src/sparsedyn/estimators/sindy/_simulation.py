"""Equations integrated from row to row, the input of a row held until the next."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from scipy.integrate import solve_ivp

from sparsedyn.data import DataError
from sparsedyn.equations import Columns, compiled
from sparsedyn.estimators.sindy._data import columns

TOLERANCE = 1e-9


def integrated(
    equations: Sequence[sympy.Expr], states: Sequence[str], inputs: Sequence[str], x0: Any, t: Any, u: Any
) -> Float[np.ndarray, "*trajectory time state"]:
    """Return the states at times `t` from one initial state or several; rows that cannot be reached are NaN.

    **Raises:** `DataError` for anything that does not fit.
    """
    start = columns("x0", x0 if np.ndim(x0) else np.atleast_1d(x0), states)
    if start.ndim > 2 or (len(states) == 1 and np.ndim(x0) == 1 and len(start) > 1):
        raise DataError(f"x0: expected (state,) or (trajectory, state), states {list(states)}; got {np.shape(x0)}.")
    time = columns("t", np.asarray(t)[..., None] if np.ndim(t) else t, ["t"])[..., 0]
    if time.ndim != 1 or len(time) < 1 or np.any(np.diff(time) <= 0):
        raise DataError(f"t: expected increasing times (time,); got {_described(time)}.")
    several = np.atleast_2d(start)
    forcing = _forcing(u, inputs, len(several), len(time))
    field = compiled(equations, [*states, *inputs])
    with np.errstate(all="ignore"):
        found = np.stack([_trajectory(field, *pair, time) for pair in zip(several, forcing, strict=True)])
    return found if np.ndim(x0) == 2 else found[0]


def _slope(field: Columns, held: np.ndarray, _: float, x: np.ndarray) -> np.ndarray:
    slope: np.ndarray = field(np.concatenate([x, held])[None])[0]
    return slope


def _trajectory(
    field: Columns,
    x0: Float[np.ndarray, " state"],
    u: Float[np.ndarray, "time input"],
    time: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "time state"]:
    """Return the states of one trajectory: between jumps of its input in one go, never across one."""
    states = np.full((len(time), len(x0)), np.nan)
    states[0] = x0
    jumps = np.flatnonzero((np.diff(u, axis=0) != 0).any(axis=1)) + 1
    for begin, end in zip([0, *jumps], [*jumps, len(time) - 1], strict=True):
        if begin == end:
            continue
        part = solve_ivp(
            partial(_slope, field, u[begin]),
            (time[begin], time[end]),
            states[begin],
            method="DOP853",
            t_eval=time[begin + 1 : end + 1],
            rtol=TOLERANCE,
            atol=TOLERANCE * max(1e-6, float(np.abs(states[begin]).max())),
        )
        reached = np.reshape(part.y, (len(x0), -1)).T
        states[begin + 1 : begin + 1 + len(reached)] = reached
        if not part.success or not np.isfinite(states[end]).all():
            break
    return states


def _forcing(u: Any, inputs: Sequence[str], count: int, rows: int) -> Float[np.ndarray, "trajectory time input"]:
    if u is None and inputs:
        raise DataError(f"u: expected inputs (time, {len(inputs)}), {list(inputs)}; got none.")
    forcing = columns("u", np.zeros((rows, 0)) if u is None else u, inputs)
    forcing = np.broadcast_to(forcing, (count, *forcing.shape)) if forcing.ndim == 2 else forcing
    if forcing.shape[:2] != (count, rows):
        raise DataError(f"u: expected {rows} rows, one per time, for each of {count}; got {forcing.shape[:2]}.")
    return forcing


def _described(time: np.ndarray) -> str:
    return f"the shape {time.shape}" if time.ndim != 1 or not len(time) else "times that do not increase"

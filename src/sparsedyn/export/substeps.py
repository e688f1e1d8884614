"""How many Runge-Kutta steps a row needs, of equations that are integrated by adaptive steps otherwise."""

from collections.abc import Sequence

import numpy as np
import sympy

from sparsedyn._steps import rk4_step
from sparsedyn.equations import Columns, compiled
from sparsedyn.export.program import Variable

TOLERANCE = 1e-9
"""Of one step, in standard deviations of the states."""
MOST = 256
POINTS = 64
UNKNOWN = 8
"""Steps a row where nothing is known of the training data."""


def substeps_of(exprs: Sequence[sympy.Expr], states: Sequence[Variable], inputs: Sequence[Variable], dt: float) -> int:
    """Return the least power of two of steps that are right to `TOLERANCE` at points like those of training.

    Errors are estimated by those of twice as many steps (Richardson).
    """
    columns = (*states, *inputs)
    if any(one.mean is None or one.std is None for one in columns):
        return UNKNOWN
    mean, std = (np.asarray([getattr(one, what) for one in columns], np.float64) for what in ("mean", "std"))
    points = mean + std * np.random.default_rng(0).uniform(-2, 2, (POINTS, len(columns)))
    field = compiled(list(exprs), [one.name for one in columns])
    x, u = points[:, : len(states)], points[:, len(states) :]
    steps, coarse = 1, _after(field, x, u, dt, 1)
    while steps < MOST:
        fine = _after(field, x, u, dt, 2 * steps)
        finite = np.isfinite(fine).all(axis=1)
        error = np.abs(fine - coarse)[finite] / std[: len(states)]
        if error.size and np.nanmax(error) <= TOLERANCE:
            return steps
        steps, coarse = 2 * steps, fine
    return MOST


def _after(field: Columns, x: np.ndarray, u: np.ndarray, dt: float, steps: int) -> np.ndarray:
    def slope(_: float, z: np.ndarray) -> np.ndarray:
        found: np.ndarray = field(np.concatenate([z, u], axis=1))
        return found

    with np.errstate(all="ignore"):
        for _ in range(steps):
            x = rk4_step(slope, x, dt / steps)
    return x

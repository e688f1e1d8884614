"""Whether models stay with the trajectories they were fitted to, begun at their first rows."""

from collections.abc import Sequence

import numpy as np
import sympy

from sparsedyn.equations import compiled
from sparsedyn.estimators.shooting_search._paths import Paths
from sparsedyn.estimators.shooting_search._problem import BEYOND

PRICE = 20.0
"""What the criterion of a model is raised by that runs away from measured first rows: short segments cannot tell."""
TRAJECTORIES, ROWS, SUBSTEPS = 5, 300, 4
"""Trajectories that are tried, their rows, and steps of integration in a row."""


def straying(exprs: Sequence[sympy.Expr], paths: Paths, names: Sequence[str]) -> float:
    """Return what a model pays for running away, by the classical Runge-Kutta method under held inputs."""
    right = compiled(exprs, names)
    largest = np.max([np.abs(x).max(axis=0) for x in paths.data.states], axis=0)

    def runs_away(start: np.ndarray, inputs: np.ndarray, times: np.ndarray) -> bool:
        x = start[None]
        for u, step in zip(inputs[:-1, None], np.diff(times) / SUBSTEPS, strict=True):
            for _ in range(SUBSTEPS):
                k1 = right(np.concatenate([x, u], axis=1))
                k2 = right(np.concatenate([x + step / 2 * k1, u], axis=1))
                k3 = right(np.concatenate([x + step / 2 * k2, u], axis=1))
                k4 = right(np.concatenate([x + step * k3, u], axis=1))
                x = x + step / 6 * (k1 + 2 * (k2 + k3) + k4)
            if not np.all(np.abs(x) <= BEYOND * largest):
                return True
        return False

    with np.errstate(all="ignore"):
        parts = list(zip(paths.smooth, paths.data.inputs, paths.data.time, strict=True))[:TRAJECTORIES]
        return PRICE * any(runs_away(x[0], u[:ROWS], t[:ROWS]) for x, u, t in parts)

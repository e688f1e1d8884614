"""One way of fitting free runs: all members at once, by Levenberg-Marquardt, each from where it stands."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._blas import one_blas_thread
from sparsedyn.estimators.state_space._windows import Folds
from sparsedyn.models import StateSpace
from sparsedyn.training.free_run import FreeRuns
from sparsedyn.training.refine import levenberg_marquardt

PRIOR = 3.0
"""Standard deviation that weights are expected to have in uncorrelated coordinates, and initial states."""
ENOUGH = 1e-3
"""Share of its cost that a step has to gain, or the fit ends."""

Flat = Float[np.ndarray, "member value"]
Kept = Bool[np.ndarray, "member value"]


class Fit(NamedTuple):
    """Members after a fit: values (weights, then initial states), which are free, and the squared errors."""

    values: Flat
    kept: Kept
    cost: Float[np.ndarray, " member"]


def runs_of(model: StateSpace, folds: Folds, error: float) -> FreeRuns:
    """Return the problem, with a ridge that the mean squared `error` calls for."""
    ridge = max(error, 1e-12) / (max(folds.fitted[0].sum(), 1.0) * PRIOR**2)
    return FreeRuns(model, folds.windows, folds.fitted, folds.judged, ridge=ridge, ridge_states=ridge)


def fitted(problem: FreeRuns, values: Flat, kept: Kept, iterations: int, *, enough: float = ENOUGH) -> Fit:
    """Take up to so many steps from these values."""
    values = np.where(kept, values, 0.0)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        start = problem.quadratic(values, kept)
        found, end = levenberg_marquardt(problem, values, kept, start, iterations, enough=enough)
    return Fit(found, kept, np.where(np.isfinite(end.cost), end.cost, np.inf))


def repeated(row: np.ndarray, members: int) -> np.ndarray:
    """Return the row once per member."""
    return np.repeat(row[None], members, axis=0)


def filled(rows: list[np.ndarray], members: int) -> np.ndarray:
    """Return the rows stacked, the first one repeated where there are fewer than members."""
    return np.stack([*rows, *[rows[0]] * (members - len(rows))])

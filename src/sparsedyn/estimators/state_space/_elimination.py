"""From many weights to few: what matters least goes, and copies that leave blocks out say when too much has gone."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.estimators.state_space._coordinates import bounded
from sparsedyn.estimators.state_space._fitting import Fit, filled, fitted, repeated, runs_of
from sparsedyn.estimators.state_space._windows import Folds
from sparsedyn.models import StateSpace
from sparsedyn.training.free_run import FreeRuns

TRIALS, REFITS, SETTLED = 6, 10, 12
"""Steps after a removal for trial, after one that is made, and before the first one."""
FAR, PATIENCE = 1.5, 3
"""The path ends after so many points whose held-out error is this many times the least."""
IDLE = 1e-10
"""Share of the largest curvature below which nothing depends on a weight."""


class Point(NamedTuple):
    """A model on the path: its values (weights, then initial states), which weights it has, and its errors.

    `held_out` are mean squared errors, one per copy, of the rows that it left out.
    """

    model: StateSpace
    values: Float[np.ndarray, " value"]
    kept: Bool[np.ndarray, " value"]
    error: float
    held_out: Float[np.ndarray, " fold"]
    counts: Float[np.ndarray, " fold"]

    @property
    def weights(self) -> int:
        """How many weights there are."""
        return int(self.kept[: self.model.ravel().size].sum())

    @property
    def judged(self) -> float:
        """The root mean squared error of all rows that were left out."""
        return float(np.sqrt(np.sum(self.held_out * self.counts) / np.sum(self.counts)))


def eliminated(
    model: StateSpace,
    starts: Float[np.ndarray, "window state"],
    error: float,
    folds: Folds,
    *,
    settled: int = SETTLED,
    on_point: Callable[[Point], None] | None = None,
) -> list[Point]:
    """Return the path of models from all nonzero weights of `model` to few.

    Of the weights whose removal should cost least by the quadratic model, each is removed for trial and the others
    fitted again; the one that costs least goes. The copies go the same way. Saliencies alone would mislead: what seems
    to matter little in some coordinates matters much in others.
    """
    everything = runs_of(model, folds.everything, error)
    copies = runs_of(model, folds, error)
    members = len(folds.fitted)
    row = np.concatenate([model.ravel(), starts.ravel()])
    weights = everything.weights
    kept = (row != 0) | (np.arange(row.size) >= weights)
    state = fitted(copies, repeated(row, members), repeated(kept, members), settled)
    path = [_point(model, copies, state)]
    while path[-1].weights > 1:
        if on_point:
            on_point(path[-1])
        candidates, inverse = _least(everything, state.values[0], state.kept[0], members)
        if not candidates:
            break
        where, stood = repeated(state.values[0], members), filled(candidates, members)
        tried = fitted(everything, _begun(everything, where, stood, repeated(inverse, members)), stood, TRIALS)
        best = int(np.argmin(tried.cost))
        if not np.isfinite(tried.cost[best]):
            break
        own = _inverses(copies.quadratic(state.values, state.kept).hessian, state.kept)
        stood = repeated(tried.kept[best], members)
        begun = _begun(copies, state.values, stood, own)
        begun[0] = tried.values[best]
        state = fitted(copies, begun, stood, REFITS)
        # Arguments have moved, and with them the range that forecasts may use.
        model = rebounded(model, copies, state.values[0])
        everything.model = copies.model = model
        path.append(_point(model, copies, state))
        least = min(point.judged for point in path)
        if all(point.judged > FAR * least for point in path[-PATIENCE:]):
            break
    return path


def rebounded(model: StateSpace, problem: FreeRuns, values: np.ndarray) -> StateSpace:
    """Return the model with these weights and bounds that suit them."""
    weights, starts = problem.split(values[None])
    return bounded(model.unravel(weights[0]), starts[0], problem.windows, problem.fitted[0])


def _least(problem: FreeRuns, values: np.ndarray, kept: np.ndarray, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return what is kept without each of the weights of least saliency, and the inverse Hessian."""
    members = len(problem.fitted)
    found = problem.quadratic(repeated(values, members), repeated(kept, members))
    hessian = found.hessian[0]
    curvature = np.diagonal(hessian) - problem.ridge
    weight = np.arange(values.size) < problem.weights
    idle = kept & weight & (curvature <= IDLE * curvature[kept].max())
    if idle.any():
        return [kept & ~idle], np.eye(values.size)
    (inverse,) = _inverses(hessian[None], kept[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        saliency = np.where(kept & weight, np.square(values) / np.diagonal(inverse), np.inf)
    order = [i for i in np.argsort(saliency)[:count] if np.isfinite(saliency[i])]
    return [kept & (np.arange(values.size) != i) for i in order], inverse


def _inverses(hessian: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the inverse Hessians of members, with ones on the diagonal for what is not kept."""
    pairs = kept[:, :, None] & kept[:, None, :]
    whole = np.where(pairs, hessian, np.eye(kept.shape[1]))
    found: np.ndarray = np.linalg.pinv(np.nan_to_num(whole, posinf=0.0, neginf=0.0), rcond=1e-13, hermitian=True)
    return found


def _begun(problem: FreeRuns, values: np.ndarray, left: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Return the values of members that lose a weight: the others stay, or make up for it as the quadratic model says.

    Whichever is better, since that model does not reach far along directions in which nothing changes.
    """
    stay = np.where(left, values, 0.0)
    moved = stay.copy()
    for member, gone in enumerate((values != 0) & ~left):
        if gone.sum() == 1:
            (i,) = np.flatnonzero(gone)
            share = values[member, i] / max(inverse[member, i, i], 1e-300)
            moved[member] = np.where(left[member], values[member] - share * inverse[member, :, i], 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        costs = [np.nan_to_num(problem.quadratic(part, left).cost, nan=np.inf) for part in (moved, stay)]
    return np.where((costs[0] < costs[1])[:, None], moved, stay)


def _point(model: StateSpace, copies: FreeRuns, state: Fit) -> Point:
    errors, held_out = copies.errors(state.values)
    counts = copies.judged_count[1:]
    judged = np.where(np.isfinite(held_out[1:]), held_out[1:], np.inf) / np.maximum(counts, 1.0)
    return Point(model, state.values[0], state.kept[0], float(errors[0]), judged, counts)

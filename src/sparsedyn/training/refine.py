"""Second-order refinement of the remaining weights: fit them to full precision, and remove those that can go.

For any model with up to a few thousand active weights, in float64: Levenberg-Marquardt, then backward elimination by
optimal-brain-surgeon saliency with refits, which gives a path from many weights to one.

The loops run on the host, and so do the small linear systems: LAPACK calls inside a computation that is spread over CPU
devices wait for each other's threads. The expensive part, residuals and their derivatives, is one compiled function.
"""

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn._blas import one_blas_thread
from sparsedyn.data import Samples
from sparsedyn.models import AbstractModel
from sparsedyn.training.parsimony import FLOOR, bic
from sparsedyn.training.residuals import Kept, Problem, Quadratic, Values

SHORTEST = 1e4
"""Damping beyond which steps are too short to lower the cost."""
RIDGE = 1e-8
"""Damping of the Hessian of which saliencies are taken, as a share of its diagonal."""

Model = TypeVar("Model", bound=AbstractModel)


class Path(NamedTuple):
    """The models on the way from many weights to one, member by member; point 0 has the most.

    `entries` says which entries of a member's flattened matrices its `values` belong to, `kept` which of them a point
    has. `train` and `held_out` are mean squared errors as shares of the variance of the training targets.
    """

    entries: Int[np.ndarray, "member active"]
    values: Float[np.ndarray, "member point active"]
    kept: Bool[np.ndarray, "member point active"]
    train: Float[np.ndarray, "member point"]
    held_out: Float[np.ndarray, "member point"]

    def counts(self) -> Int[np.ndarray, "member point"]:
        """Return the number of weights of every point."""
        return self.kept.sum(axis=-1)

    def scores(self, samples: int, floor: float = FLOOR) -> Float[np.ndarray, "member point"]:
        """Return `n ln(max(train, held-out) + floor) + k ln n` for `k` weights and `n` samples; least is best.

        The larger of the two errors, so that a point must also hold on data that it was not fitted to.
        """
        error = np.maximum(self.train, self.held_out)
        error = np.where(np.isfinite(error), error, np.inf)
        return np.asarray(bic(error, self.counts(), samples, floor))


def refine(
    models: AbstractModel,
    data: Samples,
    held_out: Samples,
    *,
    active: int = 36,
    iterations: int = 30,
    refits: int = 8,
) -> Path:
    """Refine every member's `active` most salient weights and follow its path down to one weight.

    `models` is stacked along a leading member axis. Saliency is `w^2` times the mean squared derivative of the outputs
    by `w`, in standard deviations of the targets; weights that are zero stay zero. `iterations` of Levenberg-Marquardt
    come first; `refits` after a removal, half as many while more than half of the weights are left.

    Source: Hassibi & Stork 1993 (saliency); Marquardt 1963.
    """
    problem = Problem(models, data, held_out, active)
    index, values, kept = problem.index, problem.values, problem.kept
    count, width = index.shape
    place = np.broadcast_to(np.arange(width), index.shape)
    points = []
    # Threads inside BLAS make small factorizations many times slower: the members use all cores already.
    with one_blas_thread():
        values, found = levenberg_marquardt(problem, values, kept, problem.quadratic(values, kept), iterations)
        stuck = np.zeros_like(kept)
        while True:
            full = np.zeros((count, width)), np.zeros((count, width), bool)
            for whole, part in zip(full, (values, kept), strict=True):
                np.put_along_axis(whole, place, part, axis=1)
            points.append((*full, found.cost, problem.error(values)))
            if not (kept & ~stuck & ~problem.held(values, kept, found)).any():
                break
            left = kept.sum(axis=1).max()
            half = kept.shape[1] // 2
            if left <= half:
                # Half of the arrays are holes by now. Always half, because each width is compiled.
                order = np.argsort(~kept, axis=1, kind="stable")[:, :half]
                problem = problem.narrowed(order)
                place, values, kept, stuck = (
                    np.take_along_axis(a, order, axis=1) for a in (place, values, kept, stuck)
                )
                found = problem.quadratic(values, kept)
            values, kept, stuck, found = without_least(problem, values, kept, stuck, found)
            few = 2 * left <= width
            values, found = levenberg_marquardt(problem, values, kept, found, refits if few else -(-refits // 2))
    return Path(index, *(np.stack(part, axis=1) for part in zip(*points, strict=True)))


def polished(models: Model, data: Samples, iterations: int = 50) -> Model:
    """Return stacked models with all their nonzero weights fitted to `data` by Levenberg-Marquardt, in float64."""
    sizes = [leaf[0].size for leaf in jax.tree.leaves(models)]
    nonzero = sum(np.count_nonzero(np.reshape(leaf, (len(leaf), -1)), axis=1) for leaf in jax.tree.leaves(models))
    problem = Problem(models, data, data, max(1, min(sum(sizes), int(np.max(nonzero)))))
    with one_blas_thread():
        start = problem.quadratic(problem.values, problem.kept)
        values, found = levenberg_marquardt(problem, problem.values, problem.kept, start, iterations)
    parts = (problem.kept[:, None], found.cost[:, None], found.cost[:, None])
    member = np.arange(len(values))
    return points_of(models, Path(problem.index, values[:, None], *parts), member, np.zeros_like(member))


@runtime_checkable
class LeastSquares(Protocol):
    """What Levenberg-Marquardt asks of a problem of least squares, whatever its residuals are."""

    def quadratic(self, values: Values, kept: Kept) -> Quadratic:
        """Return the mean squared residual and its quadratic model at these values."""

    def held(self, values: Values, kept: Kept, found: Quadratic) -> Kept:
        """Return which values stay as they are."""


def levenberg_marquardt(
    problem: LeastSquares, values: Values, kept: Kept, found: Quadratic, iterations: int, *, enough: float = 0.0
) -> tuple[Values, Quadratic]:
    """Take so many steps of Levenberg-Marquardt on the kept values; a step that does not help is not taken.

    It ends early once a step lowers the cost of no member by more than the share `enough`.
    """
    damping = np.full(len(values), 1e-3)
    free = kept & ~problem.held(values, kept, found)
    for _ in range(iterations):
        proposed = np.where(free, values - _solved(found, free, damping), values)
        new = problem.quadratic(proposed, kept)
        good = np.isfinite(new.cost) & ~(new.cost >= found.cost)
        values = _chosen(good, proposed, values)
        with np.errstate(invalid="ignore"):
            gained = good & (found.cost - new.cost > enough * found.cost)
        found = Quadratic(*(_chosen(good, a, b) for a, b in zip(new, found, strict=True)))
        damping = np.clip(np.where(good, 0.2 * damping, 5.0 * damping), 1e-14, 1e8)
        # A step that was not taken may be taken once it is shorter.
        if enough and not (gained | (~good & (damping < SHORTEST))).any():
            break
    return values, found


def without_least(
    problem: "Problem", values: Values, kept: Kept, stuck: Kept, found: Quadratic
) -> tuple[Values, Kept, Kept, Quadratic]:
    """Remove every member's free weight of least optimal-brain-surgeon saliency `w^2 / [H^-1]_ii`.

    Weights on which no output depends go with it. The others move as the quadratic model predicts, or stay if that is
    worse. A weight without which the result is not finite is `stuck`: it is never removed.
    """
    held = problem.held(values, kept, found)
    inverse = _inverse(_regular(found, kept & ~held, np.full(len(values), RIDGE)))
    diagonal = np.diagonal(inverse, axis1=1, axis2=2)
    idle = kept & (np.diagonal(found.hessian, axis1=1, axis2=2) == 0.0)
    able = kept & ~idle & ~held & ~stuck
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # of weights that cannot be removed anyway
        saliency = np.where(able, np.square(values) / diagonal, np.inf)
    which, everyone = np.argmin(saliency, axis=1), np.arange(len(values))
    left = kept & ~idle
    goes = able[everyone, which]
    left[everyone, which] &= ~goes
    share = np.where(goes, values[everyone, which] / diagonal[everyone, which], 0.0)
    moved = values - np.where(held, 0.0, share[:, None] * inverse[everyone, :, which])
    tried = [np.where(left, part, 0.0) for part in (moved, values)]
    costs = [problem.quadratic(part, left) for part in tried]
    finite = [np.where(np.isfinite(cost.cost), cost.cost, np.inf) for cost in costs]
    better, dead = finite[0] <= finite[1], np.isinf(np.minimum(*finite)) & np.isfinite(found.cost)
    new = Quadratic(*(_chosen(better, a, b) for a, b in zip(*costs, strict=True)))
    stuck = stuck.copy()
    stuck[everyone, which] |= dead | ~np.isfinite(found.cost)
    return (
        _chosen(dead, values, _chosen(better, *tried)),
        _chosen(dead, kept, left),
        stuck,
        Quadratic(*(_chosen(dead, a, b) for a, b in zip(found, new, strict=True))),
    )


def points_of(models: Model, path: Path, member: Any, point: Any) -> Model:
    """Return the models at some points of the path, stacked, in float64; `member` and `point` are integer arrays."""
    arrays, skeleton = eqx.partition(models, eqx.is_inexact_array)
    weights = [np.asarray(leaf, np.float64)[member] for leaf in jax.tree.leaves(arrays)]
    flat = np.zeros((len(member), sum(w[0].size for w in weights)))
    chosen = np.where(path.kept[member, point], path.values[member, point], 0.0)
    np.put_along_axis(flat, path.entries[member], chosen, axis=1)
    ends = np.cumsum([w[0].size for w in weights])[:-1]
    parts = [part.reshape(w.shape) for part, w in zip(np.split(flat, ends, axis=1), weights, strict=True)]
    model: Model = eqx.combine(jax.tree.unflatten(jax.tree.structure(arrays), parts), skeleton)
    return model


def _regular(found: Quadratic, kept: Kept, damping: Float[np.ndarray, " member"]) -> Float[np.ndarray, "member a a"]:
    """The damped Hessian, with ones on the diagonal for weights that are out."""
    diagonal = np.maximum(np.diagonal(found.hessian, axis1=1, axis2=2), 1e-12)
    added = np.where(kept, damping[:, None] * diagonal, 1.0)
    pairs = kept[:, :, None] & kept[:, None, :]
    # Where nothing is finite, infinity times zero would be NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        matrix = np.where(pairs, found.hessian, 0.0) + added[:, :, None] * np.eye(kept.shape[1])
    return np.where(np.isfinite(matrix).all(axis=(1, 2), keepdims=True), matrix, np.eye(kept.shape[1]))


def _solved(found: Quadratic, kept: Kept, damping: Float[np.ndarray, " member"]) -> Values:
    gradient = np.where(kept & np.isfinite(found.gradient), found.gradient, 0.0)
    matrix = _regular(found, kept, damping)
    try:
        solved: Values = np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        solved = (_inverse(matrix) @ gradient[:, :, None])[:, :, 0]
    return solved


def _inverse(matrix: Float[np.ndarray, "member a a"]) -> Float[np.ndarray, "member a a"]:
    """Return inverses; pseudo-inverses for all where a matrix is singular because weights do the same thing."""
    try:
        inverse: np.ndarray = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(matrix, hermitian=True)
    return inverse


def _chosen(which: Bool[np.ndarray, " member"], new: np.ndarray, old: np.ndarray) -> np.ndarray:
    return np.where(which.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

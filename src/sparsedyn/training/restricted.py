"""Sparse least squares under restrictions: coefficients that are fixed, bounded, left out, or tied to each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import null_space
from scipy.optimize import lsq_linear

from sparsedyn.training.least_squares import Coefficients, Factor, Scale, Support
from sparsedyn.training.parsimony import bic

WEIGHT = 1e6
"""Of equalities while it is found out which bounds hold; they hold exactly afterwards."""
SLACK = 1e-9
"""Share by which an equality may be missed, and of a bound's range within which a coefficient is at it."""


class Restrictions(NamedTuple):
    """What coefficients may be: NaN in `fixed` is free, and `matrix @ coefficients.ravel()` has to be `values`."""

    allowed: Support
    fixed: Coefficients
    lower: Coefficients
    upper: Coefficients
    matrix: Float[np.ndarray, "equality entry"]
    values: Float[np.ndarray, " equality"]

    @property
    def needed(self) -> Support:
        """The coefficients that cannot be zero, or are given: fixed ones, and those whose bounds leave zero out."""
        return np.isfinite(self.fixed) | (self.allowed & ((self.lower > 0) | (self.upper < 0)))

    @property
    def tied(self) -> Support:
        """The coefficients that are in an equality."""
        return self.allowed & np.any(self.matrix != 0, axis=0).reshape(self.allowed.shape)


class _Problem(NamedTuple):
    """Least squares of free coefficients, scaled to contributions, as one system for all targets together."""

    matrix: Float[np.ndarray, "row free"]
    wanted: Float[np.ndarray, " row"]
    ties: Float[np.ndarray, "equality free"]
    values: Float[np.ndarray, " equality"]
    scale: Float[np.ndarray, " free"]


def solve_restricted(reduced: Factor, support: Support, restrictions: Restrictions) -> Coefficients:
    """Return the least-squares coefficients on a support that keep to restrictions; `ValueError` where none can."""
    problem, free, found = _problem(reduced, support, restrictions)
    bounds = restrictions.lower[free] / problem.scale, restrictions.upper[free] / problem.scale
    held = np.zeros(len(problem.scale), bool)
    solution = _tied(problem, held, np.zeros(len(held)))
    if np.any(solution < bounds[0]) or np.any(solution > bounds[1]):
        rows = np.concatenate([problem.matrix, WEIGHT * problem.ties])
        bounded = lsq_linear(rows, np.concatenate([problem.wanted, WEIGHT * problem.values]), bounds, tol=1e-14).x
        near = SLACK * np.maximum(np.abs(bounded), 1.0)
        at_lower, at_upper = bounded - bounds[0] <= near, bounds[1] - bounded <= near
        held = at_lower | at_upper
        solution = _tied(problem, held, np.where(at_lower, bounds[0], bounds[1]))
    found[free] = solution * problem.scale
    return found


def thresholded_restricted(
    reduced: Factor,
    threshold: float | Float[np.ndarray, "*target"],
    restrictions: Restrictions,
    *,
    scale: Scale = "coefficients",
) -> Coefficients:
    """Return coefficients by sequentially thresholded least squares under restrictions.

    Those that restrictions need stay; where equalities cannot hold without terms that are small, all of their terms do.
    """
    support, needed = restrictions.allowed, restrictions.needed
    found = solve_restricted(reduced, support, restrictions)
    while True:
        sizes = np.abs(found) if scale == "coefficients" else reduced.contributions(found)
        kept = support & ((sizes >= threshold) & (found != 0) | needed)
        if np.array_equal(kept, support):
            return found
        fewer = _solved(reduced, kept, restrictions)
        if fewer is not None:
            support, found = kept, fewer
        elif np.array_equal(needed, needed | restrictions.tied):
            return found
        else:
            needed = needed | restrictions.tied


def informed_restricted(reduced: Factor, restrictions: Restrictions) -> Coefficients:
    """Return coefficients of as many terms as Bayes's information criterion calls for, under restrictions.

    Terms go one by one, that first which costs least when the others are fitted anew (Hassibi & Stork 1993), except
    those without which restrictions cannot hold.
    """
    support, needed = restrictions.allowed, restrictions.needed
    found = solve_restricted(reduced, support, restrictions)
    best, least = found, _score(reduced, found)
    while np.any(support & ~needed):
        costs = np.full(found.shape, np.inf)
        costs[support & ~np.isfinite(restrictions.fixed)] = _saliencies(reduced, support, restrictions, found)
        costs[needed] = np.inf
        fewer = support.copy()
        fewer.ravel()[np.argmin(costs)] = False
        without = _solved(reduced, fewer, restrictions)
        if without is None:
            needed = needed | (support & ~fewer)
            continue
        support, found = fewer, without
        score = _score(reduced, found)
        if score <= least:
            best, least = found, score
    return best


def _solved(reduced: Factor, support: Support, restrictions: Restrictions) -> Coefficients | None:
    """Return the least-squares coefficients on a support, or none where restrictions cannot hold on it."""
    try:
        return solve_restricted(reduced, support, restrictions)
    except ValueError:
        return None


def _problem(
    reduced: Factor, support: Support, restrictions: Restrictions
) -> tuple[_Problem, Bool[np.ndarray, "term target"], Coefficients]:
    terms, rms = reduced.terms, reduced.rms
    theta, target = reduced.triangle[:, :terms], reduced.triangle[:, terms:]
    known = np.isfinite(restrictions.fixed)
    found = np.where(known, np.nan_to_num(restrictions.fixed), 0.0)
    free = support & restrictions.allowed & ~known
    left = (target - theta @ found) / rms[terms:]
    scale = (rms[terms:] / rms[:terms, None])[free]
    rows, height = np.argwhere(free), len(theta)
    matrix = np.zeros((target.shape[1] * height, len(rows)))
    for column, (term, equation) in enumerate(rows):
        matrix[equation * height : (equation + 1) * height, column] = theta[:, term] / rms[term]
    ties = restrictions.matrix[:, free.ravel()] * scale
    values = restrictions.values - restrictions.matrix @ found.ravel()
    size = np.maximum(np.abs(restrictions.matrix).max(axis=1, initial=0.0), 1e-300)
    return _Problem(matrix, left.T.ravel(), ties / size[:, None], values / size, scale), free, found


def _tied(
    problem: _Problem, held: Bool[np.ndarray, " free"], at: Float[np.ndarray, " free"]
) -> Float[np.ndarray, " free"]:
    """Return least squares under the equalities, some entries being held."""
    solution = np.where(held, at, 0.0)
    ties, values = problem.ties[:, ~held], problem.values - problem.ties @ solution
    wanted = problem.wanted - problem.matrix @ solution
    start = np.linalg.lstsq(ties, values, rcond=None)[0] if len(ties) else np.zeros(int((~held).sum()))
    missed = np.abs(ties @ start - values)
    if np.any(missed > SLACK * np.maximum(np.abs(values), 1e-3)):
        raise ValueError("constraints: expected equalities that can hold together; these contradict each other.")
    free = null_space(ties) if len(ties) else np.eye(len(start))
    matrix = problem.matrix[:, ~held]
    moved = np.linalg.lstsq(matrix @ free, wanted - matrix @ start, rcond=1e-13)[0]
    solution[~held] = start + free @ moved
    return solution


def _saliencies(
    reduced: Factor, support: Support, restrictions: Restrictions, found: Coefficients
) -> Float[np.ndarray, " free"]:
    problem, free, _ = _problem(reduced, support, restrictions)
    directions = null_space(problem.ties) if len(problem.ties) else np.eye(len(problem.scale))
    spread = directions @ np.linalg.pinv(problem.matrix @ directions)
    values = found[free] / problem.scale
    variances = np.sum(np.square(spread), axis=1)
    return np.divide(np.square(values), variances, out=np.zeros_like(values), where=variances > 0)


def _score(reduced: Factor, found: Coefficients) -> float:
    theta, target = reduced.triangle[:, : reduced.terms], reduced.triangle[:, reduced.terms :]
    left = np.square(target - theta @ found).sum(axis=0) / np.maximum(np.square(target).sum(axis=0), 1e-300)
    return float(np.sum(bic(left, (found != 0).sum(axis=0), reduced.samples)))

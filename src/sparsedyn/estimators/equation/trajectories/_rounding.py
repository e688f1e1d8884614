"""Constants with as few digits as the data allow, and how well the data determine them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.equation.trajectories._dense import reduced
from sparsedyn.estimators.equation.trajectories._problem import Candidate, Problem
from sparsedyn.training.shooting.products import parameters, refilled

SHARES, WORSE = (0.3, 0.1, 0.03), 2.0
"""How far a constant may be moved to have fewer digits, in standard errors, and what all may cost together."""
DIGITS = 12


class Constants(NamedTuple):
    """A candidate's constants, their standard errors, and the equations they are in."""

    values: Float[np.ndarray, " parameter"]
    errors: Float[np.ndarray, " parameter"]
    equations: tuple[int, ...]


def constants_of(candidate: Candidate) -> Constants:
    """Return constants with standard errors by Laplace's approximation, on the states."""
    values = parameters(candidate.terms, candidate.coefficients)
    equations = [e for e, term in zip(candidate.equations, candidate.terms, strict=True) for _ in range(term.free)]
    return Constants(values, np.sqrt(np.maximum(np.diag(_covariance(candidate)), 0.0)), tuple(equations))


def rounded(problem: Problem, candidate: Candidate) -> Candidate:
    """Return a candidate with constants rounded, one after the other; those left move to their conditional optimum.

    What that costs of the likelihood is looked at, since small changes of constants may be large ones of states.
    """
    for share in SHARES:
        terms, coefficients = refilled(candidate.terms, _rounded(candidate, share))
        made = candidate._replace(terms=terms, coefficients=coefficients)
        if _misfit(problem, made) <= _misfit(problem, candidate) + WORSE:
            return made
    return candidate


def _rounded(candidate: Candidate, share: float) -> Float[np.ndarray, " parameter"]:
    values = parameters(candidate.terms, candidate.coefficients)
    covariance = _covariance(candidate)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    for k in np.argsort(errors / np.maximum(np.abs(values), 1e-300)):
        error = np.sqrt(max(covariance[k, k], 0.0))
        if not (np.isfinite(error) and error > 0):
            continue
        short = _shortest(float(values[k]), share * error)
        values = values + covariance[:, k] / covariance[k, k] * (short - values[k])
        values[k] = short
        covariance = covariance - np.outer(covariance[:, k], covariance[k]) / covariance[k, k]
    return values


def _misfit(problem: Problem, candidate: Candidate) -> float:
    """Minus two log-likelihoods, first states being as they are; infinite where a candidate runs away."""
    measured, weights = problem.cuts[candidate.level].arrays[:2]
    off = np.where(weights > 0, np.square(measured - problem.states_of(candidate)), 0.0)
    squares = np.sum(weights * off, axis=(0, 1))
    found = float(np.sum(problem.counts * np.log(squares / problem.counts + problem.precision**2)))
    return found if np.isfinite(found) else np.inf


def _covariance(candidate: Candidate) -> Float[np.ndarray, "parameter parameter"]:
    information = reduced(candidate)
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    found: np.ndarray = np.linalg.pinv(information / np.outer(size, size), rcond=1e-13, hermitian=True)
    return found / np.outer(size, size)


def _shortest(value: float, within: float) -> float:
    """The number of fewest digits that is so near."""
    for digits in range(1, DIGITS):
        short = float(f"{value:.{digits - 1}e}")
        if abs(short - value) <= within:
            return short
    return value

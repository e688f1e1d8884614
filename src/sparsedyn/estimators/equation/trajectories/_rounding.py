"""Constants with as few digits as the data allow, and how well the data determine them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.equation.trajectories._dense import reduced
from sparsedyn.estimators.equation.trajectories._problem import Candidate, Problem
from sparsedyn.training.shooting.products import parameters, refilled

SHARE = 0.5
"""Of a standard error: how far a constant may be moved to have fewer digits."""
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
    """Return a candidate with constants rounded, one after the other; those left move to their conditional optimum."""
    values = parameters(candidate.terms, candidate.coefficients)
    covariance = _covariance(candidate)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    order = np.argsort(errors / np.maximum(np.abs(values), 1e-300))
    for k in order:
        error = np.sqrt(max(covariance[k, k], 0.0))
        if not (np.isfinite(error) and error > 0):
            continue
        short = _shortest(float(values[k]), SHARE * error)
        move = covariance[:, k] / covariance[k, k] * (short - values[k])
        values = values + move
        values[k] = short
        covariance = covariance - np.outer(covariance[:, k], covariance[k]) / covariance[k, k]
    terms, coefficients = refilled(candidate.terms, values)
    made = candidate._replace(terms=terms, coefficients=coefficients)
    states = problem.states_of(made)
    return made if np.isfinite(states[:, 1:][problem.cuts[made.level].arrays[3] > 0]).all() else candidate


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

"""Constants with as few digits as the data allow, and how well the data determine them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.equation.trajectories._dense import EXACT, reduced
from sparsedyn.estimators.equation.trajectories._problem import Candidate, Problem
from sparsedyn.estimators.equation.trajectories._search import shares
from sparsedyn.training.shooting.products import parameters, refilled

SHARES, WORSE = (0.3, 0.1, 0.03), 2.0
"""How far a constant may be moved to have fewer digits, in standard errors, and what all may cost together."""
DIGITS = 12


class Constants(NamedTuple):
    """A candidate's constants, their standard errors, the equations they are in, and their names in forms."""

    values: Float[np.ndarray, " parameter"]
    errors: Float[np.ndarray, " parameter"]
    equations: tuple[int, ...]
    names: tuple[str, ...]


def constants_of(candidate: Candidate) -> Constants:
    """Return constants with standard errors by Laplace's approximation, on the states."""
    values = parameters(candidate.terms, candidate.coefficients)
    equations = [e for e, term in zip(candidate.equations, candidate.terms, strict=True) for _ in range(term.free)]
    return Constants(values, errors_of(reduced(candidate)), tuple(equations), ("",) * len(values))


def errors_of(information: Float[np.ndarray, "parameter parameter"]) -> Float[np.ndarray, " parameter"]:
    """Return standard errors by the information on constants."""
    return np.sqrt(np.maximum(np.diag(_covariance(information)), 0.0))


def rounded(problem: Problem, candidate: Candidate) -> Candidate:
    """Return a candidate with constants rounded, one after the other; those left move to their conditional optimum.

    What that costs of the likelihood is looked at, since small changes of constants may be large ones of states.
    """

    def made(values: np.ndarray) -> Candidate:
        terms, coefficients = refilled(candidate.terms, values)
        return candidate._replace(terms=terms, coefficients=coefficients)

    values = parameters(candidate.terms, candidate.coefficients)
    least = _least(problem, candidate)
    return made(shortened(values, reduced(candidate), lambda values: _misfit(problem, made(values)), least))


def shortened(
    values: Float[np.ndarray, " parameter"],
    information: Float[np.ndarray, "parameter parameter"],
    misfit: Callable[[Float[np.ndarray, " parameter"]], float],
    least: Float[np.ndarray, " parameter"] | float = 0.0,
) -> Float[np.ndarray, " parameter"]:
    """Return values with as few digits as the information on them allows and the misfit bears.

    Standard errors are `least` at least.
    """
    for share in SHARES:
        made = _rounded(values, _covariance(information), share, np.broadcast_to(least, values.shape))
        if misfit(made) <= misfit(values) + WORSE:
            return made
    return values


def _rounded(
    values: Float[np.ndarray, " parameter"],
    covariance: Float[np.ndarray, "parameter parameter"],
    share: float,
    least: Float[np.ndarray, " parameter"],
) -> Float[np.ndarray, " parameter"]:
    values = values.copy()
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    for k in np.argsort(errors / np.maximum(np.abs(values), 1e-300)):
        error = np.sqrt(max(covariance[k, k], 0.0))
        if not (np.isfinite(error) and error > 0):
            continue
        short = _shortest(float(values[k]), share * max(error, least[k]))
        values = values + covariance[:, k] / covariance[k, k] * (short - values[k])
        values[k] = short
        covariance = covariance - np.outer(covariance[:, k], covariance[k]) / covariance[k, k]
    return values


def _least(problem: Problem, candidate: Candidate) -> Float[np.ndarray, " parameter"]:
    """Errors of coefficients that change the derivative by no more than the precision of the data."""
    found: list[float] = []
    for term, coefficient, share in zip(
        candidate.terms, candidate.coefficients, shares(problem, candidate), strict=True
    ):
        found += [problem.precision * abs(coefficient) / share if share > 0 else 0.0, *(0.0 for _ in term.inside)]
    return np.asarray(found)


def _misfit(problem: Problem, candidate: Candidate) -> float:
    """Minus two log-likelihoods, first states being as they are; infinite where a candidate runs away."""
    measured, weights = problem.cuts[candidate.level].arrays[:2]
    off = np.where(weights > 0, np.square(measured - problem.states_of(candidate)), 0.0)
    squares = np.sum(weights * off, axis=(0, 1))
    # What is left of clean data is rounding up to this size, whose likelihood says nothing.
    least = (EXACT * problem.precision) ** 2
    found = float(np.sum(problem.counts * np.log(np.maximum(squares / problem.counts, least))))
    return found if np.isfinite(found) else np.inf


def _covariance(information: Float[np.ndarray, "parameter parameter"]) -> Float[np.ndarray, "parameter parameter"]:
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

"""Constants with as few digits as the data allow, and how well the data determine them."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._dense import EXACT, reduced
from sparsedyn.estimators.shooting_search._problem import Candidate, Problem
from sparsedyn.estimators.shooting_search._search import SHORTER, shares
from sparsedyn.training.shooting.products import Known, parameters, refilled

WAYS = ((True, 0.3), (False, 0.3), (False, 0.1), (False, 0.03))
"""Whether constants may be taken for round numbers, and how far others may be moved, in standard errors."""
WORSE = 2.0
"""What rounding may cost of minus two log-likelihoods beyond what standard errors say."""
DIGITS = 12
NO_INFORMATION = 1e-200
"""Information on a constant that is none: what it stands for is out of sight, such as a limit beyond all data."""
LEAST = 1e-13
"""Share of the largest eigenvalue of information below which there is none."""
NOTHING = 1e-12
"""Share of the largest term of an equation below which another one is rounding."""
THIRDS_APART = 0.5
"""Distance of thirds that are no integers, on average."""
ODDS, ODDS_OF_THIRDS = 3.0, 30.0
"""Odds from which on a constant is taken for a number of few digits, or for a number of thirds, which are rarer."""


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
    level = max(candidate.level - SHORTER, 0)
    begun = candidate._replace(level=level, starts=problem.carried(candidate, level))
    short = made(shortened(values, reduced(candidate), lambda values: _misfit(problem, made(values), begun), least))
    # What is left of a term may be nothing beside the others.
    kept = np.flatnonzero(shares(problem, short) >= NOTHING)
    return short._replace(
        terms=tuple(short.terms[k] for k in kept),
        coefficients=tuple(short.coefficients[k] for k in kept),
        equations=tuple(short.equations[k] for k in kept),
    )


def shortened(
    values: Float[np.ndarray, " parameter"],
    information: Float[np.ndarray, "parameter parameter"],
    misfit: Callable[[Float[np.ndarray, " parameter"]], float],
    least: Float[np.ndarray, " parameter"] | float = 0.0,
) -> Float[np.ndarray, " parameter"]:
    """Return values with as few digits as the information on them allows and the misfit bears.

    Standard errors are `least` at least.
    """
    before, covariance = misfit(values), _covariance(information)
    for round_ones, share in WAYS:
        made, cost = _rounded(values, covariance, round_ones, share, np.broadcast_to(least, values.shape))
        if misfit(made) <= before + cost + WORSE:
            return made
    return values


def _rounded(
    values: Float[np.ndarray, " parameter"],
    covariance: Float[np.ndarray, "parameter parameter"],
    round_ones: bool,
    share: float,
    least: Float[np.ndarray, " parameter"],
) -> tuple[Float[np.ndarray, " parameter"], float]:
    """The values rounded, and what that costs of minus two log-likelihoods by the information on them.

    Round numbers come first, the surest of them first: with it the data say more of the others. Those that have to move
    to something would say more than they can.
    """
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    order = list(np.argsort(errors / np.maximum(np.abs(values), 1e-300)))
    left, cost = _Left(values, covariance, order, least), 0.0
    while left.places:
        chosen = left.surest() if round_ones else None
        if chosen is None:
            k, round_ones = left.places[0], False
            short = _shortest(float(left.values[k]), left.error(k), share)
        else:
            k, short = chosen
        cost += float((short - left.values[k]) ** 2 / left.covariance[k, k])
        left = left.given(k, short)
    return left.values, cost


class _Left(NamedTuple):
    """Constants, of which those at `places` are not rounded yet, their covariance, and the least errors."""

    values: Float[np.ndarray, " parameter"]
    covariance: Float[np.ndarray, "parameter parameter"]
    order: list[int]
    least: Float[np.ndarray, " parameter"]

    @property
    def places(self) -> list[int]:
        return [k for k in self.order if np.isfinite(self.error(k)) and self.covariance[k, k] > 0]

    def error(self, k: int) -> float:
        return max(float(np.sqrt(max(self.covariance[k, k], 0.0))), float(self.least[k]))

    def given(self, k: int, short: float) -> "_Left":
        """What is left once a constant is this number, the others moving along."""
        column = self.covariance[:, k] / self.covariance[k, k]
        values = self.values + column * (short - self.values[k])
        values[k] = short
        covariance = self.covariance - np.outer(self.covariance[:, k], column)
        return self._replace(values=values, covariance=covariance, order=[j for j in self.order if j != k])

    def near(self, k: int) -> "_Near":
        return _round_number(float(self.values[k]), self.error(k))

    def surest(self) -> tuple[int, float] | None:
        """The constant that is a round number most surely, and this number; if none is, one that makes another one."""
        places = self.places
        alone = [self.near(k) for k in places]
        best = max(range(len(places)), key=lambda i: alone[i].certainty)
        if alone[best].certainty < 0:
            # Two that the data tell only together, such as slopes of terms that are alike.
            after = [self.given(k, one.value) for k, one in zip(places, alone, strict=True)]
            second = [max((rest.near(j).certainty for j in rest.places), default=-np.inf) for rest in after]
            both = [one.certainty + other for one, other in zip(alone, second, strict=True)]
            best = int(np.argmax(both))
            if both[best] < 0:
                return None
        return places[best], alone[best].value


def _least(problem: Problem, candidate: Candidate) -> Float[np.ndarray, " parameter"]:
    """Errors of coefficients that change the derivative by no more than the precision of the data."""
    found: list[float] = []
    for term, coefficient, share in zip(
        candidate.terms, candidate.coefficients, shares(problem, candidate), strict=True
    ):
        found += [problem.precision * abs(coefficient) / share if share > 0 else 0.0, *(0.0 for _ in term.inside)]
    return np.asarray(found)


def _misfit(problem: Problem, candidate: Candidate, begun: Candidate) -> float:
    """Minus two log-likelihoods with these constants, first states fitted; infinite where a candidate runs away.

    Along a chaotic motion small changes of constants are large ones of states: first states are also fitted to shorter
    segments, beginning with those of `begun`, and then to ever longer ones. What leaves less counts.
    """
    fixed = [Known(*one) for one in zip(candidate.coefficients, candidate.terms, candidate.equations, strict=True)]
    alone = replace(problem, prior=problem.prior._replace(known=(*problem.prior.known, *fixed)))
    noise = np.maximum(candidate.noise, problem.floor)

    def left(made: Candidate) -> float:
        # What is left of clean data is rounding up to this size, whose likelihood says nothing.
        least = (EXACT * problem.precision) ** 2
        found = float(np.sum(problem.counts * np.log(np.maximum(made.squares / problem.counts, least))))
        return found if np.isfinite(found) else np.inf

    direct = alone.fit([], [], [], candidate.level, starts=candidate.starts, noise=noise, rounds=1)
    if not candidate.level:
        return left(direct)
    made = alone.fit([], [], [], begun.level, starts=begun.starts, noise=noise, rounds=1)
    while made.level < candidate.level:
        made = alone.again(made, made.level + 1, rounds=1)
    return min(left(direct), left(made))


def _covariance(information: Float[np.ndarray, "parameter parameter"]) -> Float[np.ndarray, "parameter parameter"]:
    """The inverse of the information; directions of which nothing is known have errors as large as numbers allow."""
    diagonal = np.diag(information)
    known = np.flatnonzero(diagonal > NO_INFORMATION)
    found = np.diag(np.where(diagonal > NO_INFORMATION, 0.0, np.inf))
    size = np.sqrt(diagonal[known])
    if len(known):
        values, vectors = np.linalg.eigh(information[np.ix_(known, known)] / np.outer(size, size))
        inverse = (vectors / np.maximum(values, LEAST * float(values[-1]))) @ vectors.T
        found[np.ix_(known, known)] = inverse / np.outer(size, size)
    return found


class _Near(NamedTuple):
    """A number next to a constant, and the logarithm of its odds beyond those that it needs."""

    value: float
    certainty: float


def _round_number(value: float, error: float) -> _Near:
    """The number of fewest digits, or of thirds, that is some times likelier than all others; else the likeliest.

    A number of so few digits is as likely beforehand as none of these. Where such numbers are far apart beside the
    error, a value next to one is hardly there by chance (Bayes's factor). So are thirds.
    """

    def certainty(short: float, apart: float, odds: float) -> float:
        return float(np.log(apart / error / np.sqrt(2 * np.pi) / odds) - (short - value) ** 2 / error**2 / 2)

    if value == 0:
        return _Near(value, np.inf)
    thirds = round(3 * value) / 3
    likeliest = _Near(value, -np.inf)
    for digits in range(1, DIGITS):
        short = float(f"{value:.{digits - 1}e}")
        apart = _apart(short, digits)
        near = [_Near(short, certainty(short, apart, ODDS))]
        if apart < THIRDS_APART:
            near.insert(0, _Near(thirds, certainty(thirds, THIRDS_APART, ODDS_OF_THIRDS)))
        for one in near:
            if one.certainty >= 0:
                return one
        likeliest = max(likeliest, *near, key=lambda one: one.certainty)
    return likeliest


def _apart(short: float, digits: int) -> float:
    """Half the distance of the numbers of so many digits around this one: they are denser below 1, 10, 100."""
    step = 10.0 ** (np.floor(np.log10(abs(short))) - digits + 1)
    return float(step * (0.55 if f"{abs(short):e}".startswith("1.000000e") else 1.0))


def _shortest(value: float, error: float, share: float) -> float:
    """The number of fewest digits that is within a share of the error."""
    if value == 0:
        return value
    for digits in range(1, DIGITS):
        short = float(f"{value:.{digits - 1}e}")
        if abs(short - value) <= share * error:
            return short
    return value

"""Supports chosen by what they explain of the measured states: fits by multiple shooting, and local moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.models import Library

from .fitting import TIGHT, Fitted, Scales, fitted, normal, squares
from .motion import motion
from .moves import Quadratic, moves
from .segments import Segments
from .terms import Known, field_of

Matrix = Float[np.ndarray, "term equation"]

PRECISION = 3e-5
"""Share of a state's spread below which misfits count as rounding: solvers and loggers are no more precise."""
ROUNDS = 15
AT_ONCE = 12
MOST_SUBSTEPS = 64
ACCURATE = 0.05
"""Share of the noise that the error of integration may be."""
QUICK = 6
TIGHTER, LOOSENED = (0.03, 0.01, 0.003), 1.15
"""Jumps between segments, in shares of the noise, and how much larger the noise may be for their sake."""


@dataclass(frozen=True)
class Shooting:
    """What candidates are judged by: segments of measured states, the library, units of coefficients, and the price.

    The criterion is `sum over states of N log(squares / N + precision^2) + price * terms`, N being how many values of a
    state were measured: minus two log-likelihoods with the noise's variance estimated. Less is better.
    """

    data: Segments
    library: Library
    units: Matrix
    precision: Float[np.ndarray, " state"]
    price: float
    order: int = 1
    substeps: int = 1
    tight: float = TIGHT
    known: Known | None = None

    def score(self, sums: Float[np.ndarray, "*candidate state"], terms: np.ndarray) -> np.ndarray:
        """Return the criterion of candidates from their sums of squares and numbers of terms."""
        seen = self.data.counts > 0
        misfit = self.data.counts[seen] * np.log(self._variances(sums))
        return np.sum(misfit, axis=-1) + self.price * terms

    def noise(self, sums: Float[np.ndarray, " state"]) -> Float[np.ndarray, " state"]:
        """Return the standard deviation of the noise, no less than the precision; unseen states have the mean share."""
        seen = self.data.counts > 0
        shares = np.sqrt(self._variances(sums)) / self.precision[seen]
        found = np.full(len(self.precision), np.exp(np.mean(np.log(shares))))
        found[seen] = shares
        return found * self.precision

    def _variances(self, sums: Float[np.ndarray, "*candidate state"]) -> Float[np.ndarray, "*candidate seen"]:
        """Mean squares of the states that were measured; the jumps of others are spread over them."""
        seen = self.data.counts > 0
        shares = sums / np.square(self.precision)
        unseen = np.sum(shares[..., ~seen], axis=-1, keepdims=True)
        shares = (shares[..., seen] + unseen / seen.sum()) / self.data.counts[seen] + 1.0
        found: np.ndarray = shares * np.square(self.precision[seen])
        return found

    def scales(self, noise: Float[np.ndarray, " state"]) -> Scales:
        """Return the standard deviations that fits are weighted by."""
        return Scales(noise, np.maximum(self.tight * noise, self.precision))


@dataclass(frozen=True)
class Candidate:
    """A fitted support with its coefficients in the data's units."""

    support: Bool[np.ndarray, "term equation"]
    coefficients: Matrix
    starts: Float[np.ndarray, "segment state"]
    squares: Float[np.ndarray, " state"]
    score: float

    @property
    def order(self) -> float:
        """What candidates are sorted by: the score, and those that have none last."""
        return self.score if np.isfinite(self.score) else np.inf


def fit_all(
    problem: Shooting,
    supports: Sequence[Bool[np.ndarray, "term equation"]],
    coefficients: Sequence[Matrix],
    starts: Sequence[Float[np.ndarray, "segment state"]],
    scales: Scales,
    *,
    iterations: int = 20,
    held: bool = False,
) -> list[Candidate]:
    """Fit supports, several at once, from these coefficients and first states; of `held` ones, first states alone."""
    found = []
    for begin in range(0, len(supports), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        chosen = np.stack(supports[some])
        together = np.asarray(chosen.any(axis=0))
        field = field_of(problem.library, together, problem.units, problem.order, problem.known)
        free = chosen[:, together]
        values = np.stack(coefficients[some])[:, together] / problem.units[together] * free
        done: Fitted = fitted(
            field,
            np.stack(starts[some]),
            values,
            free & (not held),
            problem.data,
            scales,
            substeps=problem.substeps,
            iterations=iterations,
        )
        scores = problem.score(done.squares, free.sum(axis=1))
        for c, support in enumerate(chosen):
            matrix = np.zeros(support.shape)
            matrix[together] = done.parameters[c] * problem.units[together]
            found.append(Candidate(support, matrix, done.starts[c], done.squares[c], float(scores[c])))
    return found


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate of the least criterion."""
    return min(candidates, key=lambda candidate: candidate.order)


def settled(problem: Shooting, candidate: Candidate, rounds: int = 4) -> tuple[Shooting, Candidate, Scales]:
    """Fit a candidate until the noise it is weighted by is the noise it leaves, with substeps enough for that noise."""
    scales = problem.scales(problem.noise(candidate.squares))
    for _ in range(rounds):
        problem = accurate(problem, candidate, scales)
        before = scales
        (candidate,) = fit_all(problem, [candidate.support], [candidate.coefficients], [candidate.starts], scales)
        scales = problem.scales(problem.noise(candidate.squares))
        if np.all(np.abs(np.log(scales.noise / before.noise)) < 0.1):
            break
    return problem, candidate, scales


def tightened(problem: Shooting, candidate: Candidate) -> Candidate:
    """Fit a settled candidate with ever smaller jumps between segments, as long as the data allow that.

    What is in the data of the parameters is then used to the full: small errors of parameters grow along a trajectory.
    """
    first = problem.noise(candidate.squares)
    for tight in TIGHTER:
        problem = replace(problem, tight=tight)
        scales = problem.scales(problem.noise(candidate.squares))
        (closer,) = fit_all(problem, [candidate.support], [candidate.coefficients], [candidate.starts], scales)
        if not np.all(problem.noise(closer.squares) <= LOOSENED * first):
            break
        candidate = closer
    return candidate


def accurate(problem: Shooting, candidate: Candidate, scales: Scales) -> Shooting:
    """Return the problem with as many substeps as the integration needs to be exact beside the noise."""
    field = field_of(problem.library, candidate.support, problem.units, problem.order, problem.known)
    values = (candidate.coefficients / problem.units)[candidate.support][None]

    def ends(substeps: int) -> np.ndarray:
        moved = motion(field, candidate.starts[None], values, problem.data, substeps=substeps, sensitive=False)
        return moved.states[0]

    coarse = ends(problem.substeps)
    while problem.substeps < MOST_SUBSTEPS:
        fine = ends(2 * problem.substeps)
        wrong = np.sqrt(np.mean(np.square(fine - coarse), axis=(0, 1)))
        if not np.isfinite(fine).all() or np.all(wrong <= ACCURATE * scales.noise):
            break
        problem, coarse = replace(problem, substeps=2 * problem.substeps), fine
    return problem


def improved(problem: Shooting, candidate: Candidate, offered: Bool[np.ndarray, "term equation"]) -> Candidate:
    """Return the best that local moves lead to: terms added, left out, exchanged, several at once.

    One sensitivity pass predicts what every move gains; the most promising are fitted, the best is taken if it is
    better, and so on until none is.
    """
    problem, candidate, scales = settled(problem, candidate)
    tried = {candidate.support.tobytes()}
    everything = field_of(problem.library, offered | candidate.support, problem.units, problem.order, problem.known)
    places = offered | candidate.support
    for _ in range(ROUNDS):
        values = (candidate.coefficients / problem.units)[places]
        moved = motion(everything, candidate.starts[None], values[None], problem.data, substeps=problem.substeps)
        equations = normal(problem.data, scales, candidate.starts[None], moved, 0)
        model = Quadratic(equations, values)
        limit = problem.price * (candidate.support.sum() + 1)
        chosen: list[tuple[np.ndarray, np.ndarray]] = []
        for move in moves(model, candidate.support[places], offered[places], problem.price, AT_ONCE):
            support = np.zeros_like(places)
            support[places] = move.support
            if move.misfit + problem.price * move.support.sum() > limit or len(chosen) == AT_ONCE:
                break
            if support.tobytes() not in tried:
                tried.add(support.tobytes())
                chosen.append((support, move.parameters))
        if not chosen:
            break
        supports = [support for support, _ in chosen]
        begins = []
        for support, parameters in chosen:
            predicted = np.zeros_like(candidate.coefficients)
            predicted[places] = parameters * problem.units[places]
            begins.append(_first(problem, support, [predicted, candidate.coefficients * support], candidate, scales))
        others = fit_all(problem, supports, begins, [candidate.starts] * len(begins), scales, iterations=QUICK)
        other = best_of(others)
        if not other.score < candidate.score - 0.1:
            break
        problem, candidate, scales = settled(problem, other, rounds=2)
    return candidate


def _first(
    problem: Shooting, support: np.ndarray, options: Sequence[Matrix], candidate: Candidate, scales: Scales
) -> Matrix:
    """The option whose misfit is least before any fit."""
    field = field_of(problem.library, support, problem.units, problem.order, problem.known)
    values = np.stack([(option / problem.units)[support] for option in options])
    starts = np.repeat(candidate.starts[None], len(options), axis=0)
    moved = motion(field, starts, values, problem.data, substeps=problem.substeps, sensitive=False)
    costs = np.sum(squares(problem.data, scales, starts, moved) / np.square(scales.noise), axis=1)
    return options[int(np.argmin(costs))]

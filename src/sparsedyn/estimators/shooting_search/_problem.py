"""What candidates are judged by: measured states in segments, noise, and the price of terms and constants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._course import Course
from sparsedyn.estimators.shooting_search._guards import singular, unwound, vanishes
from sparsedyn.estimators.shooting_search._library import kind, price
from sparsedyn.estimators.shooting_search._paths import Paths
from sparsedyn.estimators.shooting_search._prior import NOTHING, Prior
from sparsedyn.training.shooting import segments
from sparsedyn.training.shooting.needed import kernel
from sparsedyn.training.shooting.products import Term, parameters, program, refilled

PRECISION = 3e-5
"""Share of a state below which errors count as rounding: solvers and loggers are no more precise."""
LENGTHS = (5, 15, 50, 100, 150)
"""Steps of segments, which grow as fits get better."""
CLEAN = 10.0
"""Errors, in multiples of the precision, up to which measured states count as without noise."""
TIGHT, LOOSE = 0.1, 1.0
"""Standard deviation that a jump between segments may have, as a share of the noise's.

More on clean data, whose errors are those of a solver: it goes on from where they have led.
"""
BEYOND = 30.0
"""A state this many times as large as all measured ones has run away."""
REUSED = 0.4
"""Share of its price that a term costs in a further equation."""
VANISHING = 2.0
"""What a term gets back where a state of one sign stays at zero, by its whole equation, once it is there."""
NEAR = 0.9
"""Share of its largest value that a state has to fall to: zero says nothing of a temperature in kelvin."""
UNWOUND = 12.0
"""What a wave costs in a variable that goes through whole periods of it, but is no angle in its equation."""
ACCURATE, MOST_SUBSTEPS = 0.1, 32
"""Share of the noise that the error of integration may be, and the most substeps of a row."""
UNKNOWNS, AT_FIRST = 400, 2000
"""First states that a fit may have at most, and one to the shortest segments, where chaotic motions are found."""


class Cut(NamedTuple):
    """Segments of one length: what the compiled fit reads, first states, and the first row of every segment."""

    arrays: tuple[np.ndarray, ...]
    starts: Float[np.ndarray, "segment state"]
    length: int


class Candidate(NamedTuple):
    """Terms with their coefficients and equations, and how well they explain the states."""

    terms: tuple[Term, ...]
    coefficients: tuple[float, ...]
    equations: tuple[int, ...]
    starts: Float[np.ndarray, "segment state"]
    squares: Float[np.ndarray, " state"]
    noise: Float[np.ndarray, " state"]
    normal: Float[np.ndarray, "unknown unknown"]
    score: float
    level: int

    @property
    def key(self) -> frozenset[tuple[int, tuple[object, ...]]]:
        """What is the same for candidates of one form."""
        return frozenset((e, t.factors) for e, t in zip(self.equations, self.terms, strict=True))

    @property
    def free(self) -> int:
        """How many constants there are."""
        return sum(term.free for term in self.terms)


@dataclass
class Problem:
    """Measured states to be explained, some of all; the others are given by their smooth curves.

    The criterion of a candidate, less is better, is `N log(RSS / N + precision^2)` of all states, plus twice the price
    of all terms in nats, plus `log N` and more for every constant, less what `VANISHING` says. `fits` counts what was
    fitted, and `course` tells it. Terms with a pole where states may be, `low` and `high` being the least and largest
    measured values, are none.
    """

    states: tuple[int, ...]
    driven: tuple[int, ...]
    cuts: list[Cut]
    counts: Float[np.ndarray, " state"]
    noise: Float[np.ndarray, " state"]
    limit: Float[np.ndarray, " state"]
    low: Float[np.ndarray, " variable"]
    high: Float[np.ndarray, " variable"]
    precision: float = PRECISION
    substeps: int = 1
    tight: float = TIGHT
    prior: Prior = NOTHING
    course: Course = field(default_factory=Course)
    fits: int = 0

    @property
    def floor(self) -> Float[np.ndarray, " state"]:
        """The precision of every state."""
        return np.full(len(self.states), self.precision)

    def score(self, squares: Float[np.ndarray, " state"], terms: Sequence[Term], equations: Sequence[int]) -> float:
        """Return the criterion."""
        if not np.isfinite(squares).all() or any(singular(term, self.low, self.high) for term in terms):
            return np.inf
        misfit = float(np.sum(self.counts * np.log(squares / self.counts + self.precision**2)))
        return misfit + self.cost(terms, equations)

    def cost(self, terms: Sequence[Term], equations: Sequence[int]) -> float:
        """Return what terms and their constants cost."""
        seen: set[tuple[object, ...]] = set()
        total = 0.0
        functions: set[object] = set()
        for term in terms:
            own = REUSED * price(term) if term.factors in seen else price(term, functions)
            seen.add(term.factors)
            total += 2 * own
            functions.update(map(kind, term.factors))
        for e in set(equations):
            variable, right = self.states[e], [t for t, of in zip(terms, equations, strict=True) if of == e]
            total += self.cost_of_constants(sum(term.free for term in right))
            if self.reaches(variable) and all(vanishes(term, variable) for term in right):
                total -= VANISHING * len(right)
            total += UNWOUND * unwound(right, self.high - self.low)
        return total

    def cost_of_constants(self, count: int) -> float:
        """Return what so many constants of an equation cost: more than `log N` where there are few rows for each.

        The correction of the criterion for small samples by McQuarrie (1999): what is left underestimates the noise.
        """
        rows = float(self.counts.max())
        spare = rows - count - 2
        return count * np.log(rows) * rows / spare if spare > 0 else np.inf

    def reaches(self, variable: int) -> bool:
        """Whether a state of one sign comes near enough to zero for this to be a place of its own."""
        low, high = sorted((abs(self.low[variable]), abs(self.high[variable])))
        return bool(self.low[variable] * self.high[variable] > 0 and low < NEAR * high)

    def fit(
        self,
        terms: Sequence[Term],
        coefficients: Sequence[float],
        equations: Sequence[int],
        level: int,
        *,
        starts: Float[np.ndarray, "segment state"] | None = None,
        noise: Float[np.ndarray, " state"] | None = None,
        iterations: int = 20,
        rounds: int = 2,
        enough: float = 0.02,
    ) -> Candidate:
        """Fit all constants of a candidate to segments of this level."""
        self.fits += 1
        self.course.fitted()
        cut = self.cuts[level]
        made = program(terms, equations, self.states, self.driven, known=self.prior.known)
        p = parameters(terms, coefficients, known=self.prior.known)
        first = (cut.starts if starts is None else starts).copy()
        scale = (self.noise if noise is None else noise).copy()
        squares, normal, passes = kernel().fitted(
            tuple(made),
            p,
            first,
            cut.arrays,
            scale,
            self.floor,
            self.counts,
            self.tight,
            self.substeps,
            self.limit,
            iterations,
            rounds,
            enough,
        )
        self.course.worked(passes, self.substeps, len(self.states) + len(made.owners), self.counts.max())
        fine, values = refilled(terms, p)
        found = self.score(squares, fine, equations)
        return Candidate(fine, values, tuple(equations), first, squares, scale, normal, found, level)

    def again(self, candidate: Candidate, level: int | None = None, **settings: int) -> Candidate:
        """Fit a candidate further, or on segments of another length from where its own ones go."""
        level = candidate.level if level is None else level
        starts = candidate.starts if level == candidate.level else self.carried(candidate, level)
        return self.fit(
            candidate.terms,
            candidate.coefficients,
            candidate.equations,
            level,
            starts=starts,
            noise=np.maximum(candidate.noise, self.floor),
            **settings,
        )

    def states_of(self, candidate: Candidate, substeps: int | None = None) -> Float[np.ndarray, "segment row state"]:
        """Return the states at all rows of all segments, by the candidate's equations; NaN where it runs away."""
        cut = self.cuts[candidate.level]
        made = program(candidate.terms, candidate.equations, self.states, self.driven, known=self.prior.known)
        states = np.full((*cut.arrays[3].shape, len(self.states)), np.nan)
        kernel().moved(
            tuple(made),
            parameters(candidate.terms, candidate.coefficients, known=self.prior.known),
            candidate.starts,
            cut.arrays[2],
            cut.arrays[3],
            substeps or self.substeps,
            self.limit,
            states,
            np.empty((*states.shape, 0)),
        )
        return np.concatenate([candidate.starts[:, None], states], axis=1)

    def refine(self, candidate: Candidate) -> None:
        """Take as many substeps as make a candidate's integration exact beside its noise."""
        if not np.isfinite(candidate.score):
            return
        shape = 1 / np.sqrt(np.maximum(self.cuts[candidate.level].arrays[1], 1e-300))
        allowed = ACCURATE * np.maximum(candidate.noise, self.precision)
        count, coarse = self.substeps, self.states_of(candidate)
        while count < MOST_SUBSTEPS:
            fine = self.states_of(candidate, 2 * count)
            wrong = np.sqrt(np.mean(np.square((fine - coarse)[:, :-1] / shape[:, :-1]), axis=(0, 1)))
            if np.all(wrong <= allowed):
                break
            count, coarse = 2 * count, fine
        if np.isfinite(coarse).all():
            self.substeps = count

    def carried(self, candidate: Candidate, level: int) -> Float[np.ndarray, "segment state"]:
        """Return first states for segments of another level, as a candidate has them at these rows."""
        return self.begun(self.states_of(candidate), candidate.level, level)

    def begun(
        self, states: Float[np.ndarray, "segment row state"], before: int, level: int
    ) -> Float[np.ndarray, "other state"]:
        """Return first states for segments of a level, from states at all rows of segments of another."""
        old, new = self.cuts[before], self.cuts[level]
        found = new.starts.copy()
        place = {int(row): (s, k) for s, rows in enumerate(old.arrays[5]) for k, row in reversed(list(enumerate(rows)))}
        for s, row in enumerate(new.arrays[5][:, 0]):
            where = place.get(int(row))
            if where is not None and np.isfinite(states[where]).all():
                found[s] = states[where]
        return found


def related(problem: Problem, candidate: Candidate) -> Float[np.ndarray, " state"]:
    """Return the correlation of residuals of rows beside each other: hardly any, where they are noise of sensors.

    None, where states are explained to rounding.
    """
    measured, weights = problem.cuts[candidate.level].arrays[:2]
    noisy = candidate.squares / problem.counts > (CLEAN * problem.precision) ** 2
    return np.where(noisy, correlation(np.sqrt(weights) * (measured - problem.states_of(candidate))), 0.0)


def correlation(parts: Iterable[Float[np.ndarray, "row state"]]) -> Float[np.ndarray, " state"]:
    """Return the correlation of rows beside each other, over all parts."""
    pairs = [(np.sum(one[1:] * one[:-1], axis=0), np.sum(one**2, axis=0)) for one in parts]
    products, squares = np.sum(pairs, axis=0)
    found: np.ndarray = products / np.maximum(squares, 1e-300)
    return found


def problem_of(paths: Paths, states: Sequence[int], precision: float, lengths: Sequence[int] = LENGTHS) -> Problem:
    """Return the problem of explaining these states; the others are as smooth curves say."""
    states = list(states)
    data = paths.data
    total, width = len(data.state_names) + len(data.input_names), len(states)
    driven = [i for i in range(total) if i not in states]
    measured = [x[:, states] for x in data.states]
    weights = [1 / np.square(shape[:, states]) for shape in paths.shapes]
    if width == len(data.state_names):
        # Held inputs alone are constants in a step.
        inputs = [np.ascontiguousarray(one[:, :1, [i - width for i in driven]]) for one in paths.inputs]
    else:
        inputs = [np.ascontiguousarray(one[:, :, driven]) for one in paths.variables]
    steps = [np.diff(t) for t in data.time]
    longest = max(len(h) for h in steps)
    begins = [x[:, states] for x in paths.smooth]
    firsts = np.cumsum([0, *[len(x) for x in measured[:-1]]])
    numbers = [np.arange(len(x), dtype=float)[:, None] + first for x, first in zip(measured, firsts, strict=True)]
    cuts: list[Cut] = []
    for length in lengths:
        if cuts and length > longest and cuts[-1].length >= longest:
            break
        own = min(length, longest)
        data_cut = segments(measured, inputs, steps, own, weights)
        if len(data_cut.measured) * width > (UNKNOWNS if cuts else AT_FIRST) and length < lengths[-1]:
            continue
        start = segments(begins, inputs, steps, own).measured[:, 0]
        rows = segments(numbers, inputs, steps, own).measured[:, :, 0]
        rows[:, 1:][data_cut.steps == 0] = -1
        arrays = (data_cut.measured, data_cut.weights, data_cut.inputs, data_cut.steps, data_cut.entering)
        made = tuple(np.ascontiguousarray(a, dtype=float) for a in (*arrays, rows))
        cuts.append(Cut(made, np.ascontiguousarray(start), own))
    whole = np.concatenate(measured)
    counts = np.full(width, float(len(whole)))
    limit = BEYOND * np.abs(whole).max(axis=0)
    around = np.concatenate([np.concatenate(pair, axis=1) for pair in zip(data.states, data.inputs, strict=True)])
    return Problem(
        tuple(states),
        tuple(driven),
        cuts,
        counts,
        paths.noise[list(states)].copy(),
        limit,
        around.min(axis=0),
        around.max(axis=0),
        precision,
        tight=LOOSE if paths.clean else TIGHT,
        prior=paths.prior.among(states),
    )

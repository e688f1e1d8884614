"""Terms and coefficients by what they explain of the measured states, not of estimated derivatives."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from sparsedyn.estimators.sindy._proposals import Proposal
from sparsedyn.estimators.sindy._regression import terms
from sparsedyn.estimators.sindy._states import States
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Factor, factor
from sparsedyn.training.shooting import (
    Candidate,
    Segments,
    Shooting,
    best_of,
    fit_all,
    improved,
    segments,
    settled,
    tightened,
)
from sparsedyn.training.shooting.motion import motion
from sparsedyn.training.shooting.search import PRECISION, accurate
from sparsedyn.training.shooting.segments import LENGTH
from sparsedyn.training.shooting.terms import field_of

SEARCHED, REFINED = 1e5, 1e6
"""Most values that sensitivities may have in a search, and when coefficients are refined."""
FEWEST = 300
"""Rows that a search needs; where fewer are affordable, proposals are judged with the coefficients of regression."""
RUN = 8
"""Segments in a row that are taken together where only some are."""
SHORTEST = 2
"""Steps of a segment where states move far from row to row: over longer ones small errors grow beyond fitting."""
PROBED = 64
"""Segments by which the accuracy of integration is told."""
SEEDS = 4
"""Tiers at whose best proposals a search begins, as long as it leaves more than smoothing does."""
ENOUGH = 1.1
"""Noise that equations may leave, in multiples of what smoothing takes away."""
FIRST = 6
"""Iterations by which proposals are compared."""


def price(rows: int, terms: int) -> float:
    """Return what a term has to gain: the extended Bayesian criterion of Chen & Chen 2008, with gamma one half."""
    return float(np.log(rows) + np.log(terms))


class Judge:
    """Measured states, ready to judge and to refine what regression proposes; `clean` ones are not smoothed."""

    def __init__(self, given: States, library: Library, reduced: Factor, *, clean: bool = False) -> None:
        measured, order, data = given.measured, given.order, given.measured.data
        smooth, noise = list(data.states), np.zeros(data.states[0].shape[1])
        self.weights = [np.ones_like(x) for x in data.states]
        if not clean:
            smooth = [one.states for one in given.smoothed]
            noise, self.weights = _typical([one.spread for one in given.smoothed])
        slopes = [_slopes(x, t) for x, t in zip(smooth, data.time, strict=True)]
        states, begin, self.targets = list(data.states), smooth, slopes
        if order == 2:
            velocities = measured.x_dot or [np.full_like(x, np.nan) for x in states]
            states = [np.concatenate(pair, axis=1) for pair in zip(states, velocities, strict=True)]
            self.weights = [np.concatenate([w, np.ones_like(w)], axis=1) for w in self.weights]
            rates = measured.x_dot or slopes
            begin = [np.concatenate(pair, axis=1) for pair in zip(smooth, rates, strict=True)]
            self.targets = [_slopes(v, t) for v, t in zip(rates, data.time, strict=True)]
        self.begin, self.inputs = begin, list(data.inputs)
        self.states, self.steps = states, [np.diff(t) for t in data.time]
        self.within = [
            u[:-1, None] if given.inputs == "held" else _powers(u, t)
            for u, t in zip(data.inputs, data.time, strict=True)
        ]
        cut, self.starts = self._cut(_length(begin))
        spread = np.concatenate(begin).std(axis=0)
        rms = reduced.rms
        self.problem = Shooting(
            cut,
            library,
            rms[library.size :] / rms[: library.size, None],
            PRECISION * np.where(spread > 0, spread, 1.0),
            price(sum(data.lengths), library.size),
            order,
            known=None if given.known is None else given.known.values,
        )
        shares = noise / np.where(spread[: len(noise)] > 0, spread[: len(noise)], 1.0)
        self.noise = np.maximum(np.resize(shares, len(spread)), 10 * PRECISION) * np.where(spread > 0, spread, 1.0)

    @property
    def width(self) -> int:
        """The number of states."""
        return self.starts.shape[1]

    def regression(self, library: Library) -> Factor:
        """Return the terms and derivatives of the smoothed states, all rows of all trajectories."""
        theta = [terms(library, *pair) for pair in zip(self.begin, self.inputs, strict=True)]
        return factor(np.concatenate(theta), np.concatenate(self.targets))

    def affordable(self, places: int, limit: float) -> int:
        """Return of how many segments sensitivities by so many coefficients are affordable."""
        length = self.problem.data.steps.shape[1]
        return int(limit / (length * self.width * (self.width + places)))

    def chosen(self, tiers: Sequence[Sequence[Proposal]], *, search: bool) -> Candidate:
        """Return the proposal that explains the states best or, with `search`, the best that its neighbours lead to.

        A search begins at the best of a tier and, where much is left to explain and that is quick, of others. It begins
        on as many rows as are quickly fitted, and is finished on all of them where that is affordable.
        """
        places = tiers[0][0].support.size
        count = self.affordable(places, SEARCHED)
        length = self.problem.data.steps.shape[1]
        often = min(SEEDS, max(1, count // len(self.starts)))
        # Many rows tell terms apart by themselves, and fits of them are slow.
        tiers = tiers if often > 1 else tiers[-1:]
        proposals = [proposal for tier in tiers for proposal in tier]
        if not search or count < min(len(self.starts), FEWEST / length):
            return self.judged(proposals)
        offered = np.ones_like(proposals[0].support)
        some, starts = self._some(count)
        fits = iter(self._fits(some, starts, proposals))
        begins = [best_of([next(fits) for _ in tier]) for tier in tiers]
        begins = sorted({one.support.tobytes(): one for one in begins}.values(), key=lambda one: one.order)
        found: list[Candidate] = []
        for one in begins[:often]:
            found.append(improved(some, one, offered))
            best = best_of(found)
            if np.all(some.noise(best.squares) <= ENOUGH * self.noise):
                break
        if len(starts) == len(self.starts) or len(self.starts) > self.affordable(places, REFINED):
            return best
        (best,) = self._fits(self.problem, self.starts, [Proposal(best.support, best.coefficients)])
        return improved(self.problem, best, offered)

    def judged(self, proposals: Sequence[Proposal]) -> Candidate:
        """Return the proposal that explains these states best, with its coefficients as they are."""
        some, starts = self._some(self.affordable(0, SEARCHED))
        return best_of(self._fits(some, starts, proposals, held=True))

    def fits(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Return proposals with coefficients fitted to the states, or as they are where that is not affordable."""
        if len(self.starts) > self.affordable(proposals[0].support.size, REFINED):
            return list(proposals)
        return [Proposal(c.support, c.coefficients) for c in self._fits(self.problem, self.starts, proposals)]

    def refined(self, support: np.ndarray, coefficients: np.ndarray) -> np.ndarray | None:
        """Return the coefficients of these terms fitted to the states, `None` where that is not affordable or fails."""
        if not support.any() or len(self.starts) > self.affordable(int(support.sum()), REFINED):
            return None
        (found,) = self._fits(self.problem, self.starts, [Proposal(support, coefficients)])
        if not np.isfinite(found.score):
            return None
        problem, found, _ = settled(self.problem, found)
        return tightened(problem, found).coefficients

    def simulations(
        self, coefficients: Sequence[np.ndarray], rows: int, runs: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return simulated states (run, row, state) from rows spread over the data, the measured ones, and where.

        The `coefficients` simulate one run each, in turn.
        """
        data, begins = self._cut(min(rows, max(len(x) for x in self.begin) - 1))
        chosen = np.unique(np.linspace(0, len(begins) - 1, runs).astype(int))
        shares = [chosen[i :: len(coefficients)] for i in range(len(coefficients))]
        moved = [
            self._moved(values, data.some(own), begins[own])
            for values, own in zip(coefficients, shares, strict=True)
            if own.size
        ]
        data = data.some(np.concatenate(shares))
        return np.concatenate(moved), data.measured[:, 1:], data.weights[:, 1:] > 0

    def _moved(self, coefficients: np.ndarray, data: Segments, begins: np.ndarray) -> np.ndarray:
        problem, support = self.problem, coefficients != 0
        field = field_of(problem.library, support, problem.units, problem.order, problem.known)
        values = (coefficients / problem.units)[support][None]
        substeps = self.substeps(coefficients)
        found: np.ndarray = motion(field, begins[None], values, data, substeps=substeps, sensitive=False).states[0]
        return found

    def substeps(self, coefficients: np.ndarray) -> int:
        """Return how many steps of integration a row needs for these coefficients."""
        some, starts = self._some(PROBED)
        guess = Candidate(coefficients != 0, coefficients, starts, np.zeros(self.width), np.inf)
        # Fine also where the noise is large: coarse steps damp what they simulate.
        return accurate(some, guess, some.scales(np.minimum(self.noise, 10 * some.precision))).substeps

    def _cut(self, length: int) -> tuple[Segments, np.ndarray]:
        """The states in segments of this length, and their first states, smoothed."""
        data = segments(self.states, self.within, self.steps, length, self.weights)
        return data, segments(self.begin, self.within, self.steps, length).measured[:, 0]

    def _fits(
        self, problem: Shooting, starts: np.ndarray, proposals: Sequence[Proposal], *, held: bool = False
    ) -> list[Candidate]:
        scales = problem.scales(self.noise)
        sparse = proposals[min(2, len(proposals) - 1)]
        guess = Candidate(*sparse, starts, np.zeros(self.width), np.inf)
        problem = accurate(problem, guess, scales)
        # Of equal supports, the first.
        distinct = {p.support.tobytes(): p for p in reversed(proposals)}
        found = fit_all(
            problem,
            [p.support for p in distinct.values()],
            [p.coefficients for p in distinct.values()],
            [starts] * len(distinct),
            scales,
            iterations=FIRST,
            held=held,
        )
        by_support = dict(zip(distinct, found, strict=True))
        return [by_support[p.support.tobytes()] for p in proposals]

    def _some(self, count: int) -> tuple[Shooting, np.ndarray]:
        """Return the problem with at most so many segments: half spread evenly, half where states move most."""
        if count >= len(self.starts):
            return self.problem, self.starts
        runs = max(1, count // (2 * RUN))
        data: Segments = self.problem.data
        blocks = np.arange(len(self.starts) // RUN)
        spread = data.measured.std(axis=(0, 1))
        moved = np.square(np.diff(data.measured, axis=1)).mean(axis=1) / np.where(spread > 0, spread, 1.0) ** 2
        moved = moved[: len(blocks) * RUN].reshape(len(blocks), RUN, -1).mean(axis=1)
        most = np.argsort(-(moved / np.maximum(moved.mean(axis=0), 1e-300)).sum(axis=1))[:runs]
        even = np.linspace(0, len(blocks) - 1, runs).astype(int)
        taken = np.unique(np.concatenate([most, even]))
        chosen = (taken[:, None] * RUN + np.arange(RUN)).ravel()
        return replace(self.problem, data=data.some(chosen)), self.starts[chosen]


def _length(states: Sequence[np.ndarray]) -> int:
    """Return the steps of a segment: as many as no state moves by more than a standard deviation in, within bounds."""
    spread = np.square(np.nanstd(np.concatenate(states), axis=0))
    for lag in range(SHORTEST, LENGTH):
        moved = [x[lag:] - x[:-lag] for x in states if len(x) > lag]
        if moved and np.any(np.nanmean(np.square(np.concatenate(moved)), axis=0) > spread):
            return lag
    return LENGTH


def _typical(spread: Sequence[np.ndarray]) -> tuple[Float[np.ndarray, " state"], list[np.ndarray]]:
    """Return the geometric mean of the noise of every state, and how much values count: less where there is more."""
    together = np.concatenate(spread)
    known = (together > 0).all(axis=0)
    noise = np.where(known, np.exp(np.mean(np.log(np.where(known, together, 1.0)), axis=0)), 0.0)
    return noise, [np.square(np.where(known, noise / np.where(known, one, 1.0), 1.0)) for one in spread]


def _slopes(x: Float[np.ndarray, "row state"], t: Float[np.ndarray, " row"]) -> Float[np.ndarray, "row state"]:
    """Derivatives of smooth states at all rows."""
    return CubicSpline(t, x)(t, 1) if len(t) > 1 else np.zeros_like(x)


def _powers(u: Float[np.ndarray, "row input"], t: Float[np.ndarray, " row"]) -> Float[np.ndarray, "step power input"]:
    """Inputs that run smoothly between rows, as powers of the share of a row that has passed."""
    pieces = CubicSpline(t, u).c[::-1].transpose(1, 0, 2)
    return np.asarray(pieces * np.diff(t)[:, None, None] ** np.arange(4)[:, None])

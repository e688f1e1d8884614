"""What changes of a candidate would gain, predicted by one pass of sensitivities by all terms that may be added."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._library import kind, price
from sparsedyn.estimators.shooting_search._problem import Candidate, Problem
from sparsedyn.training.shooting.needed import kernel
from sparsedyn.training.shooting.products import (
    Term,
    parameters,
    program,
)

PAIRED = 7
"""Terms up to which all pairs of them are tried without."""
PAIRS = 5
"""Terms to which a second one is looked for."""


class Move(NamedTuple):
    """Another candidate's terms, with the constants that the quadratic model has for them, and its predicted score."""

    terms: tuple[Term, ...]
    coefficients: tuple[float, ...]
    equations: tuple[int, ...]
    score: float


class Scan:
    """The misfit of a candidate, and of all that differ from it by few terms, to second order."""

    def __init__(self, problem: Problem, candidate: Candidate, offered: Sequence[Term], of: Sequence[int]) -> None:
        self.problem, self.candidate, self.offered, self.of = problem, candidate, list(offered), list(of)
        each = np.log(problem.counts.max())
        there = {kind(factor) for term in candidate.terms for factor in term.factors}
        self.prices = np.asarray([2 * price(term, there) + term.free * each for term in self.offered])
        known = problem.prior.known
        made = program(
            candidate.terms, candidate.equations, problem.states, problem.driven, fixed=offered, of=of, known=known
        )
        p = parameters(candidate.terms, candidate.coefficients, offered, known)
        self.fine = self._assembled(made, p)

    def _assembled(self, made: tuple[np.ndarray, ...], p: np.ndarray) -> bool:
        problem, candidate = self.problem, self.candidate
        measured, weights, inputs, steps, entering = problem.cuts[candidate.level].arrays[:5]
        width, many = len(problem.states), len(made[4])
        states = np.empty((*steps.shape, width))
        by = np.empty((*states.shape, width + many))
        starts = candidate.starts
        arguments = (tuple(made), p, starts, inputs, steps, problem.substeps, problem.limit, states, by)
        problem.course.worked(1, problem.substeps, width + many, problem.counts.max())
        if not kernel().moved(*arguments) or not np.isfinite(states).all():
            return False
        # What one term lets run away is not offered.
        bad = np.logical_not(np.asarray(np.isfinite(by).all(axis=(0, 1, 2))))
        by[..., bad] = 0.0
        noise = np.maximum(candidate.noise, problem.floor)
        root = np.sqrt(weights[:, 1:]) / noise
        tight = np.sqrt(entering) / (problem.tight * noise)
        jumps = np.zeros_like(starts)
        jumps[:-1] = starts[1:] - states[:-1, -1]
        misfit = np.concatenate([(measured[:, 1:] - states) * root, (jumps * tight)[:, None]], axis=1)
        count, length = steps.shape
        rows = np.concatenate([by * root[..., None], by[:, -1:] * tight[:, None, :, None]], axis=1)
        rows = rows.reshape(count, (length + 1) * width, width + many)
        wrong = misfit.reshape(count, -1)
        own, shared = rows[..., :width], rows[..., width:]
        flat = shared.reshape(-1, many)
        first = weights[:, 0] / np.square(noise)
        right = np.einsum("srn,sr->sn", own, wrong) + first * (measured[:, 0] - starts)
        blocks = np.zeros((count, width, count, width))
        at, each = np.arange(count), np.arange(width)
        blocks[at, :, at, :] = own.transpose(0, 2, 1) @ own
        entered = np.zeros((count, width))
        entered[1:] = tight[:-1]
        blocks[at[:, None], each, at[:, None], each] += first + np.square(entered) + 1e-12 / np.square(noise)
        cross = own.transpose(0, 2, 1) @ shared
        last = rows[:, -width:]
        cross[1:] -= tight[:-1, :, None] * last[:-1, :, width:]
        right[1:] -= tight[:-1] * wrong[:-1, -width:]
        off = -last[:-1, :, :width] * tight[:-1, :, None]
        blocks[at[1:], :, at[:-1], :] = off
        blocks[at[:-1], :, at[1:], :] = off.transpose(0, 2, 1)
        size = count * width
        matrix, across = blocks.reshape(size, size), cross.reshape(size, many)
        scale = 1 / np.sqrt(np.diag(matrix))
        root_of = np.linalg.cholesky(matrix * np.outer(scale, scale) + 1e-13 * np.eye(size))
        both = np.linalg.solve(root_of, np.column_stack([across, right.ravel()]) * scale[:, None])
        self.flat, self.reduced = flat, both[:, :-1]
        self.linear = flat.T @ wrong.ravel() - both[:, :-1].T @ both[:, -1]
        free = sum(term.free for term in candidate.terms)
        self.free = free
        now = slice(0, free)
        self.gram = flat[:, now].T @ flat - both[:, now].T @ both[:, :-1]
        self.own = np.sum(np.square(flat), axis=0) - np.sum(np.square(both[:, :-1]), axis=0)
        raw = np.sum(np.square(flat), axis=0)
        self.usable = ~bad[width:] & (self.own > 1e-9 * raw) & (raw > 0)
        self.cost = float(np.sum(np.square(misfit)) + np.sum(first * np.square(measured[:, 0] - starts)))
        # A fit that has not settled would gain by settling, which no move is to be credited for.
        step = _solved(self.gram[:, now], self.linear[now])
        self.cost_here = self.cost - float(self.linear[now] @ step)
        return bool(np.isfinite(self.gram).all())

    def moves(self, most: int) -> list[Move]:
        """Return the most promising changes, best first: terms added, left out, exchanged, two for one, two more."""
        terms = self.candidate.terms
        count = len(terms)
        found: list[Move] = []
        for left_out in [(), *[(k,) for k in range(count)], *combinations(range(count), 2)]:
            if len(left_out) == 2 and count > PAIRED:
                continue
            found += self._without(left_out, (most, most // 2, 2)[len(left_out)])
        return sorted(found, key=lambda move: move.score)

    def _without(self, left_out: Sequence[int], most: int) -> list[Move]:
        """Moves that leave these terms out, alone or for one further term."""
        candidate = self.candidate
        terms: list[int] = []
        places: list[int] = []
        dropped: list[int] = []
        place = 0
        for k, term in enumerate(candidate.terms):
            if k in left_out:
                dropped.append(place)
            else:
                terms.append(k)
                places += range(place, place + term.free)
            place += term.free
        values = parameters(candidate.terms, candidate.coefficients)
        gram = self.gram[:, : self.free]
        linear = self.linear + self.gram[dropped].T @ values[dropped]
        base = self.cost + 2 * float(self.linear[dropped] @ values[dropped])
        base += float(values[dropped] @ gram[np.ix_(dropped, dropped)] @ values[dropped])
        matrix = gram[np.ix_(places, places)]
        solved = _solved(matrix, np.column_stack([linear[places], self.gram[places]]))
        step, across = solved[:, 0], solved[:, 1:]
        misfit = base - float(linear[places] @ step)
        found = []
        kept = [candidate.terms[k] for k in terms]
        equations = [candidate.equations[k] for k in terms]
        if left_out and kept:
            found.append(self._move(kept, equations, values[places] + step, misfit))
        rest = (linear - self.gram[places].T @ step)[self.free :]
        curvature = self.own[self.free :] - np.sum(self.gram[places][:, self.free :] * across[:, self.free :], axis=0)
        fine = self.usable[self.free :] & (curvature > 1e-7 * self.own[self.free :])
        gains = np.where(fine, np.square(rest) / np.where(fine, curvature, 1.0), 0.0)
        prices = self.prices
        scores = self._misfit(np.maximum(misfit - gains, 1e-9 * self.cost)) + prices
        scores = np.where(fine, scores, np.inf)
        for c in np.argsort(scores)[:most]:
            if not np.isfinite(scores[c]):
                break
            amount = rest[c] / curvature[c]
            moved = values[places] + step - across[:, self.free + c] * amount
            left = misfit - gains[c]
            found.append(self._move([*kept, self.offered[c]], [*equations, self.of[c]], moved, left, float(amount)))
            if not left_out and c in np.argsort(scores)[:PAIRS]:
                found += self._second(places, values, step, across, rest, curvature, fine, misfit, prices, int(c))
        return found

    def _second(
        self,
        places: Sequence[int],
        values: np.ndarray,
        step: np.ndarray,
        across: np.ndarray,
        rest: np.ndarray,
        curvature: np.ndarray,
        fine: np.ndarray,
        misfit: float,
        prices: np.ndarray,
        c: int,
    ) -> list[Move]:
        """Moves that add a second term beside one."""
        column = self.free + c
        between = (
            self.flat[:, column] @ self.flat[:, self.free :] - self.reduced[:, column] @ self.reduced[:, self.free :]
        )
        between = between - self.gram[places, column] @ across[:, self.free :]
        left = rest - between * rest[c] / curvature[c]
        second = curvature - np.square(between) / curvature[c]
        able = fine & (second > 1e-6 * self.own[self.free :])
        able[c] = False
        gains = np.where(able, np.square(left) / np.where(able, second, 1.0), 0.0)
        base = misfit - rest[c] ** 2 / curvature[c]
        scores = np.where(able, self._misfit(np.maximum(base - gains, 1e-9 * self.cost)) + prices, np.inf)
        found = []
        for d in np.argsort(scores)[:2]:
            if np.isfinite(scores[d]):
                other = left[d] / second[d]
                one = rest[c] / curvature[c] - between[d] / curvature[c] * other
                moved = values[places] + step - across[:, column] * one - across[:, self.free + d] * other
                terms = [*self.candidate.terms, self.offered[c], self.offered[d]]
                equations = [*self.candidate.equations, self.of[c], self.of[d]]
                found.append(self._move(terms, equations, moved, base - gains[d], float(one), float(other)))
        return found

    def _misfit(self, misfit: np.ndarray | float) -> np.ndarray:
        total = float(np.sum(self.problem.counts))
        found: np.ndarray = total * np.log(np.maximum(misfit, 1e-12 * self.cost) / self.cost_here)
        return found

    def _move(
        self, terms: Sequence[Term], equations: Sequence[int], moved: np.ndarray, misfit: float, *more: float
    ) -> Move:
        """A move, by the values of parameters that stay and the coefficients of terms that are new."""
        coefficients, made, place = [], [], 0
        new = len(terms) - len(more)
        for term in terms[:new]:
            coefficients.append(float(moved[place]))
            inside = tuple(float(v) for v in moved[place + 1 : place + term.free])
            close = all(abs(a - b) <= 0.5 * abs(b) + 1e-12 for a, b in zip(inside, term.inside, strict=True))
            made.append(Term(term.factors, inside if close else term.inside))
            place += term.free
        made += terms[new:]
        coefficients += more
        score = float(self._misfit(misfit)) + self.problem.cost(made, equations)
        return Move(tuple(made), tuple(coefficients), tuple(equations), score)


def _solved(matrix: Float[np.ndarray, "n n"], right: np.ndarray) -> np.ndarray:
    """Solve a symmetric system, scaled to a unit diagonal."""
    if not len(matrix):
        return np.zeros_like(right)
    size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    scaled = matrix / np.outer(size, size) + 1e-10 * np.eye(len(matrix))
    found: np.ndarray = (np.linalg.solve(scaled, (right.T / size).T).T / size).T
    return found


def distinct(moves: Sequence[Move], tried: set[object]) -> Iterator[Move]:
    """Return moves whose form is new, and note it."""
    for move in moves:
        key = (
            frozenset((e, t.factors) for e, t in zip(move.equations, move.terms, strict=True)),
            tuple(round(v, 1) for t in move.terms for v in t.inside) if len(move.terms) < 3 else (),
        )
        if key not in tried:
            tried.add(key)
            yield move

"""Supports that integrals along smooth curves propose: linear regressions that cost little, and never judge."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.estimators.shooting_search._library import POLYNOMIAL, Library
from sparsedyn.estimators.shooting_search._paths import WEIGHTS, Paths
from sparsedyn.training.shooting.needed import kernel
from sparsedyn.training.shooting.products import Term, parameters, program

Support = tuple[int, ...]

BEAM, LONGEST = 8, 6
"""Supports of every size that are kept, and the largest size."""
CORE, CORE_SIZE = 6, 4
"""Terms of which all small supports are proposed, and their largest size."""
BESIDE = 3
"""Polynomial terms beside a term with constants inside."""
TURNS = (2, 2, 1, 0)
"""How often each function has its turn beside so many polynomial terms, whatever regression says of it."""
RIDGE = 1e-13
LARGEST = 1e60
"""Values of terms from which on their squares would not be numbers."""


class Integrals(NamedTuple):
    """Normal equations of `x(t) = x(0) + integral of terms`, one right side per state."""

    gram: list[Float[np.ndarray, "term term"]]
    right: list[Float[np.ndarray, " term"]]
    squares: list[float]
    rows: int
    usable: Bool[np.ndarray, " term"]


def values_of(terms: Sequence[Term], points: Float[np.ndarray, "point variable"]) -> Float[np.ndarray, "point term"]:
    """Return terms at points."""
    made = program([], [], range(points.shape[1]), [], fixed=terms, of=[0] * len(terms))
    found: np.ndarray = kernel().evaluated(tuple(made), parameters([], [], terms), np.ascontiguousarray(points))
    return found


def integrals(paths: Paths, terms: Sequence[Term]) -> Integrals:
    """Return regressions of all states on integrals of terms along smooth curves; a constant per trajectory is free."""
    columns, usable = [], np.ones(len(terms), bool)
    known = []
    for nodes, t in zip(paths.nodes, paths.data.time, strict=True):
        flat = nodes.reshape(-1, nodes.shape[2])
        with np.errstate(all="ignore"):
            values = values_of(terms, flat)
        usable &= np.all(np.abs(values) < LARGEST, axis=0)
        values = values.reshape(*nodes.shape[:2], len(terms))
        rises = np.einsum("snt,n->st", np.where(usable, values, 0.0), WEIGHTS) * np.diff(t)[:, None]
        columns.append(np.concatenate([np.zeros((1, len(terms))), np.cumsum(rises, axis=0)]))
        known.append(_known(paths, flat, t))
    gram, right, squares = [], [], []
    for j in range(len(paths.data.state_names)):
        total, along, whole = np.zeros((len(terms),) * 2), np.zeros(len(terms)), 0.0
        for phi, x, shape, part in zip(columns, paths.data.states, paths.shapes, known, strict=True):
            root = 1 / shape[:, j]
            origin = root / np.sqrt(np.sum(root**2))
            a = phi * root[:, None]
            a = a - np.outer(origin, origin @ a)
            y = (x[:, j] - part[:, j]) * root
            y = y - origin * (origin @ y)
            total += a.T @ a
            along += a.T @ y
            whole += float(y @ y)
        gram.append(total)
        right.append(along)
        squares.append(whole)
    sizes = np.sqrt(np.mean([np.diag(g) for g in gram], axis=0))
    usable &= np.isfinite(sizes) & (sizes > 0)
    return Integrals(gram, right, squares, sum(len(x) for x in paths.data.states), usable)


def _known(paths: Paths, points: Float[np.ndarray, "point variable"], t: np.ndarray) -> Float[np.ndarray, "row state"]:
    """What the known part has moved states by, at all rows."""
    known = paths.prior.known
    found = np.zeros((len(t), len(paths.data.state_names)))
    if known:
        values = values_of([one.term for one in known], points).reshape(len(t) - 1, len(WEIGHTS), len(known))
        moved = np.cumsum(np.einsum("snk,n->sk", values, WEIGHTS) * np.diff(t)[:, None], axis=0)
        for k, one in enumerate(known):
            found[1:, one.equation] += one.coefficient * moved[:, k]
    return found


class Regression:
    """The regression of one state, columns scaled to one."""

    def __init__(self, form: Integrals, state: int) -> None:
        size = np.sqrt(np.maximum(np.diag(form.gram[state]), 1e-300))
        self.size = size
        self.gram = form.gram[state] / np.outer(size, size)
        self.right = form.right[state] / size
        self.squares, self.rows, self.usable = form.squares[state], form.rows, form.usable

    def solved(self, support: Sequence[int]) -> tuple[Float[np.ndarray, " chosen"], float]:
        """Return coefficients in units of the data and what is left, as a share."""
        chosen = list(support)
        matrix = self.gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        found = np.linalg.solve(matrix, self.right[chosen])
        left = max(self.squares - float(self.right[chosen] @ found), 1e-14 * self.squares)
        return found / self.size[chosen], left / self.squares

    def with_one(self, support: Sequence[int]) -> Float[np.ndarray, " term"]:
        """Return what is left, as a share, with each further term; infinite where it says nothing new."""
        chosen = list(support)
        if not chosen:
            gains = np.square(self.right)
            return np.where(self.usable, np.maximum(1 - gains / self.squares, 1e-14), np.inf)
        matrix = self.gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        solved = np.linalg.solve(matrix, np.column_stack([self.right[chosen], self.gram[chosen]]))
        left = self.right - self.gram[:, chosen] @ solved[:, 0]
        curvature = 1 - np.sum(self.gram[:, chosen].T * solved[:, 1:], axis=0)
        base = self.squares - float(self.right[chosen] @ solved[:, 0])
        fine = self.usable & (curvature > 1e-9)
        fine[chosen] = False
        shares = (base - np.square(left) / np.where(fine, curvature, 1.0)) / self.squares
        return np.where(fine, np.maximum(shares, 1e-14), np.inf)


def beam(regression: Regression, offered: Bool[np.ndarray, " term"], prices: np.ndarray) -> list[list[Support]]:
    """Return the best supports of every size, extended term by term from the best of one less."""
    found: list[list[Support]] = []
    kept: list[Support] = [()]
    for _ in range(LONGEST):
        ranked: dict[Support, float] = {}
        for support in kept:
            scores = regression.rows * np.log(regression.with_one(support)) + 2 * prices
            scores = np.where(offered, scores, np.inf)
            before = 2 * float(prices[list(support)].sum())
            for place in np.argpartition(scores, min(BEAM, len(scores) - 1))[:BEAM]:
                if np.isfinite(scores[place]):
                    ranked.setdefault(tuple(sorted((*support, int(place)))), float(scores[place]) + before)
        kept = sorted(ranked, key=lambda one: ranked[one])[:BEAM]
        if not kept:
            break
        found.append(kept)
    return found


def pairs(regression: Regression, offered: Bool[np.ndarray, " term"], prices: np.ndarray, most: int) -> list[Support]:
    """Return the best of all pairs of terms."""
    places = np.flatnonzero(offered & regression.usable)
    gram, right = regression.gram[np.ix_(places, places)], regression.right[places]
    determinant = 1 - np.square(gram)
    gain = np.square(right)[:, None] + np.square(right) - 2 * gram * np.outer(right, right)
    fine = np.triu(determinant > 1e-9, 1)
    left = np.where(fine, 1 - gain / np.where(fine, determinant, 1.0) / regression.squares, np.inf)
    scores = regression.rows * np.log(np.maximum(left, 1e-14)) + 2 * np.add.outer(prices[places], prices[places])
    best = np.argsort(scores, axis=None)[:most]
    rows, columns = np.unravel_index(best, scores.shape)
    chosen = zip(rows, columns, strict=True)
    return [(int(places[a]), int(places[b])) for a, b in chosen if np.isfinite(scores[a, b])]


def core(regression: Regression, library: Library) -> list[Support]:
    """Return all small supports of the cheapest polynomials."""
    cheap = [int(k) for k in np.argsort(library.prices, kind="stable") if library.tiers[k] == POLYNOMIAL]
    cheap = [k for k in cheap if regression.usable[k]][:CORE]
    return [one for size in range(1, CORE_SIZE + 1) for one in combinations(cheap, size)]


class Guess(NamedTuple):
    """Terms with coefficients to begin with."""

    terms: tuple[Term, ...]
    coefficients: tuple[float, ...]


def beside(regression: Regression, library: Library, most: int) -> Iterator[Guess]:
    """Return small polynomials with one term that has constants inside, those that leave least first.

    What constants between those of the grid would leave, the span of neighbours tells (variable projection, to second
    order). For every polynomial there are the `most` best kinds of terms.
    """
    small: list[Support] = [(), *(one for one in core(regression, library) if len(one) <= BESIDE)]
    kinds: dict[object, int] = {}
    cells = [one for one in library.cells if regression.usable[list(one)].all()]
    groups = [np.asarray([one for one in cells if len(one) == size]).reshape(-1, size) for size in (2, 3)]
    names = [
        np.asarray([kinds.setdefault(library.terms[cell[0]].factors, len(kinds)) for cell in group]) for group in groups
    ]
    ranked: list[tuple[float, Support, np.ndarray, np.ndarray]] = []
    for support in small:
        chosen = list(support)
        matrix = regression.gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        if chosen:
            solved = np.linalg.solve(matrix, np.column_stack([regression.right[chosen], regression.gram[chosen]]))
        else:
            solved = np.zeros((0, 1 + len(regression.right)))
        rest = regression.right - regression.gram[:, chosen] @ solved[:, 0]
        base = regression.squares - float(regression.right[chosen] @ solved[:, 0])
        own: list[tuple[float, int, np.ndarray, np.ndarray]] = []
        for group, name in zip(groups, names, strict=True):
            if not len(group):
                continue
            local = regression.gram[group[:, :, None], group[:, None, :]]
            across = solved[:, 1:][:, group]
            local = local - np.einsum("kca,kcb->cab", regression.gram[chosen][:, group], across)
            each = np.sqrt(np.maximum(np.einsum("caa->ca", local), 1e-12))
            local = local / (each[:, :, None] * each[:, None, :]) + 1e-9 * np.eye(group.shape[1])
            weights = np.linalg.solve(local, (rest[group] / each)[..., None])[..., 0] / each
            left = np.maximum(base - np.sum(weights * rest[group], axis=1), 1e-14 * regression.squares)
            prices = 2 * library.prices[group[:, 0]] + group.shape[1] * np.log(regression.rows)
            scores = regression.rows * np.log(left / regression.squares) + prices
            for place in np.argsort(scores)[: 60 * most]:
                own.append((float(scores[place]), int(name[place]), group[place], weights[place]))
        seen: set[int] = set()
        codes: dict[int, int] = {}
        for score, kind, cell, weight in sorted(own, key=lambda one: one[0]):
            code = next(f.code for f in library.terms[cell[0]].factors if f.constants)
            # Grids are coarse where there are two constants inside, and what mimics a form may seem better.
            first = codes.get(code, 0) < TURNS[min(len(support), BESIDE)]
            if kind not in seen and (first or len(seen) < most):
                seen.add(kind)
                codes[code] = codes.get(code, 0) + 1
                price = float(2 * library.prices[chosen].sum() + len(chosen) * np.log(regression.rows))
                ranked.append((score + price - 1e9 * first, support, cell, weight / regression.size[cell]))
    for _, support, cell, weight in sorted(ranked, key=lambda one: one[0]):
        yield _between(regression, library, support, cell, weight)


def _between(regression: Regression, library: Library, support: Support, cell: np.ndarray, weight: np.ndarray) -> Guess:
    """The term between neighbours on the grid that their weights stand for, beside a polynomial."""
    total = weight.sum()
    shares = np.clip(weight / total, 0, 1) if total != 0 and np.isfinite(total) else np.eye(len(weight))[0]
    shares = shares / shares.sum() if shares.sum() > 0 else np.eye(len(weight))[0]
    corners = np.asarray([library.terms[k].inside for k in cell])
    nearest = int(cell[np.argmax(shares)])
    coefficients, _ = regression.solved((*support, nearest))
    term = Term(library.terms[nearest].factors, tuple(float(v) for v in shares @ corners))
    return Guess((*(library.terms[k] for k in support), term), tuple(float(c) for c in coefficients))


def ordered(regression: Regression, supports: Sequence[Support], library: Library) -> Int[np.ndarray, " support"]:
    """Return places of supports by the criterion of the regression, best first."""
    scores = [
        regression.rows * np.log(regression.solved(one)[1])
        + 2 * library.prices[list(one)].sum()
        + len(one) * np.log(regression.rows)
        for one in supports
    ]
    return np.argsort(scores, kind="stable")

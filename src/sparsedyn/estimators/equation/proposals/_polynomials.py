"""Polynomials under transforms of the target: all terms by least squares, then those that are needed."""

from collections.abc import Iterator
from itertools import combinations_with_replacement

import numpy as np
import sympy

from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import SUMMED, Transform, sign_of, transformed

ROWS = 600
HIGHEST = 4
SHARE = 1 / 3
"""Terms, at most, as a share of the rows."""
MOST = 130
NOTHING = 1e-22
ZERO = 1e-8
"""Share of the largest contribution below which a term of an exact polynomial is none."""
LONGEST = 14
TINY = 1e-300
SAME = 1e-10
"""Share of a column that is no combination of others below which that is rounding."""
KEPT = 3


def polynomials(table: Table) -> Iterator[sympy.Expr]:
    """Yield polynomials that explain transforms of the target with few terms."""
    small = table.head(ROWS)
    x, y = small.x, small.y
    count = x.shape[1]
    found: list[tuple[float, int, Transform, list[tuple[int, ...]], np.ndarray, np.ndarray]] = []
    for one in SUMMED:
        made = transformed(one, small)
        if made is None:
            continue
        target, weight, _ = made
        total = float(np.sum(np.square(weight * (target - np.average(target, weights=weight**2)))))
        terms: list[tuple[int, ...]] = [()]
        for degree in range(1, HIGHEST + 1):
            terms = [*terms, *combinations_with_replacement(range(count), degree)]
            if len(terms) > min(SHARE * len(y), MOST):
                break
            design = np.stack([np.prod(x[:, list(term)], axis=1) for term in terms], axis=1) * weight[:, None]
            own = _independent(design)
            terms, design = [terms[i] for i in own], design[:, own]
            sizes = np.linalg.norm(design, axis=0)
            design, goal = design / sizes, target * weight
            fit, *_ = np.linalg.lstsq(design, goal, rcond=None)
            rest = float(np.sum(np.square(goal - design @ fit)))
            if rest < NOTHING * total:
                kept = np.flatnonzero(np.abs(fit) > ZERO * np.abs(fit).max())
                if len(kept) <= LONGEST:
                    yield _written(one, table, terms, kept, fit / sizes)
                break
            if degree <= 3:
                kept = _needed(design, goal)
                if len(kept) <= LONGEST:
                    fit, *_ = np.linalg.lstsq(design[:, kept], goal, rcond=None)
                    rest = float(np.mean(np.square(goal - design[:, kept] @ fit)))
                    every = np.zeros(len(terms))
                    every[kept] = fit / sizes[kept]
                    score = len(y) * np.log(max(rest, TINY)) + 4 * len(kept) * np.log(len(y))
                    found.append((score, len(found), one, list(terms), kept, every))
    for _, _, one, terms, kept, fit in sorted(found, key=lambda item: item[:2])[:KEPT]:
        yield _written(one, table, terms, kept, fit)


def _independent(design: np.ndarray) -> np.ndarray:
    """Return the columns that are no combination of those before them, as squares are where there are only 0 and 1."""
    sizes = np.linalg.norm(design, axis=0)
    own = np.abs(np.diag(np.linalg.qr(design / np.where(sizes > 0, sizes, 1.0), mode="r")))
    return np.flatnonzero(own > SAME)


def _needed(design: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Return the terms that are left when the least significant ones go, as long as a criterion (BIC) falls."""
    kept = np.arange(design.shape[1])
    gram, along, total = design.T @ design, design.T @ goal, float(goal @ goal)
    best, score = kept, np.inf
    while len(kept):
        inverse = np.linalg.pinv(gram[np.ix_(kept, kept)], hermitian=True)
        fit = inverse @ along[kept]
        rest = max(total - float(fit @ along[kept]), 1e-14 * total)
        own = len(goal) * np.log(rest) + 2 * len(kept) * np.log(len(goal))
        if own < score:
            best, score = kept, own
        kept = np.delete(kept, np.argmin(fit**2 / np.maximum(np.diag(inverse), 1e-300)))
    return best


def _written(
    one: Transform, table: Table, terms: list[tuple[int, ...]], kept: np.ndarray, fit: np.ndarray
) -> sympy.Expr:
    own = table.symbols
    total = sympy.Add(*(sympy.Float(fit[i]) * sympy.Mul(*(own[k] for k in terms[i])) for i in kept))
    return one.back(total, sign_of(table.y))

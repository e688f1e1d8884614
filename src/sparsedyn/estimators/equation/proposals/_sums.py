"""Sums of few terms under transforms of the target, terms being monomials and their products with simple functions."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations

import numpy as np
import sympy

from sparsedyn.estimators.equation.proposals import _monomials
from sparsedyn.estimators.equation.proposals._factors import Factors, _angle
from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import SUMMED, Transform, sign_of, transformed

ROWS = 256
NOTHING = 1e-20
"""Share of a target that is left where only rounding is."""
MOST = 2500
BLOCK = 512
BEAM = 16
NEAR = 900
"""Simplest terms of which all pairs are tried beside a fixed one."""
FIXED = 3
"""Pairs whose terms are fixed in turn."""
LARGEST = 5
"""Terms of a sum."""
CORE = {3: 60, 4: 26, 5: 15}
"""Simplest terms of which all sets of a size are tried."""
KEPT = 8
"""Sums that are yielded if none is exact."""
PRICE = 2.0
"""Cost of a term besides that of what it is made of."""


def sums(table: Table) -> Iterator[sympy.Expr]:
    """Yield sums of one to five terms that leave least of the target."""
    small = table.head(ROWS)
    terms = library(small)
    found = []
    for one in SUMMED:
        made = transformed(one, small)
        if made is None:
            continue
        target, weight, _ = made
        spread = float(np.mean(np.square(weight * (target - np.average(target, weights=weight**2)))))
        for rest, chosen, coefficients in _chosen(terms.values, target, weight):
            if rest < NOTHING:
                yield written(one, terms, chosen, coefficients, table)
            price = PRICE * len(chosen) + float(terms.costs[chosen].sum())
            score = len(small.y) * np.log(spread * (rest + NOTHING)) + price * np.log(len(small.y))
            found.append((score, one, chosen, coefficients))
    for _, one, chosen, coefficients in sorted(found, key=lambda item: item[0])[:KEPT]:
        yield written(one, terms, chosen, coefficients, table)


def written(one: Transform, terms: Factors, chosen: list[int], coefficients: np.ndarray, table: Table) -> sympy.Expr:
    """Return a sum of terms as an equation of a table, its target being under a transform."""
    total = sympy.Add(*(sympy.Float(c) * terms.symbol(place) for place, c in zip(chosen, coefficients, strict=True)))
    return one.back(total, sign_of(table.y))


def library(table: Table) -> Factors:
    """Return terms, simplest first: monomials, and monomials times a function of one column or of a monomial."""
    count = table.x.shape[1]
    steps, most_variables, budget = _monomials.scope(count)
    powers = np.concatenate([np.zeros((1, count)), _monomials.exponents(table, steps, most_variables, 700, budget)])
    monomials = _monomials.values(table, powers)
    functions: list[tuple[np.ndarray, sympy.Expr, int]] = []
    with np.errstate(all="ignore"):
        for i, symbol in enumerate(table.symbols):
            column = table.x[:, i]
            if _angle(column):
                for scale in (1, 2):
                    functions.append((np.cos(scale * column), sympy.cos(scale * symbol), i))
                    functions.append((np.sin(scale * column), sympy.sin(scale * symbol), i))
            if np.abs(column).max() < 30:
                functions.append((np.exp(-column), sympy.exp(-symbol), i))
                functions.append((np.exp(column), sympy.exp(symbol), i))
            if table.positive[i]:
                functions.append((np.log(column), sympy.log(symbol), i))
            for inner, written_inner in ((column, symbol), (column**2, symbol**2)):
                for sign in (1, -1):
                    if np.abs(1 + sign * inner).min() > 1e-3:
                        for power in (-1, -2):
                            functions.append(((1 + sign * inner) ** power, (1 + sign * written_inner) ** power, i))
        if count <= 3:
            for i, j in combinations(range(count), 2):
                one, other = table.symbols[i], table.symbols[j]
                for sign in (1, -1):
                    joined = table.x[:, i] + sign * table.x[:, j]
                    if np.abs(joined).min() > 1e-3 * np.abs(joined).max():
                        functions.append((1 / joined, 1 / (one + sign * other), i))
        sizes = np.asarray([_monomials.cost(row) for row in powers])
        values, costs = [*monomials.T], list(sizes)
        writers: list[Callable[[], sympy.Expr]] = [partial(_term, table, row) for row in powers]
        for value, symbol, _ in functions:
            for place in range(min(len(powers), 120)):
                if sizes[place] <= 4:
                    values.append(value * monomials[:, place])
                    writers.append(partial(_term, table, powers[place], symbol))
                    costs.append(sizes[place] + 1)
        for j, (value, symbol, i) in enumerate(functions):
            for other, another, k in functions[j + 1 :]:
                if i != k:
                    values.append(value * other)
                    writers.append(partial(_term, table, powers[0], symbol, another))
                    costs.append(2.0)
        every = np.stack(values, axis=1)
        order = np.argsort(costs, kind="stable")
        fine = order[np.isfinite(every).all(axis=0)[order]][:MOST]
    kinds = np.zeros(len(fine), int)
    return Factors(every[:, fine], [writers[i] for i in fine], np.asarray(costs)[fine], kinds)


def _term(table: Table, row: np.ndarray, *functions: sympy.Expr) -> sympy.Expr:
    return sympy.Mul(_monomials.expression(table, row), *functions)


def _chosen(terms: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Iterator[tuple[float, list[int], np.ndarray]]:
    """Yield what sets of terms leave of the target, and their coefficients; ends with the first that leaves nothing."""
    features = terms * weight[:, None]
    sizes = np.linalg.norm(features, axis=0)
    fine = np.flatnonzero(sizes > 0)
    features, sizes = features[:, fine] / sizes[fine], sizes[fine]
    spread = np.average(target, weights=weight**2)
    total = float(np.sum(np.square(weight * (target - spread))))
    goal = target * weight
    if not total > 0:
        return
    sets = [[int(i)] for i in _monomials.best((features.T @ goal) ** 2, BEAM)]
    for size in range(1, LARGEST + 1):
        if size == 2:
            sets = _pairs(features, goal)
        elif size > 2:
            more = _core(features[:, : CORE[size]], goal, size) + _extended(features, goal, sets)
            sets = (_around(features[:, :NEAR], goal, sets) if size == 3 else []) + more
        fits = []
        for chosen in sets:
            coefficients, *_ = np.linalg.lstsq(features[:, chosen], goal, rcond=None)
            rest = goal - features[:, chosen] @ coefficients
            fits.append((float(rest @ rest) / total, chosen, coefficients))
        fits.sort(key=lambda fit: fit[0])
        for rest, chosen, coefficients in fits[:3]:
            yield rest, [int(fine[i]) for i in chosen], coefficients / sizes[chosen]
        if not fits or fits[0][0] < NOTHING or len(features.T) <= size:
            return
        sets = [chosen for _, chosen, _ in fits[:BEAM]]


def _around(features: np.ndarray, goal: np.ndarray, pairs: list[list[int]]) -> list[list[int]]:
    """Return triples of a term of one of the best pairs and of any two others."""
    found = []
    for fixed in dict.fromkeys(place for pair in pairs[:FIXED] for place in pair if place < features.shape[1]):
        one = features[:, fixed]
        others = features - np.outer(one, one @ features)
        sizes = np.linalg.norm(others, axis=0)
        kept = np.flatnonzero(sizes > 1e-4)
        rest = goal - one * (one @ goal)
        found += [[fixed, int(kept[i]), int(kept[j])] for i, j in _pairs(others[:, kept] / sizes[kept], rest)[:BEAM]]
    return found


def _core(features: np.ndarray, goal: np.ndarray, size: int) -> list[list[int]]:
    """Return the best of all sets of a size, by their normal equations."""
    count = features.shape[1]
    if count < size:
        return []
    sets = np.asarray(list(combinations(range(count), size)))
    gram, along = features.T @ features, features.T @ goal
    blocks = gram[sets[:, :, None], sets[:, None, :]] + 1e-13 * np.eye(size)
    right = along[sets]
    gain = np.einsum("ij,ij->i", right, np.linalg.solve(blocks, right[:, :, None])[:, :, 0])
    return [sets[i].tolist() for i in _monomials.best(gain, BEAM)]


def _pairs(features: np.ndarray, goal: np.ndarray) -> list[list[int]]:
    along = features.T @ goal
    scored = []
    for start in range(0, features.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        dot = features[:, block].T @ features[:, start:]
        apart = 1 - dot**2
        gain = along[block, None] ** 2 + along[None, start:] ** 2 - 2 * along[block, None] * along[None, start:] * dot
        gain = np.where(apart > 1e-7, gain / np.maximum(apart, 1e-7), 0)
        gain[np.tril_indices(gain.shape[0], 0, gain.shape[1])] = 0
        for place in _monomials.best(gain.ravel(), 2 * BEAM):
            i, j = divmod(int(place), gain.shape[1])
            scored.append((float(gain[i, j]), [start + i, start + j]))
    scored.sort(key=lambda item: -item[0])
    return [pair for _, pair in scored[: 2 * BEAM]]


def _extended(features: np.ndarray, goal: np.ndarray, sets: list[list[int]]) -> list[list[int]]:
    """Return the sets of one term more that leave least."""
    scored: dict[tuple[int, ...], float] = {}
    for chosen in sets[:BEAM]:
        q, _ = np.linalg.qr(features[:, chosen])
        rest = goal - q @ (q.T @ goal)
        along = features.T @ rest
        apart = 1 - np.sum(np.square(q.T @ features), axis=0)
        gain = np.where(apart > 1e-7, along**2 / np.maximum(apart, 1e-7), 0)
        for place in _monomials.best(gain, 6):
            if place not in chosen:
                scored[tuple(sorted([*chosen, int(place)]))] = float(rest @ rest - gain[place])
    return [list(chosen) for chosen, _ in sorted(scored.items(), key=lambda item: item[1])[:BEAM]]

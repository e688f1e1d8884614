"""The terms that right-hand sides may have, by the variables that data have, and what each costs in nats."""

from collections.abc import Callable, Collection, Sequence
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.estimators.shooting_search._prior import NOTHING
from sparsedyn.training.shooting.products import (
    ABS,
    COS,
    COS_DIFFERENCE,
    COS_OF_MULTIPLE,
    EXP,
    FREE_POWER,
    HILL,
    LOG,
    POWER,
    RATIO,
    SIGMOID,
    SIGMOID_OF_TWO,
    SIN,
    SIN_DIFFERENCE,
    SIN_OF_MULTIPLE,
    SQRT,
    TANH,
    Factor,
    Term,
)

POLYNOMIAL, TRIGONOMETRIC, PLAIN, INNER = range(4)
"""Tiers: a search begins in each."""
BASE = 0.5
PRICES = {
    POWER: 0.7,
    SIN: 2.8,
    COS: 2.8,
    SIN_DIFFERENCE: 3.5,
    COS_DIFFERENCE: 3.5,
    LOG: 3.0,
    ABS: 3.0,
    SQRT: 3.5,
    EXP: 3.0,
    SIGMOID: 2.5,
    SIGMOID_OF_TWO: 4.0,
    HILL: 2.5,
    FREE_POWER: 4.0,
    SIN_OF_MULTIPLE: 4.5,
    COS_OF_MULTIPLE: 4.5,
    TANH: 3.5,
    RATIO: 4.0,
}
"""Nats that a factor costs, more the fewer laws have it."""
SATURATION = 0.3
AGAIN, INVERSE = 0.7, 2.5
"""What every further power of a function costs, and a power of one over a variable."""
REPEATED = 0.4
"""Share of its price that a function costs from the second time on."""
ANGLES = {COS: SIN, COS_DIFFERENCE: SIN_DIFFERENCE}
"""Functions that count as others of the same angle."""
DEGREES = {1: 5, 2: 3, 3: 3, 4: 3}
"""Degree of polynomials by how many variables there are; of more variables it is 2."""
MANY = 4
"""Variables beyond which factors are not multiplied by other variables."""
COARSE = 3
STEEP, CENTERS = 14, 10
"""Grid of sigmoids: slopes of both signs, and where they are one half."""
HILLS = 5
"""Largest exponent in a Hill term."""


class Library(NamedTuple):
    """Terms, their tiers, and their prices; constants inside terms are those of a grid."""

    terms: list[Term]
    tiers: Int[np.ndarray, " term"]
    prices: Float[np.ndarray, " term"]
    coarse: Bool[np.ndarray, " term"]
    """A part of the grid, which is enough where a quadratic model of the misfit predicts what terms gain."""
    cells: list[tuple[int, ...]]
    """Neighbours on the grid, one more than there are constants: their span has what lies between, to second order."""


def price(term: Term, there: Collection[object] = ()) -> float:
    """Return the nats that a term costs, without those of its constants, where functions of kinds are `there`."""
    found, known = BASE, set(there)
    for one in term.factors:
        if one.code == POWER:
            found += PRICES[POWER] * one.power if one.power > 0 else -INVERSE * one.power
        else:
            found += (REPEATED if kind(one) in known else 1.0) * PRICES[one.code] + AGAIN * (abs(one.power) - 1)
            known.add(kind(one))
        if one.code == HILL:
            # A saturation x^m / (K + x^m) is one thing, and no dearer than 1 / (K + x^m).
            found += AGAIN * (one.second - 1)
            if Factor(POWER, one.first, -1, one.second) in term.factors:
                found -= PRICES[POWER] * one.second + SATURATION
        if one.code == EXP:
            found += (one.second - 1) * PRICES[EXP] / 2
    return found


def kind(factor: Factor) -> object:
    """Return what is the same for functions of which one more costs less: sine and cosine of an angle, in any power."""
    return (ANGLES.get(factor.code, factor.code), factor.first, factor.second)


def monomial(powers: Sequence[int]) -> tuple[Factor, ...]:
    """Return the factors of a monomial, by the power of every variable."""
    return tuple(Factor(POWER, i, -1, power) for i, power in enumerate(powers) if power)


def times(term: Term, factors: Sequence[Factor]) -> Term:
    """Return a term times factors without constants; powers of the same are added up."""
    powers: dict[Factor, int] = {}
    for one in (*term.factors, *factors):
        bare = one._replace(power=1)
        powers[bare] = powers.get(bare, 0) + one.power
    made = [bare._replace(power=power) for bare, power in powers.items() if power]
    # Factors with constants keep their order, which is that of the constants.
    return Term(tuple(sorted(f for f in made if not f.constants)) + tuple(f for f in made if f.constants), term.inside)


def polynomials(variables: int, degree: int) -> list[Term]:
    """Return all monomials of up to this degree."""
    found = []
    for total in range(degree + 1):
        for chosen in combinations_with_replacement(range(variables), total):
            powers = [chosen.count(i) for i in range(variables)]
            found.append(Term(monomial(powers)))
    return found


def library(
    values: Float[np.ndarray, "sample variable"], states: int, allowed: Callable[[Term], bool] = NOTHING.allows
) -> Library:
    """Return the terms that are allowed for variables that take these values, the first of which are states."""
    count = values.shape[1]
    tiers: dict[Term, int] = {}
    fine: set[Term] = set()
    cells: list[tuple[Term, ...]] = []

    def add(tier: int, factors: Sequence[Factor], inside: Sequence[float] = ()) -> None:
        term = times(Term((), tuple(inside)), factors)
        if len(term.factors) <= 4 and allowed(term):
            tiers.setdefault(term, tier)

    for term in polynomials(count, DEGREES.get(count, 2)):
        tiers.setdefault(term, POLYNOMIAL)
    single = [(Factor(POWER, i),) for i in range(count)]
    before = [(), *single] if count <= MANY else [()]
    trigonometric = _trigonometric(count)
    for one, prefix in product(trigonometric, before):
        add(TRIGONOMETRIC, (*one, *prefix))
    for a, b in product(trigonometric, trigonometric):
        if a[0].first < b[0].first and count <= MANY:
            add(TRIGONOMETRIC, (*a, *b))
    for i, j in product(range(count), range(count)):
        if i < j:
            for code in (SIN_DIFFERENCE, COS_DIFFERENCE):
                for prefix in before:
                    add(TRIGONOMETRIC, (Factor(code, i, j), *prefix))
    sizes = np.abs(values).max(axis=0)
    for i in range(count):
        nearby = before if count <= MANY else [(), single[i]]
        one_sign = bool(np.all(values[:, i] > 0) or np.all(values[:, i] < 0))
        # Where a variable keeps its sign, its size is itself.
        for code, prefix in product((LOG, SQRT) if one_sign else (LOG, ABS, SQRT), nearby):
            add(PLAIN, (Factor(code, i), *prefix))
        if one_sign:
            for power in (-1, -2):
                for other in [(), *single]:
                    add(PLAIN, (Factor(POWER, i, -1, power), *other))
        for factor, grid, prefixes in _inner(values[:, i], float(sizes[i]), i, nearby):
            for (place, inside), prefix in product(enumerate(grid), prefixes):
                add(INNER, (*prefix, factor), inside)
                if place % COARSE:
                    fine.add(times(Term((), inside), (*prefix, factor)))
            for prefix in prefixes:
                own = [times(Term((), inside), (*prefix, factor)) for inside in grid]
                cells += [tuple(own[k] for k in cell) for cell in _cells(factor, len(grid))]
    terms = list(tiers)
    places = {one: k for k, one in enumerate(terms)}
    return Library(
        terms,
        np.asarray([tiers[one] for one in terms]),
        np.asarray([price(one) for one in terms]),
        np.asarray([one not in fine for one in terms]),
        [tuple(places[one] for one in cell) for cell in cells if all(one in places for one in cell)],
    )


def of_terms(terms: Sequence[Term]) -> Library:
    """Return the library of these terms, which have no constants inside."""
    plain = [all(factor.code == POWER for factor in term.factors) for term in terms]
    return Library(
        list(terms),
        np.where(plain, POLYNOMIAL, TRIGONOMETRIC),
        np.asarray([price(one) for one in terms]),
        np.ones(len(terms), bool),
        [],
    )


def _trigonometric(count: int) -> list[tuple[Factor, ...]]:
    found: list[tuple[Factor, ...]] = []
    for i in range(count):
        found += [(Factor(SIN, i),), (Factor(COS, i),), (Factor(SIN, i, -1, 2),), (Factor(COS, i, -1, 2),)]
        found += [(Factor(SIN, i), Factor(COS, i)), (Factor(COS, i), Factor(SIN, i, -1, -1))]
    return found


def _inner(
    values: Float[np.ndarray, " sample"], size: float, i: int, prefixes: Sequence[tuple[Factor, ...]]
) -> list[tuple[Factor, list[tuple[float, ...]], list[tuple[Factor, ...]]]]:
    """Functions of a variable with constants inside: grids of these, and what the functions are multiplied by."""
    low, high = np.quantile(values, [0.02, 0.98])
    spread = max(high - low, 1e-9 * size, 1e-300)
    bare: list[tuple[Factor, ...]] = [()]
    found: list[tuple[Factor, list[tuple[float, ...]], list[tuple[Factor, ...]]]] = []
    rates = np.geomspace(0.3, 8.0, 7) / spread
    found.append((Factor(EXP, i, 1), [(a,) for a in (*-rates[::-1], *rates)], list(prefixes)))
    found.append((Factor(EXP, i, 2), [(-a / size**2,) for a in np.geomspace(0.3, 10.0, 6)], list(prefixes)))
    steep = np.geomspace(0.7, 16.0, STEEP // 2) / spread
    steep = np.concatenate([-steep[::-1], steep])
    centers = low + spread * np.linspace(-0.25, 1.25, CENTERS)
    found.append((Factor(SIGMOID, i), [(a, -a * c) for a in steep for c in centers], bare))
    found.append((Factor(TANH, i), [(rate / size,) for rate in np.geomspace(0.7, 8.0, 6)], bare))
    waves: list[tuple[float, ...]] = [(a,) for a in np.geomspace(1.2, 24.0, 16) / size]
    for code in (SIN_OF_MULTIPLE, COS_OF_MULTIPLE):
        found.append((Factor(code, i), waves, bare))
    if low >= -1e-3 * size:
        for m in range(1, HILLS + 1):
            grid: list[tuple[float, ...]] = [(float(share * size**m),) for share in np.geomspace(0.003, 6.0, 12)]
            own: list[tuple[Factor, ...]] = [(Factor(POWER, i, -1, m),)]
            others = [p for p in prefixes if m <= 2 or not p]
            mixed = [(*p, *own[0]) for p in others if p and p[0].first != i]
            found.append((Factor(HILL, i, m), grid, [*own, *others, *mixed]))
        found.append(
            (Factor(FREE_POWER, i), [(p,) for p in (0.2, 0.35, 0.65, 0.8, 1.2, 1.4, 1.7, 2.5, 3.5)], list(prefixes))
        )
    return found


def _cells(factor: Factor, count: int) -> list[tuple[int, ...]]:
    """Neighbours on a grid of so many: pairs, and corners of three on the grid of two constants."""
    if factor.constants == 1:
        return [(k, k + 1) for k in range(count - 1)]
    return [
        (a * CENTERS + c, (a + 1) * CENTERS + c, a * CENTERS + c + 1)
        for a in range(STEEP - 1)
        for c in range(CENTERS - 1)
    ]

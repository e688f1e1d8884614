"""Sums of one or two monomials and of a monomial times a function of a monomial, such as `a exp(-b/c) + b**2`.

What functions of several columns leave beside every pair of plain terms is compared at once: with arguments as they
are, then, of fewer ones, with arguments times a number, of which the nearest of some is refined by the judge.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.estimators.equation.proposals import _monomials
from sparsedyn.estimators.equation.proposals._factors import KINDS, RATIONAL, Factors, Kind, simplest, single
from sparsedyn.estimators.equation.proposals._sums import written
from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import IDENTITY, transformed

ROWS = 256
NOTHING = 1e-20
"""Share of a target that is left where only rounding is."""
PLAIN = 40
"""Simplest monomials that stand beside a function."""
ARGUMENTS, BEFORE = 40, 60
"""Simplest monomials that functions are of, and that they are multiplied by."""
COSTLY = 3.0
"""Cost of a monomial that no function is of, and none is multiplied by."""
FEW_ARGUMENTS, FEW_BEFORE, LESS_COSTLY = 24, 8, 2.0
"""The same where arguments are multiplied by numbers; exponents are whole then."""
SIZES = np.geomspace(0.5, 16, 14)
"""Largest arguments of functions, and..."""
TURNS = np.linspace(2, 25, 24)
"""...widths of those of waves, that numbers are chosen for."""
MOST = 30_000
BEST, KEPT = 24, 5
"""Sums of every number of terms that are fitted, and those that are yielded."""
APART = 1e-3
"""How near a sum may come to zero, as a share of its size, to be a divisor."""
ALIKE = 1e-7
"""Share of a function that plain terms leave, below which it says nothing that they do not."""


def composites(table: Table, *, numbers: bool = False) -> Iterator[sympy.Expr]:
    """Yield sums of one or two plain terms and a function that leave least of the target.

    With `numbers`, arguments of functions are multiplied by numbers.
    """
    small = table.head(ROWS)
    made = transformed(IDENTITY, small)
    if made is None or (small.x.shape[1] < 2 and not numbers):
        return
    target, weight, _ = made
    plain, functions = _plain(small), _functions(small, numbers=numbers)
    if not len(functions.costs):
        return
    terms = _joined(plain, functions)
    features = terms.values * weight[:, None]
    goal = target * weight
    spread = goal - weight * np.average(target, weights=weight**2)
    total = float(spread @ spread)
    if not total > 0:
        return
    found = []
    for chosen in _chosen(features, goal, len(plain.costs)):
        coefficients, *_ = np.linalg.lstsq(features[:, chosen], goal, rcond=None)
        rest = float(np.sum(np.square(goal - features[:, chosen] @ coefficients))) / total
        score = len(goal) * np.log(rest + NOTHING) + np.log(len(goal)) * (2 * len(chosen) + terms.costs[chosen].sum())
        found.append((rest >= NOTHING, score, chosen, coefficients))
    # Of sums that differ by a number, the best one is refined; more terms come nearer, and are no better for it.
    once: dict[tuple[int, ...], tuple[list[int], np.ndarray]] = {}
    for _, _, chosen, coefficients in sorted(found, key=lambda one: one[:2]):
        once.setdefault((*chosen[:-1], int(terms.kinds[chosen[-1]])), (chosen, coefficients))
    for count in (2, 3):
        for chosen, coefficients in [one for one in once.values() if len(one[0]) == count][:KEPT]:
            yield written(IDENTITY, terms, chosen, coefficients, table)


def _joined(*parts: Factors) -> Factors:
    values, costs, kinds = (
        np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in ("values", "costs", "kinds")
    )
    return Factors(values, [writer for part in parts for writer in part.writers], costs, kinds)


def _chosen(features: Float[np.ndarray, "row term"], goal: Float[np.ndarray, " row"], plain: int) -> list[list[int]]:
    """Return the best sets of one or two plain terms, which come first, and a function."""
    sizes = np.linalg.norm(features, axis=0)
    unit = features / np.where(sizes > 0, sizes, 1.0)
    few, many = unit[:, :plain], unit[:, plain:]
    between, along, gram = few.T @ many, many.T @ goal, few.T @ few
    right = few.T @ goal
    found: list[list[int]] = []
    for count in (1, 2):
        scored: list[tuple[float, list[int]]] = []
        for chosen in map(list, combinations(range(plain), count)):
            block = gram[np.ix_(chosen, chosen)]
            if np.linalg.det(block) < ALIKE:
                continue
            solved = np.linalg.solve(block, np.column_stack([right[chosen], between[chosen]]))
            already = float(right[chosen] @ solved[:, 0])
            rest = along - between[chosen].T @ solved[:, 0]
            apart = 1 - np.einsum("ij,ij->j", between[chosen], solved[:, 1:])
            gain = np.where(apart > ALIKE, np.square(rest) / np.maximum(apart, ALIKE), 0.0)
            for place in _monomials.best(gain, 2):
                scored.append((already + float(gain[place]), [*chosen, plain + int(place)]))
        scored.sort(key=lambda one: -one[0])
        found += [chosen for _, chosen in scored[:BEST]]
    return found


def _plain(table: Table) -> Factors:
    steps, most, budget = _monomials.scope(table.x.shape[1])
    powers = _with_one(table, _monomials.exponents(table, steps, most, PLAIN - 1, budget))
    return Factors(
        _monomials.values(table, powers),
        [partial(_monomials.expression, table, row) for row in powers],
        np.asarray([_monomials.cost(row) for row in powers]),
        np.zeros(len(powers), int),
    )


def _with_one(table: Table, powers: Float[np.ndarray, "monomial feature"]) -> Float[np.ndarray, "monomial feature"]:
    return np.concatenate([np.zeros((1, table.x.shape[1])), powers])


def _functions(table: Table, *, numbers: bool) -> Factors:
    """Monomials times a function of a monomial, or of a number times one."""
    steps, most, _ = _monomials.scope(table.x.shape[1])
    steps = tuple(step for step in steps if step % 1 == 0) if numbers else steps
    of, before, budget = (FEW_ARGUMENTS, FEW_BEFORE, LESS_COSTLY) if numbers else (ARGUMENTS, BEFORE, COSTLY)
    inner = _monomials.exponents(table, steps, most, of, budget)
    outer = _with_one(table, _monomials.exponents(table, steps, most, before - 1, budget))
    arguments, factors = _monomials.values(table, inner), _monomials.values(table, outer)
    values: list[np.ndarray] = []
    writers: list[Callable[[], sympy.Expr]] = []
    costs: list[float] = []
    kinds: list[int] = []
    for number, kind in enumerate(KINDS):
        for place, row in enumerate(inner):
            said = kind.halves and not numbers and row[np.flatnonzero(row)[0]] < 0
            if said or _monomials.cost(row) > kind.costly:
                continue
            for scale, power, own in _scaled(kind, arguments[:, place], numbers=numbers):
                values.append(own[:, None] * factors)
                function = partial(single, kind, scale, table, row)
                writers += [partial(_term, table, function, power, other) for other in outer]
                costs += [_monomials.cost(row) + 1 + _monomials.cost(other) for other in outer]
                family = (number * len(inner) + place) * len(outer)
                kinds += range(family, family + len(outer))
    for place, (own, function) in enumerate(_of_pairs(table) if not numbers else ()):
        values.append(own[:, None] * factors)
        writers += [partial(_term, table, partial(sympy.sympify, function), 1, other) for other in outer]
        costs += [3 + _monomials.cost(other) for other in outer]
        family = (len(KINDS) * len(inner) + place) * len(outer)
        kinds += range(family, family + len(outer))
    return simplest(table, values, writers, costs, kinds, MOST)


def _of_pairs(table: Table) -> Iterator[tuple[np.ndarray, sympy.Expr]]:
    """Yield functions of sums and differences of two columns."""
    for (i, one), (j, other) in combinations(enumerate(table.symbols), 2):
        for sign in (1, -1):
            z, argument = table.x[:, i] + sign * table.x[:, j], one + sign * other
            if np.abs(z).min() > APART * np.abs(z).max():
                yield 1 / z, 1 / argument
                yield np.log(np.abs(z)), sympy.log(argument if z[0] > 0 else -argument)
                yield np.sqrt(np.abs(z)), sympy.sqrt(argument if z[0] > 0 else -argument)
            if TURNS[0] < np.ptp(z) and np.abs(z).max() < TURNS[-1]:
                yield np.sin(z), sympy.sin(argument)
                yield np.cos(z), sympy.cos(argument)


def _scaled(kind: Kind, z: Float[np.ndarray, " row"], *, numbers: bool) -> Iterator[tuple[float, int, np.ndarray]]:
    """Yield numbers, powers of the function of an argument times these, and its values."""
    inverse = kind in RATIONAL
    for scale in _numbers(kind, z) if numbers else ((1.0, -1.0) if kind.symbol is sympy.exp else (1.0,)):
        own = scale * z
        if not (kind.least if not numbers else 0) <= np.abs(own).max() <= kind.largest:
            continue
        with np.errstate(all="ignore"):
            value = kind.of(np.abs(own) if kind.of is np.log else own)
            if not (numbers and inverse):
                yield scale, 1, value
            if inverse:
                yield scale, -1, 1 / value


def _numbers(kind: Kind, z: Float[np.ndarray, " row"]) -> Sequence[float]:
    """Numbers for an argument; none for functions that are powers or sums of others with any."""
    if kind.symbol in (sympy.sin, sympy.cos):
        width = float(np.ptp(z))
        return [float(turn) / width for turn in TURNS] if width > 0 else []
    size = float(np.abs(z).max())
    if size == 0:
        return []
    if kind.symbol is sympy.exp:
        return [sign * float(one) / size for one in SIZES for sign in (1, -1)]
    if kind in RATIONAL or kind.symbol is sympy.tanh:
        return [float(one) / size for one in SIZES]
    return []


def _term(table: Table, function: Callable[[], sympy.Expr], power: int, row: np.ndarray) -> sympy.Expr:
    return sympy.Mul(_monomials.expression(table, row), function() ** power)

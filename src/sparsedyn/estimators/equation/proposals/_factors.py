"""Products of a monomial and of one or two factors such as `1 - z`, `exp(z) - 1` or `sin(z)`, z a monomial itself.

Logarithms make sums of products: singles and pairs of all factors are compared at once by one Gram matrix.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import sympy
from jaxtyping import Float, Int

from sparsedyn.estimators.equation.proposals import _monomials
from sparsedyn.estimators.equation.proposals._monomials import exponent
from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import MULTIPLIED, Transform, loud, sign_of, transformed

ROWS = 256
MOST = 3000
"""Factors that are compared."""
BLOCK = 512
SINGLES, PAIRS = 6, 12
ALIKE = 2
"""Single factors of a kind that are kept besides the best of all: with noise, many leave equally little."""
PRICE = 4.0
"""Cost of a second factor."""
KEPT, KEPT_PAIRS = 16, 5
"""Products that are yielded if none is exact, and how many of them may have two factors."""
WEIGHT = 4.0
"""Largest weight, in root mean squares."""
LARGEST = 12
"""Largest exponent."""
NOTHING = 1e-18
"""Share of a target that is left where only rounding is."""
LEAST = 1e-12
"""Size of a factor below which its logarithm is none."""
SAME = 1e-9
"""Share of a factor that a monomial leaves, below which it is none of its own."""


@dataclass(frozen=True)
class Kind:
    """A function of a monomial, the numbers that its argument is multiplied by, and for which arguments it is meant."""

    of: Callable[[np.ndarray], np.ndarray]
    symbol: Callable[[sympy.Expr], sympy.Expr]
    scales: tuple[float, ...] = (1.0,)
    halves: bool = False
    """Whether the reciprocal of the monomial says the same."""
    largest: float = np.inf
    least: float = 0.0
    costly: float = np.inf
    """Cost of monomials above which it is not tried: factors are many, and the simplest ones count."""


PI = float(np.pi)
KINDS = (
    Kind(lambda z: 1 + z, lambda z: 1 + z, (1.0, 2.0, 0.5), halves=True),
    Kind(lambda z: 1 - z, lambda z: 1 - z, (1.0, 2.0, 0.5), halves=True),
    Kind(np.exp, sympy.exp, (1.0,), largest=300.0),
    Kind(np.expm1, lambda z: sympy.exp(z) - 1, (1.0, 1 / (2 * PI)), largest=300.0),
    Kind(lambda z: -np.expm1(-z), lambda z: 1 - sympy.exp(-z), (1.0,), largest=300.0),
    Kind(lambda z: 1 + np.exp(z), lambda z: 1 + sympy.exp(z), (1.0,), largest=300.0),
    Kind(np.cosh, sympy.cosh, (1.0, 0.5), largest=300.0),
    Kind(np.tanh, sympy.tanh, (1.0, 0.5), largest=300.0),
    Kind(np.log, sympy.log, (1.0,), halves=True),
    Kind(np.sin, sympy.sin, (1.0, 0.5, 2.0, PI, 2 * PI), least=0.5, largest=40.0),
    Kind(np.cos, sympy.cos, (1.0, 0.5, 2.0, PI, 2 * PI), least=0.5, largest=40.0),
    Kind(np.tan, sympy.tan, (1.0, 0.5), least=0.5, largest=40.0, costly=1.0),
)
RATIONAL = KINDS[:2]
"""Those whose reciprocals are functions of their own."""
SIMPLE = 1
"""Cost of monomials whose arguments are tried in more scales."""
FINE = (0.125, 0.25, 0.5, 2.0, 4.0, 8.0)
WAVES = ((np.cos, sympy.cos), (np.sin, sympy.sin))


@dataclass(frozen=True)
class Factors:
    """Factors as values (row, factor), and what writes them as expressions: few of many thousands ever are."""

    values: Float[np.ndarray, "row factor"]
    writers: list[Callable[[], sympy.Expr]]
    costs: Float[np.ndarray, " factor"]
    kinds: Int[np.ndarray, " factor"]

    def symbol(self, place: int) -> sympy.Expr:
        """Return a factor as an expression."""
        return self.writers[place]()


Item = tuple[float, int, Transform, np.ndarray, np.ndarray, np.ndarray, list[int]]
"""The score of a product, a number, the transform, its target, weights, logarithms, and the factors."""


def products(table: Table) -> Iterator[sympy.Expr]:
    """Yield the products of a monomial and of one or two factors that leave least of the target."""
    rows = slice(0, ROWS)
    columns = np.flatnonzero(table.divisors)
    base = np.column_stack([np.ones(len(table.y)), _monomials.logarithms(table)[:, columns]])[rows]
    small = table.head(ROWS)
    factors = library(small)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.abs(factors.values))
    found: list[Item] = []
    for one in MULTIPLIED:
        made = transformed(one, small)
        if made is None or (one is not MULTIPLIED[0] and not _angle(small.y)):
            continue
        target, weight, _ = made
        weight = np.where((target != 0) & loud(small), weight * np.abs(target), 0.0)
        weight = np.minimum(weight, WEIGHT * np.sqrt(np.mean(weight**2)))
        log_target = np.log(np.where(target != 0, np.abs(target), 1.0))
        for rest, score, chosen in _chosen(base, logs, log_target, weight, factors):
            item: Item = (score, len(found), one, target, weight, log_target, chosen)
            if rest < NOTHING:
                expression = _made(table, columns, base, logs, factors, item)
                if expression is not None:
                    yield expression
            found.append(item)
    found.sort(key=lambda item: item[:2])
    pairs = [item for item in found if len(item[-1]) > 1][:KEPT_PAIRS]
    for item in [*[item for item in found if len(item[-1]) == 1][: KEPT - len(pairs)], *pairs]:
        expression = _made(table, columns, base, logs, factors, item)
        if expression is not None:
            yield expression


def _made(
    table: Table, columns: np.ndarray, base: np.ndarray, logs: np.ndarray, factors: "Factors", item: Item
) -> sympy.Expr | None:
    _, _, one, target, weight, log_target, chosen = item
    design = np.column_stack([base, logs[:, chosen]]) * weight[:, None]
    powers, *_ = np.linalg.lstsq(design, log_target * weight, rcond=None)
    if np.abs(powers[1:]).max(initial=0) > LARGEST:
        return None
    signs = np.ones(len(target))
    for place, power in zip(chosen, powers[-len(chosen) :], strict=True):
        if abs(power - round(power)) < 0.02 and round(power) % 2:
            signs *= np.sign(factors.values[:, place])
    for place, power in zip(columns, powers[1:], strict=False):
        if not table.positive[place] and round(power) % 2:
            signs *= np.sign(table.x[: len(target), place])
    inner = _written(table, columns, factors, chosen, powers)
    return one.back(sign_of(target * signs * weight) * inner, sign_of(table.y))


def library(table: Table) -> Factors:
    """Return factors of a table, simplest first."""
    count = table.x.shape[1]
    steps, most_variables, budget = _monomials.scope(count)
    powers = _monomials.exponents(table, steps, most_variables, 400, budget)
    monomials = _monomials.values(table, powers)
    values: list[np.ndarray] = []
    writers: list[Callable[[], sympy.Expr]] = []
    costs: list[float] = []
    kinds: list[int] = []
    for number, kind in enumerate(KINDS):
        for place, row in enumerate(powers):
            first = row[np.flatnonzero(row)[0]]
            if kind.halves and first < 0:
                continue
            cost = _monomials.cost(row)
            if cost > kind.costly:
                continue
            scales = kind.scales if cost <= 3 else kind.scales[:1]
            if cost <= SIMPLE and not kind.least and kind.symbol not in (sympy.exp, sympy.log):
                scales = tuple(dict.fromkeys([*scales, *FINE]))
            for scale in scales:
                z = scale * monomials[:, place]
                size = np.abs(z).max()
                if not kind.least <= size <= kind.largest:
                    continue
                with np.errstate(divide="ignore"):
                    values.append(kind.of(z) if kind.of is not np.log else np.log(np.abs(z)))
                writers.append(partial(single, kind, scale, table, row))
                costs.append(cost + 0.5 * (scale != 1))
                kinds.append(number)
    for i, symbol in enumerate(table.symbols):
        if not _angle(table.x[:, i]):
            continue
        others = [place for place, row in enumerate(powers) if row[i] == 0 and np.abs(row).sum() <= 3][:60]
        for wave, named in WAVES:
            turned = wave(table.x[:, i])
            for place in others:
                z = monomials[:, place]
                for sign in (1, -1):
                    values.append(1 + sign * z * turned)
                    writers.append(partial(_waving, named(symbol), sign, table, powers[place], inside=True))
                    costs += [1 + _monomials.cost(powers[place])] * 2
                    kinds += [len(KINDS)] * 2
                    values.append(z + sign * turned)
                    writers.append(partial(_waving, named(symbol), sign, table, powers[place], inside=False))
    return simplest(table, values, writers, costs, kinds, MOST, least=LEAST)


def simplest(
    table: Table,
    values: Sequence[np.ndarray],
    writers: Sequence[Callable[[], sympy.Expr]],
    costs: Sequence[float],
    kinds: Sequence[int],
    most: int,
    *,
    least: float = 0.0,
) -> Factors:
    """Return the simplest factors that have a value at every row, `most` of them; with `least`, values are larger.

    Values are columns (row) or several of them (row, factor), one after the other in the order of what writes them.
    """
    with np.errstate(all="ignore"):
        every = np.column_stack(values) if values else np.zeros((len(table.y), 0))
        usable = np.asarray(np.isfinite(every).all(axis=0))
        if least:
            usable &= (np.abs(every) > least).all(axis=0)
    order = np.argsort(costs, kind="stable")
    fine = order[usable[order]][:most]
    return Factors(every[:, fine], [writers[i] for i in fine], np.asarray(costs)[fine], np.asarray(kinds)[fine])


def single(kind: Kind, scale: float, table: Table, row: np.ndarray) -> sympy.Expr:
    """Return a function of a multiple of a monomial."""
    return kind.symbol(_number(scale) * _monomials.expression(table, row))


def _waving(wave: sympy.Expr, sign: int, table: Table, row: np.ndarray, *, inside: bool) -> sympy.Expr:
    written = _monomials.expression(table, row)
    return 1 + sign * written * wave if inside else written + sign * wave


def _angle(column: np.ndarray) -> bool:
    return bool(np.ptp(column) > 0.5 and np.abs(column).max() < 40)


def _number(scale: float) -> sympy.Expr:
    return sympy.Integer(1) if scale == 1 else sympy.Float(scale)


def _written(table: Table, columns: np.ndarray, factors: Factors, chosen: list[int], powers: np.ndarray) -> sympy.Expr:
    parts: list[sympy.Expr] = [sympy.Float(np.exp(powers[0]))]
    for place, power in zip(columns, powers[1:], strict=False):
        value = exponent(power) if table.positive[place] else sympy.Integer(round(power))
        parts.append(table.symbols[place] ** value)
    for place, power in zip(chosen, powers[-len(chosen) :], strict=True):
        value = exponent(power)
        if not value.is_Integer and not (factors.values[:, place] > 0).all():
            value = sympy.Integer(round(power)) if abs(power - round(power)) < 0.2 else value
        factor = factors.symbol(place)
        inner = sympy.Float(power) * factor.args[0] if isinstance(factor, sympy.exp) else None
        parts.append(factor**value if inner is None else sympy.exp(inner))
    return sympy.Mul(*parts)


def _chosen(
    base: np.ndarray, logs: np.ndarray, target: np.ndarray, weight: np.ndarray, factors: Factors
) -> list[tuple[float, float, list[int]]]:
    """Return what singles and pairs of factors leave of the target beside the base, their score, and the factors."""
    if not logs.shape[1]:
        return []
    q, _ = np.linalg.qr(base * weight[:, None])
    features = logs * weight[:, None]
    sizes = np.linalg.norm(features, axis=0)
    features = features - q @ (q.T @ features)
    left = np.linalg.norm(features, axis=0)
    kept = np.flatnonzero(left > 1e-6 * sizes)
    features = features[:, kept] / left[kept]
    goal = target * weight
    goal = goal - q @ (q.T @ goal)
    total = float(goal @ goal)
    if total <= 1e-24 * len(goal) or not len(kept):
        return []
    along = features.T @ goal
    price = np.log(len(goal))
    costs, kinds = factors.costs[kept], factors.kinds[kept]
    mean = total / len(goal)
    scores = len(goal) * np.log(mean * (np.maximum(1 - along**2 / total, 0) + 1e-15)) + price * costs
    singles = [*_monomials.best(along**2, 2), *_monomials.best(-scores, SINGLES)]
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        singles += own[_monomials.best(-scores[own], ALIKE)].tolist()
    alone = []
    for i in dict.fromkeys(map(int, singles)):
        rest = float(np.sum(np.square(goal - along[i] * features[:, i]))) / total
        alone.append(
            (rest, len(goal) * float(np.log(mean * (rest + NOTHING))) + price * float(costs[i]), [int(kept[i])])
        )
    exact = [one for one in alone if one[0] < NOTHING]
    if exact:
        return sorted(exact, key=lambda one: one[1])[:2]
    scored = []
    for start in range(0, len(kept), BLOCK):
        block = slice(start, start + BLOCK)
        dot = features[:, block].T @ features[:, start:]
        apart = np.maximum(1 - dot**2, SAME)
        gain = along[block, None] ** 2 + along[None, start:] ** 2 - 2 * along[block, None] * along[None, start:] * dot
        gain /= apart
        gain[apart <= 1e-7] = 0
        gain[np.tril_indices(gain.shape[0], 0, gain.shape[1])] = 0
        for place in _monomials.best(gain.ravel(), 4 * PAIRS):
            i, j = divmod(int(place), gain.shape[1])
            scored.append((float(gain[i, j]), start + i, start + j))
    scored.sort(reverse=True)
    fits = []
    for _, i, j in scored[: 8 * PAIRS]:
        pair = features[:, [i, j]]
        coefficients, *_ = np.linalg.lstsq(pair, goal, rcond=None)
        rest = float(np.sum(np.square(goal - pair @ coefficients))) / total
        price_of_both = price * float(costs[i] + costs[j] + PRICE)
        score = len(goal) * float(np.log(mean * (rest + NOTHING))) + price_of_both
        fits.append((rest, score, [int(kept[i]), int(kept[j])]))
    return [*alone, *sorted(fits)[:2], *sorted(fits, key=lambda one: one[1])[:PAIRS]]

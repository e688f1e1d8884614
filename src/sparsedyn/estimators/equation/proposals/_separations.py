"""Targets that are products or sums of functions of different columns: each function is found for itself."""

from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import symbol
from sparsedyn.estimators.equation.proposals._judge import Fitted, Judge
from sparsedyn.estimators.equation.proposals._surrogates import apart, coordinates_of, suited, targets
from sparsedyn.estimators.equation.proposals._table import Table

ROWS = 800
FIT = 0.7
"""Share of these rows that functions of a part are fitted to."""
MOST_COLUMNS = 6
WORSE = 1.3
"""How much worse, in mean squares, a surrogate of separate parts may be than one of all columns."""
LEFT = 0.02
"""Share of the target's mean square that a surrogate of separate parts may leave."""
TRIED = 2
"""Separations whose parts are searched."""
KEPT = 3
"""Functions of a part that are combined with those of the other."""

Find = Callable[[Judge], list[Fitted]]


class Separation(NamedTuple):
    """A target as a product or a sum: the columns of its parts, the values of these at the rows, and what is left."""

    multiplied: bool
    columns: tuple[tuple[int, ...], tuple[int, ...]]
    values: Float[np.ndarray, "part row"]
    error: float


def separated(table: Table, find: Find) -> Iterator[sympy.Expr]:
    """Yield products and sums of functions of different columns; `find` returns functions of a part, the best first."""
    small = table.head(ROWS)
    for one in separations(small)[:TRIED]:
        options = [_functions(small, *part, find) for part in zip(one.columns, one.values, strict=True)]
        for pair in product(*options):
            yield sympy.Mul(*pair) if one.multiplied else sympy.Add(*pair)


def separations(table: Table) -> list[Separation]:
    """Return how the target separates into two parts, the best first; nothing where no two explain it."""
    x, y = table.x, table.y
    if not 1 < x.shape[1] <= MOST_COLUMNS:
        return []
    limit = min(WORSE * suited(x, y, table.weight).surrogate.error + 1e-16, LEFT)
    found = []
    for multiplied, target, own in targets(y):
        for coordinates, *_ in coordinates_of(x):
            for columns in _splits(x.shape[1]):
                values, error = apart(coordinates, target, own * table.weight, columns)
                if error < limit:
                    parts = np.exp(values) if multiplied else values
                    found.append(Separation(multiplied, columns, parts, error))
    return sorted(found, key=lambda one: one.error)


def _splits(count: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the ways to part columns into two groups."""
    for size in range(1, count // 2 + 1):
        for first in combinations(range(count), size):
            second = tuple(i for i in range(count) if i not in first)
            if size < len(second) or first < second:
                yield first, second


def _functions(
    table: Table, columns: tuple[int, ...], values: Float[np.ndarray, " row"], find: Find
) -> list[sympy.Expr]:
    fit, x = round(FIT * len(values)), table.x[:, list(columns)]
    judge = Judge(tuple(table.names[i] for i in columns), x[:fit], values[:fit], x[fit:], values[fit:])
    own = dict(zip(map(symbol, table.names), table.symbols, strict=True))
    return [one.expression.xreplace(own) for one in find(judge)[:KEPT]]

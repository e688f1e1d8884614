"""Equations that are polynomials in the target and the columns: ratios, and roots of quadratic equations.

The target may be the exponential of such a form, as a vapour pressure is by Antoine's equation. The coefficients are
the null vector of one matrix. Only exact data have one.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.estimators.equation.proposals._factors import _angle
from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import COS, IDENTITY, LOG, SIN, sign_of, transformed

ROWS = 256
MOST = 70
"""Monomials of a polynomial."""
LONGEST = 16
"""Those that an equation may need."""
ORDERS = ((1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3), (1, 4))
"""Degrees in the target and in the columns, the smallest first."""
GAP = 1e-12
"""Size of the singular value of an equation, relative to the largest."""
JUMP = 1e4
"""Ratio to the next singular value: smooth functions have many small ones."""
ZERO = 1e-7
"""Share of the largest contribution below which a coefficient is none."""
MOST_COLUMNS = 4


def implicit(table: Table) -> Iterator[sympy.Expr]:
    """Yield the solutions of polynomial equations that hold for all rows, of the target or of a function of it."""
    count = table.x.shape[1]
    if count > MOST_COLUMNS:
        return
    small = table.head(ROWS)
    x, y = small.x, small.y
    for one in (IDENTITY, COS, SIN, LOG):
        made = transformed(one, small)
        if made is None or (one in (COS, SIN) and not _angle(y)):
            continue
        for values, symbols in _lifted(table, x):
            for order in ORDERS[: 4 if count == 1 else None]:
                null = _null(values, made[0], *order)
                if null is None:
                    continue
                for solution in _solved(symbols, *null):
                    yield one.back(solution, sign_of(y))
                break


def _lifted(table: Table, x: np.ndarray) -> Iterator[tuple[np.ndarray, list[sympy.Expr]]]:
    """The columns as they are, then with one of them, or all angles, replaced by a function."""
    own: list[sympy.Expr] = list(table.symbols)
    yield x, own
    angles = [i for i in range(x.shape[1]) if _angle(x[:, i])]
    for i in range(x.shape[1]):
        lifts: list[tuple[Callable[[np.ndarray], np.ndarray], Callable[[sympy.Expr], sympy.Expr]]] = []
        lifts += [(np.cos, sympy.cos), (np.sin, sympy.sin)] if i in angles else []
        if np.abs(x[:, i]).max() < 20:
            lifts.append((np.exp, sympy.exp))
        if table.positive[i]:
            lifts += [(np.log, sympy.log), (np.sqrt, sympy.sqrt)]
        for function, symbol in lifts:
            values = x.copy()
            values[:, i] = function(x[:, i])
            yield values, [symbol(s) if k == i else s for k, s in enumerate(own)]


def _null(
    x: np.ndarray, y: np.ndarray, in_target: int, in_columns: int
) -> tuple[list[tuple[int, ...]], Float[np.ndarray, " monomial"]] | None:
    """Return monomials (target first) and their coefficients, where they add up to nothing."""
    powers = [
        p for p in product(range(in_target + 1), *[range(in_columns + 1)] * x.shape[1]) if sum(p[1:]) <= in_columns
    ]
    if len(powers) > MOST:
        return None
    columns = np.column_stack([y, x])
    scale = np.sqrt(np.mean(columns**2, axis=0))
    if not scale.all():
        return None
    columns = columns / scale
    matrix = np.stack([np.prod(columns**p, axis=1) for p in map(np.asarray, powers)], axis=1)
    sizes = np.linalg.norm(matrix, axis=0)
    if not sizes.all():
        return None  # two of them are never at work together
    _, values, right = np.linalg.svd(matrix / sizes, full_matrices=False)
    if values[-1] > GAP * values[0] or (len(values) > 1 and values[-2] < JUMP * values[-1]):
        return None
    shares = right[-1]
    if values[-2] < GAP * values[0]:
        return None
    coefficients = shares / sizes / np.asarray([np.prod(scale ** np.asarray(p)) for p in powers])
    kept = np.flatnonzero(np.abs(shares) > ZERO * np.abs(shares).max())
    if len(kept) > LONGEST:
        return None
    return [powers[i] for i in kept], coefficients[kept]


def _solved(symbols: list[sympy.Expr], powers: list[tuple[int, ...]], coefficients: np.ndarray) -> Iterator[sympy.Expr]:
    """Yield the target as the solutions of a polynomial equation of first or second degree."""
    parts = [sympy.Integer(0)] * 3
    for power, number in zip(powers, _simple(coefficients), strict=True):
        parts[power[0]] += number * sympy.Mul(*(s**e for s, e in zip(symbols, power[1:], strict=True)))
    free, linear, square = parts
    if square == 0:
        if linear != 0:
            yield -free / linear
        return
    middle = linear / 2
    inner = sympy.expand(middle**2 - free * square)
    for sign in (1, -1):
        yield sign * sympy.sqrt(-free / square) if linear == 0 else (-middle + sign * sympy.sqrt(inner)) / square


def _simple(coefficients: np.ndarray) -> list[sympy.Expr]:
    """Return the coefficients over one of them, such that as many as possible are simple numbers."""
    options = []
    for divisor in coefficients:
        numbers = [_near(value) for value in coefficients / divisor]
        cost = sum(number.is_Float for number in numbers) + 0.01 * sum(bool(number < 0) for number in numbers)
        options.append((cost, numbers))
    return min(options, key=lambda option: option[0])[1]


def _near(value: float) -> sympy.Expr:
    for below in (1, 2, 3, 4, 6, 8):
        above = round(value * below)
        if 0 < abs(above) <= 100 and abs(value * below - above) < 1e-7 * abs(above):
            return sympy.Rational(above, below)
    return sympy.Float(value)

"""Symmetries of a target, found on a polynomial surrogate, and tables of fewer columns by them.

A target that only depends on a difference of two columns, or that is multiplied when columns are (as physics wants of
its units), is a function of fewer variables.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import sympy

from sparsedyn.equations import symbol
from sparsedyn.estimators.equation.proposals._monomials import exponent
from sparsedyn.estimators.equation.proposals._surrogates import Fit, Surrogate, coordinates_of, smooth, suited
from sparsedyn.estimators.equation.proposals._table import Reduced, Table

ROWS = 800
WORSE = 1.3
"""How much worse, in mean squares per degree of freedom, a surrogate of fewer variables may be."""
ROUND = 0.2
FRACTIONS = (1, 2, 3)
CANCELS = 0.4


def differences(given: Reduced, whole: Table) -> Reduced | None:
    """Return the table with pairs of columns replaced by their difference or sum, if the target allows it."""
    table, found = given.table, None
    while table.x.shape[1] > 1:
        step = _difference(table)
        if step is None:
            return found
        meanings, factor = step
        found = (found or given).then(meanings, factor, whole)
        table = found.table
    return found


def _difference(table: Table) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr] | None:
    x, y = table.x[:ROWS], table.y[:ROWS]
    full = suited(x, y, table.weight[:ROWS])
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.nan_to_num(full.slopes / x) * full.weight[:, None]
    options = []
    for i, j in combinations(range(x.shape[1]), 2):
        for sign in (1, -1):
            together, against = slopes[:, i] + sign * slopes[:, j], slopes[:, i] - sign * slopes[:, j]
            cancels = np.linalg.norm(together) / (np.linalg.norm(against) + 1e-300)
            if cancels < CANCELS:
                options.append((cancels, i, j, sign))
    for _, i, j, sign in sorted(options):
        others = [k for k in range(x.shape[1]) if k not in (i, j)]
        fewer = np.column_stack([x[:, others], x[:, i] - sign * x[:, j]])
        if _explains(fewer, full.target, full.weight, full):
            own = table.symbols
            meanings = {own[k]: own[k] for k in others}
            meanings[symbol(f"{table.names[i]}_")] = own[i] - sign * own[j]
            return meanings, sympy.Integer(1)
    return None


def fine(fewer: Surrogate, full: Fit) -> bool:
    """Whether a surrogate of fewer variables is hardly worse."""
    mean = np.average(full.target, weights=full.weight**2)
    size = float(np.mean(np.square(full.weight * (full.target - mean))))
    return fewer.error <= WORSE * full.surrogate.error + 1e-16 * size and fewer.error < 0.05 * size


def without_powers(given: Reduced, whole: Table) -> Reduced | None:
    """Return the table without the columns of which the target is a power, divided by these powers."""
    table = given.table
    x, y = table.x[:ROWS], table.y[:ROWS]
    count = x.shape[1]
    if count < 2:
        return None
    logs = table.positive
    full = suited(x, y, table.weight[:ROWS])
    slopes = full.slopes
    amount = np.ones_like(y) if full.log else full.target
    ratio = np.sum(np.square(full.weight * amount))
    options = []
    for i in np.flatnonzero(table.divisors):
        power = float(np.sum(full.weight**2 * amount * slopes[:, i])) / ratio
        off = np.sqrt(np.sum(np.square(full.weight * (slopes[:, i] - power * amount))) / ratio)
        rounded = _fraction(power)
        if abs(power - rounded) < 0.1 and off < 0.3 and rounded and (logs[i] or float(rounded).is_integer()):
            options.append((off, i, rounded))
    options.sort()
    for taken in range(len(options), 0, -1):
        powers = {i: exponent(power) for _, i, power in options[:taken]}
        left = [i for i in range(count) if i not in powers]
        if not left:
            continue
        own = table.symbols
        factor = sympy.Mul(*(own[i] ** power for i, power in powers.items()))
        made = given.then({own[i]: own[i] for i in left}, factor, whole)
        if _holds(made.table, y, full):
            return made
    return None


def _holds(table: Table, y: np.ndarray, full: Fit) -> bool:
    """Whether a surrogate of the reduced table explains the target of the table before as well."""
    x, own = table.x[:ROWS], table.y[:ROWS]
    if not (np.isfinite(table.x).all() and np.isfinite(table.y).all()):
        return False
    size = np.sqrt(np.mean(y**2))
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.log(np.abs(own)) if full.log else own
        weight = full.weight if full.log else full.weight * np.abs(y / own) / size
    weight = np.where(np.isfinite(weight), weight, 0.0)
    return _explains(x, target, weight, full)


def _explains(x: np.ndarray, target: np.ndarray, weight: np.ndarray, full: Fit) -> bool:
    return any(fine(smooth(own, target, weight, waves), full) for own, _, waves in coordinates_of(x))


def scalings(given: Reduced, whole: Table) -> Iterator[Reduced]:
    """Yield the table in groups of columns that scalings leave as they are, fewest groups first."""
    table = given.table
    x, y = table.x[:ROWS], table.y[:ROWS]
    count = x.shape[1]
    if len(y) <= count:
        # As many unknown exponents as rows: anything would be left as it is.
        return
    full = suited(x, y, table.weight[:ROWS])
    slopes = full.slopes
    amount = np.ones_like(y) if full.log else full.target
    matrix = np.column_stack([slopes, -amount]) * full.weight[:, None]
    *_, right = np.linalg.svd(matrix / np.sqrt(len(y)), full_matrices=False)
    for groups in range(1, count):
        made = _integer(right[groups + 1 :].T, count) if groups + 1 <= count else None
        if made is None:
            continue
        bases, outer = made
        # The target is divided by a factor.
        if not all(_allowed(table, row) for row in [*bases, outer, [-power for power in outer]]):
            continue
        own = table.symbols
        written = [sympy.Mul(*(s**e for s, e in zip(own, row, strict=True))) for row in bases]
        factor = sympy.Mul(*(s**e for s, e in zip(own, outer, strict=True)))
        names = [symbol(f"g{i}_") if len(e.free_symbols) > 1 or not e.is_Symbol else e for i, e in enumerate(written)]
        reduced = given.then(dict(zip(names, written, strict=True)), factor, whole)
        if _holds(reduced.table, y, full):
            yield reduced


def _allowed(table: Table, row: list[sympy.Expr]) -> bool:
    for power, positive, divisor in zip(row, table.positive, table.divisors, strict=True):
        if (power < 0 and not divisor) or (not power.is_Integer and not positive):
            return False
    return True


def _integer(null: np.ndarray, count: int) -> tuple[list[list[sympy.Expr]], list[sympy.Expr]] | None:
    """Turn scalings (column and target, scaling) into exponents of groups and of the factor of the target."""
    matrix = null.copy()
    pivots: list[int] = []
    for j in range(matrix.shape[1]):
        free = [i for i in range(count) if i not in pivots]
        best = max(((abs(matrix[i, k]), i, k) for i in free for k in range(j, matrix.shape[1])), default=(0, 0, 0))
        if best[0] < 0.05:
            return None
        _, place, column = best
        matrix[:, [j, column]] = matrix[:, [column, j]]
        matrix[:, j] /= matrix[place, j]
        for k in range(matrix.shape[1]):
            if k != j:
                matrix[:, k] -= matrix[place, k] * matrix[:, j]
        pivots.append(place)
    rounded = np.vectorize(_fraction)(matrix)
    if np.abs(rounded - matrix).max() > ROUND or np.abs(rounded).max() > 12:
        return None
    bases = []
    for i in range(count):
        if i in pivots:
            continue
        row: list[sympy.Expr] = [sympy.Integer(0)] * count
        row[i] = sympy.Integer(1)
        for number, pivot in enumerate(pivots):
            row[pivot] = exponent(-rounded[i, number])
        bases.append(row)
    outer: list[sympy.Expr] = [sympy.Integer(0)] * count
    for number, pivot in enumerate(pivots):
        outer[pivot] = exponent(rounded[count, number])
    return bases, outer


def _fraction(value: float) -> float:
    options = [round(value * below) / below for below in FRACTIONS]
    costs = [abs(option - value) + 0.05 * (below - 1) for option, below in zip(options, FRACTIONS, strict=True)]
    return options[int(np.argmin(costs))]

"""Shorter equations with a stated effect: normal form, rounding, leaving out small terms, recognizing constants."""

from collections.abc import Iterator, Mapping, Sequence
from math import gcd, pi
from numbers import Integral

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations.merging import multiplied_out, shorter, whole
from sparsedyn.equations.symbolic import compiled, floating, parametrized, symbols

# One pass may enable further merges in the next.
MOST_PASSES = 3

LARGEST_SIMPLE = 1000
LARGEST_DENOMINATOR = 12
PARTS_OF_PI = (1, 2, 3, 4, 6)
MOST_PI = 12

Data = Mapping[str, Float[np.ndarray, " sample"]]


def simplified(expr: sympy.Expr) -> sympy.Expr:
    """Return a shorter form of the same function, quickly; values change by no more than the rounding of its terms.

    Constants are merged (through products, quotients, powers, exponentials and logarithms), equal terms collected,
    products expanded where that gives a lower `complexity`, and constants that are integers written as such.
    """
    current = sympy.sympify(expr)
    for _ in range(MOST_PASSES):
        previous, current = current, shorter(current, {})
        if current == previous:
            break
    return current.xreplace({number: whole(number) for number in floating([current])})


def rounded(expr: sympy.Expr, digits: int) -> sympy.Expr:
    """Return the expression with all floating-point constants to so many significant digits, or integers."""
    if not isinstance(digits, Integral) or isinstance(digits, bool) or digits < 1:
        raise ValueError(f"digits: expected an integer of at least 1; got {digits!r}.")
    values = {number: float(f"{float(number):.{digits - 1}e}") for number in floating([expr])}
    # Numbers out of floating point's range are left as they are.
    return expr.xreplace({n: whole(sympy.Float(v)) for n, v in values.items() if v != 0 and np.isfinite(v)})


def without_small_terms(expr: sympy.Expr, data: Data, share: float) -> sympy.Expr:
    """Return the expression without the terms whose root mean square is below `share` of its standard deviation.

    Terms are those of the expanded sum. `data` has a column for every variable. `effect` measures the change.
    """
    expanded = multiplied_out(sympy.sympify(expr))
    terms = sympy.Add.make_args(expanded)
    values = _values(terms, data)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return expr
    with np.errstate(over="ignore", invalid="ignore"):
        large = np.sqrt(np.mean(values**2, axis=0)) >= share * np.std(values.sum(axis=1))
    if large.all():
        return expr
    return simplified(sympy.Add(*(term for term, is_large in zip(terms, large, strict=True) if is_large)))


def effect(expr: sympy.Expr, other: sympy.Expr, data: Data) -> float:
    """Return the root mean square difference of two expressions as a share of the first's standard deviation.

    Points at which the first is not finite are left out; it is infinite where only the other one is not. For an
    expression that is constant over the data it is a share of its size.
    """
    values = _values([expr, other], data)
    return _difference(values[:, 0], values[:, 1])


def snapped(expr: sympy.Expr, data: Data, tolerance: float) -> sympy.Expr:
    """Return the expression with constants replaced by simple numbers nearby, as long as `effect` is within tolerance.

    Simple are integers, fractions up to twelfths and small multiples of pi and its halves to sixths. Constants are
    replaced one at a time, by the simplest numbers first, and of those equally simple by the one with the least effect.
    """
    expr = sympy.sympify(expr)
    names = sorted(str(variable) for variable in expr.free_symbols)
    columns = _columns(names, data)
    function, floats = parametrized([expr], symbols(names))
    constants = [float(number) for number in floats]
    target = function(columns, constants)[:, 0]
    simple: dict[int, sympy.Expr] = {}

    def effect_of(replaced: Mapping[int, sympy.Expr]) -> float:
        values = [float(replaced.get(i, constant)) for i, constant in enumerate(constants)]
        return _difference(target, function(columns, values)[:, 0])

    trials = [
        (rank, alone, i, choice)
        for i, constant in enumerate(constants)
        for rank, choice in _simple_near(constant)
        if (alone := effect_of({i: choice})) <= tolerance
    ]
    for _, _, i, choice in sorted(trials, key=lambda trial: trial[:3]):
        if i not in simple and effect_of({**simple, i: choice}) <= tolerance:
            simple[i] = choice
    return simplified(expr.xreplace({floats[i]: value for i, value in simple.items()}))


def _simple_near(value: float) -> Iterator[tuple[int, sympy.Expr]]:
    """Simple numbers around a constant, each with its rank: the lower, the simpler."""
    if not np.isfinite(value):
        return
    whole = round(value)
    # A large number is always close to an integer.
    if abs(whole) < LARGEST_SIMPLE:
        # Zero and one remove a term or a factor.
        yield (0 if abs(whole) <= 1 else 1), sympy.Integer(whole)
    for below in range(2, LARGEST_DENOMINATOR + 1):
        above = round(value * below)
        if 0 < abs(above) <= LARGEST_DENOMINATOR and gcd(above, below) == 1:
            yield below, sympy.Rational(above, below)
    for below in PARTS_OF_PI:
        above = round(value * below / pi)
        if 0 < abs(above) <= MOST_PI and gcd(above, below) == 1:
            # As simple as fractions of such size, or pi/2 would be taken for 11/7.
            yield 3 + abs(above) + below, above * sympy.pi / below


def _columns(names: Sequence[str], data: Data) -> Float[np.ndarray, "sample feature"]:
    missing = [name for name in names if name not in data]
    if missing:
        raise ValueError(f"data: expected a column for every variable; {', '.join(missing)} missing.")
    if not data:
        raise ValueError("data: expected at least one column; there is none.")
    rows = len(next(iter(data.values())))
    return np.stack([np.asarray(data[name], np.float64) for name in names], axis=1) if names else np.empty((rows, 0))


def _values(exprs: Sequence[sympy.Expr], data: Data) -> Float[np.ndarray, "sample output"]:
    names = sorted({str(variable) for expr in exprs for variable in expr.free_symbols})
    return compiled(exprs, names)(_columns(names, data))


def _difference(target: Float[np.ndarray, " sample"], other: Float[np.ndarray, " sample"]) -> float:
    known = np.isfinite(target)
    target, other = target[known], other[known]
    if not len(target):
        return float("nan")
    if not np.isfinite(other).all():
        return float("inf")
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.sqrt(np.mean(target**2)))
        spread = float(np.std(target))
        difference = float(np.sqrt(np.mean((target - other) ** 2)))
    scale = spread if spread > 1e-12 * size else size
    return difference / scale if scale > 0 else (0.0 if difference == 0 else float("inf"))

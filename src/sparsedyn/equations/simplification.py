"""Shorter equations with a stated effect: normal form, rounding, leaving out small terms, recognizing constants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import comb, gcd, pi, prod
from numbers import Integral

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations.symbolic import compiled, floating, parametrized, symbols

# Sums are not divided by constants beyond this, or below one over it: the rest could leave the range of floating point.
LARGEST_DIVISOR = 1e20
# Products that expand to more terms than this stay products.
MOST_TERMS = 50
# Of the products in a sum, at most this many are tried expanded and not.
MOST_TRIALS = 8
# One pass may enable further merges in the next.
MOST_PASSES = 3
# Constants this close to an integer, relatively, are integers that went through floating-point arithmetic.
ROUNDING = 1e-13
LARGEST_INTEGER = 1_000_000_000

LARGEST_SIMPLE = 1000
LARGEST_DENOMINATOR = 12
PARTS_OF_PI = (1, 2, 3, 4, 6)
MOST_PI = 12

Data = Mapping[str, Float[np.ndarray, " sample"]]


def complexity(expr: sympy.Expr) -> int:
    """Return the number of nodes of the expression's tree.

    Variables, constants (whatever their digits, `3/4` and `2*pi` too), functions and the operations `+ - * / **` of two
    arguments count one each. So do `x**2` and `sqrt(x)`, as functions of one argument, and a minus sign in front; the
    sign of a constant counts nothing. `a*x + b` is 5, `x - y` is 3, `1/x` is 3, `-x**2` is 3.
    """
    if not expr.args or not expr.free_symbols:
        return 1
    if expr.is_Add:
        bare = [-term if _negated(term) else term for term in expr.args]
        return sum(map(complexity, bare)) + len(bare) - 1 + all(map(_negated, expr.args))
    if expr.is_Mul:
        if _negated(expr):
            return 1 + complexity(-expr)
        constants, factors = _divided(expr.args)
        above = [f for f in factors if not _below(f)]
        below = [1 / f for f in factors if _below(f)]
        numbers = max(bool(constants), not above)
        return sum(map(complexity, above + below)) + numbers + (numbers + len(above) + len(below) - 1)
    if expr.is_Pow:
        if _below(expr):
            return 2 + complexity(1 / expr)
        base, exponent = expr.args
        if exponent in (2, sympy.Rational(1, 2)):
            return 1 + complexity(base)
        return 1 + complexity(base) + complexity(exponent)
    return 1 + sum(map(complexity, expr.args))


def simplified(expr: sympy.Expr) -> sympy.Expr:
    """Return a shorter form of the same function, quickly; values change by no more than the rounding of its terms.

    Constants are merged (through products, quotients, powers, exponentials and logarithms), equal terms collected,
    products expanded where that gives a lower `complexity`, and constants that are integers written as such.
    """
    current = sympy.sympify(expr)
    for _ in range(MOST_PASSES):
        previous, current = current, _tidy(current, {})
        if current == previous:
            break
    return current.xreplace({number: _whole(number) for number in floating([current])})


def rounded(expr: sympy.Expr, digits: int) -> sympy.Expr:
    """Return the expression with all floating-point constants to so many significant digits, or integers."""
    if not isinstance(digits, Integral) or isinstance(digits, bool) or digits < 1:
        raise ValueError(f"digits: expected an integer of at least 1; got {digits!r}.")
    values = {number: float(f"{float(number):.{digits - 1}e}") for number in floating([expr])}
    # Numbers out of floating point's range are left as they are.
    return expr.xreplace({n: _whole(sympy.Float(v)) for n, v in values.items() if v != 0 and np.isfinite(v)})


def without_small_terms(expr: sympy.Expr, data: Data, share: float) -> sympy.Expr:
    """Return the expression without the terms whose root mean square is below `share` of its standard deviation.

    Terms are those of the expanded sum. `data` has a column for every variable. `effect` measures the change.
    """
    expanded = _expanded(sympy.sympify(expr))
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


def _tidy(expr: sympy.Expr, done: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The shorter form of an expression, its parts first."""
    if not expr.args:
        return expr
    if expr not in done:
        parts = [_tidy(part, done) for part in expr.args]
        if expr.is_Add:
            done[expr] = _sum(parts)
        elif expr.is_Mul:
            done[expr] = _product(parts)
        elif expr.is_Pow:
            done[expr] = _product([_power(*parts)])
        elif isinstance(expr, sympy.log) and len(parts) == 1:
            done[expr] = _logarithm(*parts)
        elif isinstance(expr, sympy.Abs):
            factor, rest = _normalized(*parts)
            done[expr] = _times(sympy.Abs(factor), sympy.Abs(rest))
        else:
            done[expr] = _merged(expr.func(*parts))
    return done[expr]


def _sum(terms: list[sympy.Expr]) -> sympy.Expr:
    """The sum, with those terms expanded that make it shorter."""
    best = _plus(*terms)
    size = complexity(best)
    terms = list(sympy.Add.make_args(best))
    expandable = [i for i, term in enumerate(terms) if _expanded(term) != term][:MOST_TRIALS]
    for chosen in [*([i] for i in expandable), expandable]:
        trial = [_expanded(term) if i in chosen else term for i, term in enumerate(terms)]
        candidate = _plus(*trial)
        if complexity(candidate) < size:
            best, size = candidate, complexity(candidate)
    return best


def _product(factors: list[sympy.Expr]) -> sympy.Expr:
    """The product with the constants of its factors in front, or expanded where that is shorter."""
    product = _times(*factors)
    if product.is_Mul:
        constants, others = _divided(product.args)
        if len(others) > 1:
            pairs = [_normalized(factor) if factor.is_Add else (sympy.Integer(1), factor) for factor in others]
            product = _times(*constants, *(part for pair in pairs for part in pair))
    expanded = _expanded(product)
    return expanded if complexity(expanded) < complexity(product) else product


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    factor, rest = _normalized(base)
    if exponent.is_Integer or (exponent.is_number and factor.is_positive):
        return _times(factor**exponent, rest**exponent)
    return base**exponent


def _logarithm(argument: sympy.Expr) -> sympy.Expr:
    whole = _merged(sympy.log(argument))
    constants, others = _divided(sympy.Mul.make_args(argument))
    factor = _merged(sympy.Mul(*constants))
    if not (factor.is_Float and factor.is_positive):
        return whole
    divided = _plus(sympy.log(factor), sympy.log(sympy.Mul(*others)))
    # Of equal length, this form is preferred: its constant can be merged.
    return divided if complexity(divided) <= complexity(whole) else whole


def _normalized(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """A constant and the rest of a sum, divided such that most terms are without a coefficient."""
    if not expr.is_Add:
        return sympy.Integer(1), expr
    coefficients = [term.as_coeff_Mul()[0] for term in expr.args if term.free_symbols]

    def bare(divisor: sympy.Expr) -> int:
        return sum(abs(float(c / divisor)) == 1 for c in coefficients)

    divisor = max([sympy.Integer(1), *coefficients], key=bare)
    if not divisor.is_Float or not 1 / LARGEST_DIVISOR < abs(divisor) < LARGEST_DIVISOR:
        return sympy.Integer(1), expr
    return divisor, _plus(*(_times(1 / divisor, term) for term in expr.args))


def _expanded(expr: sympy.Expr) -> sympy.Expr:
    """Products of sums and powers of sums multiplied out, at the top level, unless they are too many."""
    terms = sympy.Add.make_args(expr)
    if sum(map(_count, terms)) > MOST_TERMS:
        return expr
    multiplied = [_multiplied(term) for term in terms]
    return _plus(*multiplied) if multiplied != list(terms) else expr


def _multiplied(term: sympy.Expr) -> sympy.Expr:
    sums: list[sympy.Expr] = []
    others: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(term):
        (sums if _count(factor) > 1 else others).append(factor)
    if not sums:
        return term
    powers = (sympy.expand_multinomial(power, deep=False) for power in sums)
    product = sympy.expand_mul(sympy.Mul(*powers), deep=False)
    return sympy.Add(*(sympy.Mul(*others, part) for part in sympy.Add.make_args(product)))


def _count(term: sympy.Expr) -> int:
    """The number of terms that a product expands to."""
    return prod(
        comb(len(base.args) + int(power) - 1, int(power))
        for base, power in (factor.as_base_exp() for factor in sympy.Mul.make_args(term))
        if base.is_Add and power.is_Integer and power > 0
    )


def _plus(*terms: sympy.Expr) -> sympy.Expr:
    """The sum, its constants merged, and those of its terms."""
    total = sympy.Add(*(_times(*sympy.Mul.make_args(t)) for term in terms for t in sympy.Add.make_args(term)))
    return _merged(total)


def _times(*factors: sympy.Expr) -> sympy.Expr:
    """The product, its constants merged."""
    return _merged(sympy.Mul(*factors))


def _merged(expr: sympy.Expr) -> sympy.Expr:
    """The expression with its constants as one number, where any of them is a floating-point number."""
    if not expr.free_symbols:
        return _number(expr)
    if expr.is_Add or expr.is_Mul:
        constants, others = _divided(expr.args)
        if len(constants) > 1 or (constants and not constants[0].is_Number):
            constants = [_number(expr.func(*constants))]
        if expr.is_Mul and constants and abs(_whole(constants[0])) == 1:
            constants = [_whole(constants[0])]
        return expr.func(*constants, *others)
    return expr


def _number(expr: sympy.Expr) -> sympy.Expr:
    if expr.is_Float or not expr.has(sympy.Float):
        return expr
    value = expr.evalf(15)
    return value if value.is_Float else expr


def _whole(number: sympy.Expr) -> sympy.Expr:
    """An integer, where a floating-point constant is one up to rounding."""
    if not number.is_Float:
        return number
    value = float(number)
    if 0.5 < abs(value) < LARGEST_INTEGER and abs(value - round(value)) <= ROUNDING * abs(value):
        return sympy.Integer(round(value))
    return number


def _divided(parts: Iterable[sympy.Expr]) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
    """Constants, and what has variables."""
    constants: list[sympy.Expr] = []
    others: list[sympy.Expr] = []
    for part in parts:
        (others if part.free_symbols else constants).append(part)
    return constants, others


def _negated(expr: sympy.Expr) -> bool:
    return bool(expr.is_Mul and expr.args[0] == -1)


def _below(expr: sympy.Expr) -> bool:
    """Whether a factor belongs below the fraction bar."""
    return bool(expr.is_Pow and expr.args[1].is_number and expr.args[1].is_negative)


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

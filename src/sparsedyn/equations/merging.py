"""A shorter form of an expression: constants merged, equal terms collected, products expanded where that is shorter."""

from collections.abc import Iterable
from math import comb, prod

import sympy

# Sums are not divided by constants beyond this, or below one over it: the rest could leave the range of floating point.
LARGEST_DIVISOR = 1e20
# Products that expand to more terms than this stay products.
MOST_TERMS = 50
# Of the products in a sum, at most this many are tried expanded and not.
MOST_TRIALS = 8
# Constants this close to an integer, relatively, are integers that went through floating-point arithmetic.
ROUNDING = 1e-13
LARGEST_INTEGER = 1_000_000_000


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


def shorter(expr: sympy.Expr, done: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The shorter form of an expression, its parts first."""
    if not expr.args:
        return expr
    if expr not in done:
        parts = [shorter(part, done) for part in expr.args]
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
    expandable = [i for i, term in enumerate(terms) if multiplied_out(term) != term][:MOST_TRIALS]
    for chosen in [*([i] for i in expandable), expandable]:
        trial = [multiplied_out(term) if i in chosen else term for i, term in enumerate(terms)]
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
    expanded = multiplied_out(product)
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


def multiplied_out(expr: sympy.Expr) -> sympy.Expr:
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
        if expr.is_Mul and constants and abs(whole(constants[0])) == 1:
            constants = [whole(constants[0])]
        return expr.func(*constants, *others)
    return expr


def _number(expr: sympy.Expr) -> sympy.Expr:
    if expr.is_Float or not expr.has(sympy.Float):
        return expr
    value = expr.evalf(15)
    return value if value.is_Float else expr


def whole(number: sympy.Expr) -> sympy.Expr:
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

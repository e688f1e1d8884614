"""Expressions as terms, which compiled code knows, where they are sums of products of these; undoes `_written`."""

import math
from collections.abc import Mapping, Sequence, Set

import sympy

from sparsedyn.estimators.shooting_search._library import AGAIN, BASE, INVERSE, PRICES, times
from sparsedyn.training.shooting import products as kinds
from sparsedyn.training.shooting.products import MOST_FACTORS, Factor, Term

FUNCTIONS: dict[type, float] = {
    sympy.sin: PRICES[kinds.SIN],
    sympy.cos: PRICES[kinds.COS],
    sympy.exp: PRICES[kinds.EXP],
    sympy.log: PRICES[kinds.LOG],
    sympy.Abs: PRICES[kinds.ABS],
    sympy.tanh: PRICES[kinds.TANH],
}
UNUSUAL = 4.0
"""Nats of a function that terms do not have."""
PLAIN = BASE + PRICES[kinds.POWER]

Read = tuple[float, list[Factor], list[float]]
"""A number, and factors with their constants inside."""


def terms_of(expr: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> list[tuple[float, Term]] | None:
    """Return coefficients and terms whose sum an expression is; nothing where it is no such sum."""
    places = {one: place for place, one in enumerate(symbols)}
    found: dict[Term, float] = {}
    for part in sympy.Add.make_args(sympy.expand_mul(expr)):
        number, factors, inside = 1.0, list[Factor](), list[float]()
        for one in sympy.Mul.make_args(part):
            read = _factor(one, places)
            if read is None:
                return None
            number, factors, inside = number * read[0], factors + read[1], inside + read[2]
        term = times(Term((), tuple(inside)), factors)
        if len(term.factors) > MOST_FACTORS or sum(one.constants for one in term.factors) != len(inside):
            return None
        found[term] = found.get(term, 0.0) + number
    return [(number, term) for term, number in found.items() if number != 0]


def _factor(expr: sympy.Expr, places: Mapping[sympy.Symbol, int]) -> Read | None:
    if not expr.free_symbols:
        value = complex(expr)
        return (value.real, [], []) if value.imag == 0 and math.isfinite(value.real) else None
    if expr.is_Symbol:
        return 1.0, [Factor(kinds.POWER, places[expr])], []
    if expr.is_Pow:
        return _power(expr, places)
    argument = expr.args[0]
    if isinstance(expr, sympy.sin | sympy.cos):
        sine = isinstance(expr, sympy.sin)
        if argument in places:
            return 1.0, [Factor(kinds.SIN if sine else kinds.COS, places[argument])], []
        if len(argument.free_symbols) == 2:
            v, w = sorted(argument.free_symbols, key=lambda one: places[one])
            if argument in (v - w, w - v):
                code = kinds.SIN_DIFFERENCE if sine else kinds.COS_DIFFERENCE
                return (-1.0 if sine and argument == w - v else 1.0), [Factor(code, places[v], places[w])], []
            return None
        return _scaled(kinds.SIN_OF_MULTIPLE if sine else kinds.COS_OF_MULTIPLE, argument, places)
    if isinstance(expr, sympy.tanh):
        return _scaled(kinds.TANH, argument, places)
    if isinstance(expr, sympy.exp):
        shift, rest = argument.as_coeff_Add()
        rate, rest = rest.as_coeff_Mul()
        base, power = rest.as_base_exp()
        if base in places and power.is_Integer and 1 <= power <= 3:
            return math.exp(shift), [Factor(kinds.EXP, places[base], int(power))], [float(rate)]
        return None
    bare = argument.args[0] if isinstance(argument, sympy.Abs) else argument
    plain = {sympy.log: kinds.LOG, sympy.Abs: kinds.ABS}.get(expr.func)
    return (1.0, [Factor(plain, places[bare])], []) if plain is not None and bare in places else None


def _power(expr: sympy.Expr, places: Mapping[sympy.Symbol, int]) -> Read | None:
    base, power = expr.args
    if power.free_symbols:
        return None
    if power.is_Integer or float(power).is_integer():
        power = int(power)
        if base.is_Add:
            read = _below(base, places) if power < 0 else None
            power = -power
        else:
            read = _factor(base, places)
        if read is None or len(read[1]) != 1:
            return None
        number, (factor,), inside = read
        return number**power, [factor._replace(power=factor.power * power)], inside
    bare = base.args[0] if isinstance(base, sympy.Abs) else base
    if bare not in places:
        return None
    if power == sympy.Rational(1, 2):
        return 1.0, [Factor(kinds.SQRT, places[bare])], []
    return 1.0, [Factor(kinds.FREE_POWER, places[bare])], [float(power)]


def _below(total: sympy.Add, places: Mapping[sympy.Symbol, int]) -> Read | None:
    """One over a sum: saturations and sigmoids."""
    constant, rest = total.as_coeff_Add()
    parts = [one.as_coeff_Mul() for one in sympy.Add.make_args(rest)]
    if not (constant.is_Number and constant != 0 and all(one.free_symbols for _, one in parts)):
        return None
    number, one = parts[0]
    if len(parts) == 1 and isinstance(one, sympy.exp):
        shift, rest = one.args[0].as_coeff_Add()
        rate, variable = rest.as_coeff_Mul()
        height = float(number / constant) * math.exp(shift)
        if variable not in places or height <= 0:
            return None
        return 1 / float(constant), [Factor(kinds.SIGMOID, places[variable])], [float(rate), math.log(height)]
    if len(parts) == 1:
        base, power = one.as_base_exp()
        if base in places and power.is_Integer and power > 0:
            return 1 / float(number), [Factor(kinds.HILL, places[base], int(power))], [float(constant / number)]
    if len(parts) == 2 and all(variable in places for _, variable in parts):
        other, second = parts[1]
        factor = Factor(kinds.RATIO, places[one], places[second])
        return 1 / float(number), [factor], [float(constant / number), float(other / number)]
    return None


def _scaled(code: int, argument: sympy.Expr, places: Mapping[sympy.Symbol, int]) -> Read | None:
    rate, variable = argument.as_coeff_Mul()
    return (1.0, [Factor(code, places[variable])], [float(rate)]) if variable in places else None


def worth(expr: sympy.Expr, variables: Set[sympy.Symbol]) -> float:
    """Return the nats that an expression's structure costs, about what terms like it would; constants are no part."""
    terms = sympy.Add.make_args(expr)
    return float(sum(BASE + sum(_nats(factor, variables) for factor in sympy.Mul.make_args(one)) for one in terms))


def _nats(expr: sympy.Expr, variables: Set[sympy.Symbol]) -> float:
    if not expr.free_symbols & variables:
        return 0.0
    if expr.is_Symbol:
        return PRICES[kinds.POWER]
    if expr.is_Add:
        return _inside(expr, variables)
    if expr.is_Pow:
        base, power = expr.args
        if not power.is_Integer:
            return PRICES[kinds.FREE_POWER] + _inside(base, variables) + _inside(power, variables)
        if base.is_Symbol:
            return float(PRICES[kinds.POWER] * power if power > 0 else -INVERSE * power)
        kind = PRICES[kinds.HILL] if power < 0 else 0.0
        return float(kind + _nats(base, variables) + AGAIN * (abs(power) - 1))
    return FUNCTIONS.get(expr.func, UNUSUAL) + sum(_inside(one, variables) for one in expr.args)


def _inside(expr: sympy.Expr, variables: Set[sympy.Symbol]) -> float:
    """What an argument costs beyond a variable times a constant."""
    terms = [one for one in sympy.Add.make_args(expr) if one.free_symbols & variables]
    return max(0.0, sum(BASE + sum(_nats(f, variables) for f in sympy.Mul.make_args(one)) for one in terms) - PLAIN)

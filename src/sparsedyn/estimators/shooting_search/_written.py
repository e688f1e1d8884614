"""Terms as expressions."""

from collections.abc import Sequence

import sympy

from sparsedyn.training.shooting import products as kinds
from sparsedyn.training.shooting.products import Factor, Term


def expression(terms: Sequence[Term], coefficients: Sequence[float], symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Return a sum of terms; numbers that are integers are written as such."""
    return sympy.Add(*(number(c) * _product(term, symbols) for term, c in zip(terms, coefficients, strict=True)))


def number(value: float | sympy.Expr) -> sympy.Expr:
    """Return a number, an integer or a number of thirds where it is one; symbols stay."""
    if isinstance(value, sympy.Expr):
        return value
    for parts in (1, 3):
        if abs(value) < 1e9 and value == round(parts * value) / parts:
            return sympy.Rational(round(parts * value), parts)
    return sympy.Float(value)


def _product(term: Term, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    inside = iter(term.inside)
    found = sympy.Integer(1)
    for factor in term.factors:
        constants = [number(next(inside)) for _ in range(factor.constants)]
        found *= _factor(factor, constants, symbols) ** factor.power
    return found


def _factor(factor: Factor, constants: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    code, v = factor.code, symbols[factor.first]
    two = code in (kinds.SIN_DIFFERENCE, kinds.COS_DIFFERENCE, kinds.SIGMOID_OF_TWO, kinds.RATIO)
    w = symbols[factor.second] if two else None
    a, b, c = (*constants, None, None, None)[:3]
    if code in _PLAIN:
        return _PLAIN[code](v)
    if code == kinds.SIN_DIFFERENCE:
        return sympy.sin(v - w)
    if code == kinds.COS_DIFFERENCE:
        return sympy.cos(v - w)
    if code == kinds.EXP:
        return sympy.exp(a * v**factor.second)
    if code == kinds.SIGMOID:
        return 1 / (1 + sympy.exp(b + a * v))
    if code == kinds.SIGMOID_OF_TWO:
        return 1 / (1 + sympy.exp(b + a * v + c * w))
    if code == kinds.HILL:
        return 1 / (a + v**factor.second)
    if code == kinds.RATIO:
        return 1 / (a + v + b * w)
    if code == kinds.FREE_POWER:
        return sympy.Abs(v) ** a
    return _SCALED[code](a * v)


_PLAIN = {
    kinds.POWER: lambda v: v,
    kinds.SIN: sympy.sin,
    kinds.COS: sympy.cos,
    kinds.LOG: lambda v: sympy.log(sympy.Abs(v)),
    kinds.ABS: sympy.Abs,
    kinds.SQRT: lambda v: sympy.sqrt(sympy.Abs(v)),
}
_SCALED = {kinds.SIN_OF_MULTIPLE: sympy.sin, kinds.COS_OF_MULTIPLE: sympy.cos, kinds.TANH: sympy.tanh}

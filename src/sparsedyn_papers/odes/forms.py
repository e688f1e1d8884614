"""Whether equations have the form of the true ones: these, with other numbers, agree with them."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import sympy
from jaxtyping import Float
from scipy.optimize import least_squares

from sparsedyn.equations import compiled
from sparsedyn.equations.symbolic import parametrized, symbols

POINTS = 300
SAME = 1e-5
"""Share of an equation's size by which it may differ from the true form with other numbers."""


def exact(truth: Sequence[sympy.Expr], found: Sequence[sympy.Expr], states: Float[np.ndarray, "time state"]) -> bool:
    """Return whether equations in x_0, x_1, ... have the form of the true ones.

    With other coefficients and constants, these agree with them over the range of the states to 1e-5 of their size, and
    have as many numbers.
    """
    names = [f"x_{i}" for i in range(len(truth))]
    low, high = states.min(axis=0), states.max(axis=0)
    points = low + (high - low) * np.random.default_rng(1).uniform(size=(POINTS, len(low)))
    for equation, other in zip(truth, found, strict=True):
        true = sympy.expand(equation)
        values = compiled([other], names)(points)[:, 0]
        size = np.sqrt(np.mean(np.square(values)))
        if not np.isfinite(size) or not _agrees(true, values, points, names):
            return False
        fine = _numbers(true) <= _numbers(other) <= _numbers(_freed(true))
        if other.free_symbols != true.free_symbols or not fine:
            return False
    return True


def _numbers(expr: sympy.Expr) -> int:
    """How many terms and constants inside functions an expression has, fractions being over one denominator."""
    expr = sympy.expand(expr)
    total = 0
    for term in sympy.Add.make_args(expr):
        inside = [n for f in term.atoms(sympy.Function, sympy.Pow) for n in f.atoms(sympy.Float)]
        total += 1 + len(set(inside))
    return total


def _agrees(true: sympy.Expr, values: np.ndarray, points: np.ndarray, names: list[str]) -> bool:
    """Whether the true form with other numbers has these values."""
    function, floats = parametrized([_freed(true)], symbols(names))
    start = np.asarray([float(one) for one in floats])
    size = np.sqrt(np.mean(np.square(values))) or 1.0

    def off(p: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.nan_to_num((function(points, list(p))[:, 0] - values) / size, nan=1e3, posinf=1e3, neginf=-1e3)

    best = least_squares(off, start, x_scale=np.maximum(np.abs(start), 1e-3), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return bool(np.sqrt(np.mean(np.square(best.fun))) < SAME)


def _freed(true: sympy.Expr) -> sympy.Expr:
    """A form whose coefficients, and constants in denominators, are numbers that differ from each other."""
    places = count(1)

    def number(value: sympy.Expr) -> sympy.Float:
        return sympy.Float(float(value) * (1 + 1e-9 * next(places)))

    def below(power: sympy.Expr) -> sympy.Expr:
        return sympy.Pow(sympy.Add(*(number(a) if a.is_Number else a for a in power.base.args)), power.exp)

    whole = sympy.Integer(0)
    for term in sympy.Add.make_args(true):
        coefficient, rest = term.as_coeff_Mul()
        rest = rest.replace(lambda e: e.is_Pow and e.exp.is_negative and e.base.is_Add, below)
        whole += number(coefficient) * rest
    return whole

"""Whether equations have the form of the true ones: these, with other numbers, agree with them."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import pandas as pd
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
    return all(_right(true, one, _within(states)) for true, one in zip(truth, found, strict=True))


def covered(
    truth: Sequence[sympy.Expr],
    found: Sequence[sympy.Expr],
    constants: pd.DataFrame,
    states: Float[np.ndarray, "time state"],
) -> tuple[int, int]:
    """Return how many intervals have the true constant, and how many there are, in equations of the right form.

    The true constant is the number that a found equation has where its numbers are fitted to the true right-hand side.
    Constants that are not told apart in the equation as it is written are left out.
    """
    points, names = _within(states), _names(len(truth))
    inside = total = 0
    for name, true, one in zip(names, truth, found, strict=True):
        values = compiled([true], names)(points)[:, 0]
        numbers = _agreeing(_floating(sympy.expand(one)), values, points) if _right(true, one, points) else None
        rows = constants.loc[constants["state"] == name, ["value", "low", "high"]].to_numpy(float)
        for value, low, high in rows if numbers else ():
            written, wanted = min(numbers or (), key=lambda pair: abs(pair[0] - value))
            # Rounding moves a number by some standard errors at most, of which an interval has four.
            if abs(written - value) <= high - low:
                inside, total = inside + bool(low <= wanted <= high), total + 1
    return inside, total


def _names(count: int) -> list[str]:
    return [f"x_{i}" for i in range(count)]


def _within(states: Float[np.ndarray, "time state"]) -> Float[np.ndarray, "point state"]:
    """Points between the least and the largest values of states."""
    low, high = states.min(axis=0), states.max(axis=0)
    points: np.ndarray = low + (high - low) * np.random.default_rng(1).uniform(size=(POINTS, len(low)))
    return points


def _right(equation: sympy.Expr, other: sympy.Expr, points: Float[np.ndarray, "point state"]) -> bool:
    """Whether one equation has the form of the true one."""
    true = sympy.expand(equation)
    values = compiled([other], _names(points.shape[1]))(points)[:, 0]
    if not np.isfinite(values).all() or _agreeing(true, values, points) is None:
        return False
    # Constants may have been rounded to integers.
    fine = _numbers(true) <= _numbers(_floating(other, ones=True)) and _numbers(other) <= _numbers(_freed(true))
    return bool(fine and other.free_symbols == true.free_symbols)


def _numbers(expr: sympy.Expr) -> int:
    """How many terms and constants inside functions an expression has, fractions being over one denominator."""
    expr = sympy.expand(expr)
    total = 0
    for term in sympy.Add.make_args(expr):
        inside = [n for f in term.atoms(sympy.Function, sympy.Pow) for n in f.atoms(sympy.Float)]
        total += 1 + len(set(inside))
    return total


def _agreeing(
    form: sympy.Expr, values: Float[np.ndarray, " point"], points: Float[np.ndarray, "point state"]
) -> list[tuple[float, float]] | None:
    """The numbers of a form beside those with which it has these values; nothing where none are such."""
    function, floats = parametrized([_freed(form)], symbols(_names(points.shape[1])))
    start = np.asarray([float(one) for one in floats])
    size = np.sqrt(np.mean(np.square(values))) or 1.0

    def off(p: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.nan_to_num((function(points, list(p))[:, 0] - values) / size, nan=1e3, posinf=1e3, neginf=-1e3)

    best = least_squares(off, start, x_scale=np.maximum(np.abs(start), 1e-3), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    agrees = np.sqrt(np.mean(np.square(best.fun))) < SAME
    return list(zip(start.tolist(), best.x.tolist(), strict=True)) if agrees else None


def _floating(expr: sympy.Expr, *, ones: bool = False) -> sympy.Expr:
    """An expression with floating-point numbers for those that it multiplies by or adds, or for all but one."""

    def number(value: sympy.Expr) -> sympy.Expr:
        return value if abs(value) == 1 and not ones else sympy.Float(value)

    if expr.is_Add or expr.is_Mul:
        args = (number(a) if a.is_Number else _floating(a, ones=ones) for a in expr.args)
        return expr.func(*args)
    if expr.is_Pow:
        return sympy.Pow(_floating(expr.base, ones=ones), expr.exp)
    return expr.func(*(_floating(a, ones=ones) for a in expr.args)) if expr.args else expr


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

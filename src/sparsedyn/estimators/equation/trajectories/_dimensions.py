"""Dimensions of an equation's constants, by how it behaves under changes of units."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.estimators.equation._units import Dimension

POINTS = 60
OFF = 1e-6
"""Share of an equation's size by which it may be off being homogeneous."""
SIMPLEST = 60
"""Largest denominator of an exponent."""


def dimensions_of(
    expr: sympy.Expr,
    constants: Sequence[sympy.Symbol],
    values: Sequence[float],
    points: Float[np.ndarray, "point variable"],
    variables: Mapping[sympy.Symbol, Dimension],
    target: Dimension,
) -> list[Dimension] | None:
    """Return dimensions of constants that make an expression homogeneous, or nothing where none do.

    Under a change of a base unit by a factor, variables, constants and the expression change by powers of it. Its
    derivative says which powers: the sum over all variables and constants of exponent times value times derivative is
    the target's exponent times the expression's value, at every point.
    """
    chosen = points[np.unique(np.linspace(0, len(points) - 1, POINTS).astype(int))]
    unknowns = [*variables, *constants]
    named = {one: sympy.Dummy(real=True) for one in unknowns}
    wanted = [expr, *(one * expr.diff(one) for one in unknowns)]
    exprs = [one.xreplace(named) for one in wanted]
    function = sympy.lambdify(list(named.values()), exprs, modules=["scipy", "numpy"], cse=True)
    with np.errstate(all="ignore"):
        found = function(*chosen.T, *values)
    table = np.stack([np.broadcast_to(np.asarray(one, float), len(chosen)) for one in found], axis=1)
    table = table[np.isfinite(table).all(axis=1)]
    size = np.sqrt(np.mean(np.square(table[:, 0]))) if len(table) else 0.0
    if not size:
        return None
    table = table / size
    by_variable, by_constant = table[:, 1 : 1 + len(variables)], table[:, 1 + len(variables) :]
    bases = sorted({base for one in (target, *variables.values()) for base in one})
    known = np.asarray([[float(one.get(base, 0)) for base in bases] for one in variables.values()])
    goal = np.asarray([float(target.get(base, 0)) for base in bases])
    right = table[:, :1] * goal - by_variable @ known.reshape(len(variables), len(bases))
    exponents = np.linalg.lstsq(by_constant, right, rcond=1e-10)[0] if constants else np.zeros((0, len(bases)))
    if np.any(np.abs(by_constant @ exponents - right) > OFF * max(1.0, float(np.abs(by_constant).max(initial=0.0)))):
        return None
    return [_dimension(bases, row) for row in exponents.tolist()]


def _dimension(bases: Sequence[str], exponents: Sequence[float]) -> Dimension:
    simple = [Fraction(value).limit_denominator(SIMPLEST) for value in exponents]
    return {base: power for base, power in zip(bases, simple, strict=True) if power}

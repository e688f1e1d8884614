"""Where an equation has poles among the data: a denominator that changes its sign there."""

from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import compiled


def poles(expr: sympy.Expr, names: Sequence[str], columns: Float[np.ndarray, "sample feature"]) -> list[sympy.Expr]:
    """Return the expressions that are divided by and are of both signs on the data."""
    # A tangent that is divided by is zero where its own pole is.
    given = expr.replace(_divides_by_tangent, lambda power: sympy.cot(power.base.args[0]) ** -power.exp)
    below = [power.base for power in given.atoms(sympy.Pow) if power.exp.is_negative]
    below += [sympy.cos(one.args[0]) for one in given.atoms(sympy.tan)]
    below += [sympy.sin(one.args[0]) for one in given.atoms(sympy.cot)]
    return [base for base in dict.fromkeys(below) if base.free_symbols and _changes_sign(base, names, columns)]


def _divides_by_tangent(expr: sympy.Expr) -> bool:
    return bool(expr.is_Pow and expr.exp.is_negative and isinstance(expr.base, sympy.tan))


def _changes_sign(base: sympy.Expr, names: Sequence[str], columns: Float[np.ndarray, "sample feature"]) -> bool:
    with np.errstate(all="ignore"):
        values = compiled([base], names)(columns)[:, 0]
    return bool(np.nanmin(values) < 0 < np.nanmax(values))

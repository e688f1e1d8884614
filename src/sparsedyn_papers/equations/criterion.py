"""When an equation counts as found: a rule that needs no reader, on data that no search has seen.

An equation is a success when its error beyond the sampled domain is at most 1 % of the truth's standard deviation and
no term of it is spurious. It has the right form when its constants, and they alone, separate it from the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from scipy.optimize import least_squares

from sparsedyn.equations import compiled, simplified
from sparsedyn.equations.symbolic import floating, parametrized, symbols

LARGEST_ERROR = 0.01
"""Error beyond the domain up to which an equation is a success."""
LARGEST_TERM = 0.02
"""Size up to which a term that the truth has not is overlooked, as a share of the truth's standard deviation."""
LARGEST_FORM_ERROR = 0.05
LARGEST_CONSTANT_ERROR = 0.05
ROUNDING = 1e-9
SAME = 1e-6
"""Relative error below which two functions are the same."""
LARGEST_EXPRESSION = 400
"""Nodes of an expression beyond which it has not the right form; comparing it would take long."""


@dataclass(frozen=True)
class Assessment:
    """How an equation compares with the truth.

    `error` is the root mean square error as a share of the truth's standard deviation; `spurious` are the terms that
    the truth has not; `form` says whether it equals the truth once its constants are fitted to the truth; `constants`
    is the largest relative change of a constant that takes, NaN where the form is wrong.
    """

    error: float
    spurious: tuple[sympy.Expr, ...]
    form: bool
    constants: float

    @property
    def success(self) -> bool:
        """A small error beyond the domain, and no spurious term."""
        return self.error <= LARGEST_ERROR and not self.spurious

    @property
    def right(self) -> bool:
        """The right form, all constants within a few per cent: what can be asked where data are noisy."""
        near = self.error <= LARGEST_FORM_ERROR and self.constants <= LARGEST_CONSTANT_ERROR
        return near and self.form and not self.spurious


def assessed(found: sympy.Expr, truth: sympy.Expr, beyond: Mapping[str, Float[np.ndarray, " sample"]]) -> Assessment:
    """Assess an equation on points `beyond` the domain, a column per variable."""
    names = list(beyond)
    columns = np.stack([np.asarray(beyond[name], np.float64) for name in names], axis=1)
    target = compiled([truth], names)(columns)[:, 0]
    values = compiled([found], names)(columns)[:, 0]
    error = relative_error(values, target)
    if not error <= LARGEST_FORM_ERROR or _size(found) > LARGEST_EXPRESSION:
        return Assessment(error, (), False, np.nan)
    terms = _terms(simplified(found))
    own = compiled(terms, names)(columns)
    large = _large(own, target, LARGEST_TERM)
    floats, factors, fitted = _refitted(terms, names, columns, target)
    same = relative_error(fitted.sum(axis=1), target) < SAME
    if same:
        # A term that is nothing once the constants are those of the truth is none of the truth's.
        known = _large(fitted, target, SAME)
    else:
        skeletons = [skeleton(term) for term in _terms(simplified(truth))]
        known = np.asarray([skeleton(term) in skeletons for term in terms])
    spurious = tuple(term for term, is_large, own in zip(terms, large, known, strict=True) if is_large and not own)
    constants = _largest_change([t for t, own in zip(terms, known, strict=True) if own], floats, factors)
    return Assessment(error, spurious, same, constants if same else np.nan)


def relative_error(values: Float[np.ndarray, " sample"], target: Float[np.ndarray, " sample"]) -> float:
    """Return the root mean square difference as a share of the target's standard deviation; infinite if not finite."""
    known = np.isfinite(target)
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.sqrt(np.mean(np.square(values[known] - target[known]))) / np.std(target[known]))
    return error if np.isfinite(error) else np.inf


def skeleton(expr: sympy.Expr) -> Any:
    """Return the structure of an expression: its operations and variables, constants and their factors left out."""
    if not expr.free_symbols:
        return "constant"
    if expr.is_Mul or expr.is_Add:
        parts = sorted((skeleton(part) for part in expr.args if part.free_symbols), key=repr)
        constant = expr.is_Add and any(not part.free_symbols for part in expr.args)
        return parts[0] if len(parts) == 1 and not constant else (expr.func.__name__, *parts, *["constant"] * constant)
    if expr.is_Pow and not expr.exp.free_symbols:
        return ("Pow", skeleton(expr.base), float(expr.exp))
    return (expr.func.__name__, *map(skeleton, expr.args)) if expr.args else str(expr)


def _terms(expr: sympy.Expr) -> list[sympy.Expr]:
    """The terms of the expanded sum; exponentials, powers and logarithms of sums stay whole."""
    expanded = sympy.expand(expr, power_base=False, power_exp=False, log=False)
    return list(sympy.Add.make_args(expanded))


def _size(expr: sympy.Expr) -> int:
    return sum(1 for _ in sympy.preorder_traversal(expr))


def _large(values: Float[np.ndarray, "sample term"], target: Float[np.ndarray, " sample"], share: float) -> np.ndarray:
    known = np.isfinite(values).all(axis=1) & np.isfinite(target)
    return np.sqrt(np.mean(np.square(values[known]), axis=0)) > share * np.std(target[known])


def _refitted(
    terms: list[sympy.Expr], names: list[str], columns: np.ndarray, target: np.ndarray
) -> tuple[list[sympy.Float], Float[np.ndarray, " constant"], Float[np.ndarray, "sample term"]]:
    """Fit the constants of the terms' sum to the truth; return them, their changes as factors, the terms' values."""
    function, floats = parametrized(terms, symbols(names))
    start = np.asarray([float(number) for number in floats])
    known = np.isfinite(target) & np.isfinite(function(columns, list(start))).all(axis=1)
    scale = np.std(target[known])

    def residual(factors: np.ndarray) -> np.ndarray:
        values = function(columns[known], list(start * factors)).sum(axis=1)
        return np.nan_to_num((values - target[known]) / scale, nan=1e6, posinf=1e6, neginf=-1e6)

    factors = np.ones(len(start))
    if len(start) and np.abs(residual(factors)).max() > ROUNDING:
        factors = least_squares(residual, factors, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=2000).x
    return floats, factors, function(columns, list(start * factors))


def _largest_change(
    terms: list[sympy.Expr], floats: list[sympy.Float], factors: Float[np.ndarray, " constant"]
) -> float:
    """The largest change of a constant of these terms, relative to what the truth has."""
    own = set(floating(terms))
    changes = [abs(1 - f) / max(abs(f), 1e-12) for number, f in zip(floats, factors, strict=True) if number in own]
    return max(changes, default=0.0)

"""Functions of the target under which a law may be simple, and their inverses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Bool, Float

from sparsedyn.estimators.equation.proposals._table import Table

Values = Float[np.ndarray, " sample"]


@dataclass(frozen=True)
class Transform:
    """A function of a target, its derivative, its inverse as an expression, and for which targets it is meant."""

    name: str
    of: Callable[[Values], Values]
    slope: Callable[[Values], Values]
    back: Callable[[sympy.Expr, int], sympy.Expr]
    fits: Callable[[Values], bool]


def _one_sign(y: Values) -> bool:
    return bool(np.all(y > 0) or np.all(y < 0))


def _within(low: float, high: float) -> Callable[[Values], bool]:
    return lambda y: bool(y.min() >= low and y.max() <= high)


IDENTITY = Transform("id", lambda y: y, np.ones_like, lambda e, s: e, lambda y: True)
SQUARE = Transform("square", np.square, lambda y: 2 * y, lambda e, s: s * sympy.sqrt(e), _one_sign)
ROOT = Transform(
    "root", lambda y: np.sqrt(np.abs(y)), lambda y: 0.5 / np.sqrt(np.abs(y)), lambda e, s: s * e**2, _one_sign
)
INVERSE = Transform("inverse", lambda y: 1 / y, lambda y: 1 / y**2, lambda e, s: 1 / e, _one_sign)
INVERSE_SQUARE = Transform(
    "inverse square", lambda y: 1 / y**2, lambda y: 2 / y**3, lambda e, s: s / sympy.sqrt(e), _one_sign
)
LOG = Transform("log", lambda y: np.log(np.abs(y)), lambda y: 1 / y, lambda e, s: s * sympy.exp(e), _one_sign)
EXP = Transform("exp", np.exp, np.exp, lambda e, s: sympy.log(e), _within(-20.0, 20.0))
SIN = Transform("sin", np.sin, np.cos, lambda e, s: sympy.asin(e), _within(-np.pi / 2, np.pi / 2))
COS = Transform("cos", np.cos, np.sin, lambda e, s: sympy.acos(e), _within(0.0, np.pi))
TAN = Transform("tan", np.tan, lambda y: 1 / np.cos(y) ** 2, lambda e, s: sympy.atan(e), _within(-np.pi / 2, np.pi / 2))
LOGIT = Transform(
    "logit",
    lambda y: np.log(1 / y - 1),
    lambda y: 1 / (y * (1 - y)),
    lambda e, s: 1 / (1 + sympy.exp(e)),
    _within(1e-9, 1 - 1e-9),
)
BOSE = Transform(
    "bose",
    lambda y: np.log(1 / y + 1),
    lambda y: 1 / (y * (1 + y)),
    lambda e, s: 1 / (sympy.exp(e) - 1),
    _within(1e-9, np.inf),
)
LESS_ONE = Transform("less one", lambda y: y - 1, np.ones_like, lambda e, s: 1 + e, lambda y: True)
SQUARE_LESS_ONE = Transform(
    "square less one", lambda y: y**2 - 1, lambda y: 2 * y, lambda e, s: s * sympy.sqrt(1 + e), _one_sign
)
INVERSE_LESS_ONE = Transform(
    "inverse less one", lambda y: 1 / y - 1, lambda y: 1 / y**2, lambda e, s: 1 / (1 + e), _one_sign
)
INVERSE_SQUARE_LESS_ONE = Transform(
    "inverse square less one", lambda y: 1 / y**2 - 1, lambda y: 2 / y**3, lambda e, s: s / sympy.sqrt(1 + e), _one_sign
)

LARGEST = 5.0
"""Largest weight, in root mean squares."""

QUIET, LEAST = 0.05, 40
"""Share of its root mean square below which a target may be noise, and rows that must be left without these."""

MULTIPLIED = (IDENTITY, SIN, COS, TAN)
"""Those that are tried as products; powers of a product are products."""
POWERS = (
    *MULTIPLIED, LOG, EXP, LOGIT, BOSE, LESS_ONE, SQUARE_LESS_ONE, INVERSE_LESS_ONE, INVERSE_SQUARE_LESS_ONE,
)  # fmt: skip
"""Those that are tried as products of powers."""
SUMMED = (IDENTITY, SQUARE, INVERSE, INVERSE_SQUARE, LOG, ROOT, COS, SIN, TAN, EXP, LOGIT, BOSE)
"""Those that are tried as sums."""


def transformed(one: Transform, table: Table) -> tuple[Values, Values, Bool[np.ndarray, " sample"]] | None:
    """Return the transformed target, weights that make its errors those of the target, and which rows have a value.

    Weighted errors are shares of the target's root mean square, whatever the transform.
    Nothing where the transform is not meant for such a target.
    """
    y, size = table.y, np.sqrt(np.mean(np.square(table.weight * table.y)))
    if not size > 0 or not one.fits(y):
        return None
    with np.errstate(all="ignore"):
        value, slope = one.of(y), np.abs(one.slope(y))
        weight = table.weight / slope
        weight = np.where(np.isfinite(weight), weight, 0.0)
    weight = np.minimum(weight, LARGEST * np.sqrt(np.mean(weight**2))) / size
    known = np.isfinite(value)
    if known.mean() < 0.9:
        return None
    return np.where(known, value, 0.0), np.where(known, weight, 0.0), known


def loud(table: Table) -> Bool[np.ndarray, " sample"]:
    """Return where a target is large enough for its logarithm to mean anything with noise, if that is often enough."""
    size = np.abs(table.weight * table.y)
    found = np.asarray(size > QUIET * np.sqrt(np.mean(size**2)))
    return found if found.sum() >= max(LEAST, 4 * table.x.shape[1]) else np.ones_like(found)


def sign_of(y: Values) -> int:
    """Return the sign of most of the target."""
    return 1 if np.sum(y) >= 0 else -1

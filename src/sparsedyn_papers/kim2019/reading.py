"""What is read off trained networks: their equations, how many weights are left, and which trial to take."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
import sympy
from jaxtyping import Float, Int

from sparsedyn.equations import expressions, rounded, simplified, text
from sparsedyn.models import AbstractModel
from sparsedyn_papers.kim2019.digit_sum import MIDDLE, DigitSum

DIGITS = 4
TOLERANCE = 1.2
"""Trials whose validation error is within this factor of the least are taken for equally good."""


def chosen(error: Float[np.ndarray, " trial"], weights: Int[np.ndarray, " trial"]) -> int:
    """Return the trial with the fewest weights among those of nearly the least error."""
    error = np.where(np.isfinite(error), error, np.inf)
    good = error <= TOLERANCE * error.min()
    order = np.lexsort((error, np.where(good, weights, np.iinfo(np.int64).max)))
    return int(order[0])


def weights_left(models: AbstractModel) -> Int[np.ndarray, " trial"]:
    """Return the number of nonzero weights of every trial's matrices."""
    leaves = [leaf for leaf in jax.tree.leaves(eqx.filter(models, eqx.is_inexact_array)) if leaf.ndim >= 3]
    return sum((np.sum(np.asarray(leaf) != 0, axis=(1, 2)) for leaf in leaves), np.zeros(len(leaves[0]), np.int64))


def one_of(models: Any, trial: int | slice) -> Any:
    """Return one of the stacked models, or some, still stacked."""
    return jax.tree.map(lambda leaf: leaf[trial] if eqx.is_array(leaf) else leaf, models)


def sum_equation(models: DigitSum, trial: int) -> str:
    """Return the sum as an equation of the two encoded images, `z1` and `z2`."""
    (head,) = expressions(one_of(models.head, trial), ("z1", "z2"))
    return _written(MIDDLE * head + MIDDLE)


def transition_equations(transitions: AbstractModel, trial: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the next states as equations of the present ones and of the encoded parameter."""
    return tuple(_written(expr) for expr in expressions(one_of(transitions, trial), names))


def _written(expr: sympy.Expr) -> str:
    return text(rounded(simplified(expr), DIGITS), digits=DIGITS)

"""The model of equations that are no network's: nothing, to which the equations are added."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Float

from sparsedyn.equations import compiled, symbol, total_effect
from sparsedyn.estimators._known import Known
from sparsedyn.models import AbstractModel


class Nothing(AbstractModel):
    """A right-hand side that is zero."""

    zeros: Float[Array, " state"] | Float[np.ndarray, "*member state"]

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return zeros."""
        return jnp.asarray(self.zeros)


@lru_cache(maxsize=64)
def right_hand_side_of(
    exprs: tuple[sympy.Expr, ...], names: tuple[str, ...]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return a NumPy function of states (row, state) and inputs (row, input) to derivatives (row, state)."""
    right = compiled(exprs, names)
    return lambda x, u: right(np.concatenate([x, u], axis=1))


def with_known(exprs: Sequence[sympy.Expr], known: Known | None) -> tuple[sympy.Expr, ...]:
    """Return equations with the known part added."""
    if known is None:
        return tuple(exprs)
    return tuple(one + part for one, part in zip(exprs, known.symbolic(), strict=True))


def whole_of(
    exprs: Sequence[sympy.Expr], known: Known | None, names: Sequence[str]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the same function of equations to which a known part is added."""
    if known is None or known.function is None:
        return right_hand_side_of(with_known(exprs, known), tuple(names))
    rest = right_hand_side_of(tuple(exprs), tuple(names))
    return lambda x, u: rest(x, u) + known.values(x, u)


def effects(
    exprs: Sequence[sympy.Expr],
    names: Sequence[str],
    x: Float[np.ndarray, "sample state"],
    u: Float[np.ndarray, "sample input"],
) -> Float[np.ndarray, "output feature"]:
    """Return how strongly equations depend on every state and input, in their units; see `total_effect`."""
    made = sympy.lambdify([symbol(name) for name in names], list(exprs), modules="jax")

    def right(x: Array, u: Array) -> Array:
        return jnp.stack([jnp.asarray(value, x.dtype) for value in made(*x, *u)])

    with jax.enable_x64(True):
        return np.asarray(total_effect(right, x, u))

"""What every trainable model is: a map from state and input to the state's derivative."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PyTree


class AbstractModel(eqx.Module):
    """A right-hand side `dx/dt = f(x, u)`, unbatched: `jax.vmap` it over samples, members, trajectories."""

    @abstractmethod
    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the derivative of the state `x` under the input `u`, both in the model's (scaled) units."""

    def sparse_part(self) -> PyTree[bool]:
        """Return flags in place of leaves, true for those to be made sparse: all matrices, unless overridden."""
        return jax.tree.map(is_matrix, self)


def is_matrix(leaf: Any) -> bool:
    """Whether a leaf is an array of weights rather than of biases."""
    return eqx.is_inexact_array(leaf) and leaf.ndim >= 2


def flags_of(model: AbstractModel, part: Callable[[Any], AbstractModel]) -> PyTree[bool]:
    """Return the `sparse_part` of a model of which only one part, itself a model, is to be made sparse."""
    nothing = jax.tree.map(lambda _: False, model)
    return eqx.tree_at(part, nothing, part(model).sparse_part())

"""Sparse identification: derivatives as linear combinations of the terms of a library."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.library import Library


class SINDyModel(AbstractModel):
    """`dx/dt = theta(x, u) Xi`, or for order 2, with x = [q, q'], `q'' = theta(q, q', u) Xi`.

    Source: Brunton, Proctor & Kutz 2016.
    """

    coefficients: Float[Array | np.ndarray, "*member term equation"]
    library: Library = eqx.field(static=True)
    order: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.order not in (1, 2):
            raise ValueError(f"order: expected 1 or 2; got {self.order!r}.")

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " derivative"]:
        """Return the derivative of the state `x` under the input `u`."""
        found = self.library(jnp.concatenate([x, u])) @ self.coefficients
        return found if self.order == 1 else jnp.concatenate([x[x.shape[0] // 2 :], found])

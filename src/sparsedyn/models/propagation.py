"""A series, the parameter that it is encoded as, and a cell that propagates states under this parameter."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from sparsedyn.models.base import AbstractModel, flags_of
from sparsedyn.models.convolution import Encoder


class Propagator(AbstractModel):
    """`y' = cell(y, z)` step by step, where `z` encodes a whole observed series; techniques act on the cell alone.

    The cell returns the next state itself, not a derivative.

    Source: Kim et al. 2019, section III-C, after Lu, Kim & Soljačić 2019.
    """

    encoder: Encoder
    cell: AbstractModel

    def __call__(self, x: Float[Array, " state"], u: Float[Array, "time channel"]) -> Float[Array, " state"]:
        """Return the state that follows the state `x` in a system of which the series `u` was seen."""
        return self.cell(x, self.encoder(u))

    def propagated(
        self, start: Float[Array, " state"], latent: Float[Array, " 1"], steps: int
    ) -> Float[Array, "steps state"]:
        """Return the states after 1, ..., `steps` steps."""

        def step(state: Array, _: None) -> tuple[Array, Array]:
            following = self.cell(state, latent)
            return following, following

        # A sum with zeros: the carry must vary over members and devices as the cell's output does.
        first = start + 0.0 * jnp.sum(latent)
        return jax.lax.scan(step, first, None, length=steps)[1]

    def sparse_part(self) -> PyTree[bool]:
        """Flag what the cell flags."""
        return flags_of(self, lambda model: model.cell)

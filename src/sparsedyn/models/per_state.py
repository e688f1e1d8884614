"""Several models with outputs of their own, such as one small network per state."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from sparsedyn.models.base import AbstractModel


class PerState(AbstractModel):
    """The outputs of `parts`, one after the other; every part sees the whole state and input.

    Unlike one network with several outputs, the parts share no units: so that outputs do not interfere with each other.
    """

    parts: tuple[AbstractModel, ...]

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        """Return the outputs of all parts at the state `x` and the input `u`."""
        return jnp.concatenate([part(x, u) for part in self.parts])

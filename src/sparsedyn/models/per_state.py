"""Several models side by side, each with its own outputs: one small network per state, say."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from sparsedyn.models.base import AbstractModel


class PerState(AbstractModel):
    """The outputs of `parts`, one after the other; every part sees the whole state and input.

    Unlike one network with several outputs, the parts share no units: what one output needs, no other one pays for.
    """

    parts: tuple[AbstractModel, ...]

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        """Return the outputs of all parts at the state `x` and the input `u`."""
        return jnp.concatenate([part(x, u) for part in self.parts])

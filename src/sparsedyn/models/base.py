"""What every trainable model is: a map from state and input to the state's derivative."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Float


class AbstractModel(eqx.Module):
    """A right-hand side `dx/dt = f(x, u)`, unbatched: `jax.vmap` it over samples, members, trajectories."""

    @abstractmethod
    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the derivative of the state `x` under the input `u`, both in the model's (scaled) units."""

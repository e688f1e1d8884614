"""A network that encodes a series as a parameter and propagates states under it, and what it is trained on."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from sparsedyn.models import AbstractModel, flags_of
from sparsedyn.training import Objective
from sparsedyn_papers.kim2019.encoder import SPREAD, Encoder, normalized


class Series(NamedTuple):
    """Series that were `seen`, and for each the states from which and to which it is to be `propagated`."""

    seen: Float[np.ndarray | Array, "sample time channel"]
    propagated: Float[np.ndarray | Array, "sample step state"]


class Propagator(AbstractModel):
    """`y' = transition(y, z)` step by step, where `z` encodes a whole observed series; techniques act on the transition
    alone.

    The transition returns the next state itself, not a derivative.

    Source: Kim et al. 2019, section III-C, after Lu, Kim & Soljačić 2019.
    """

    encoder: Encoder
    transition: AbstractModel

    def __call__(self, x: Float[Array, " state"], u: Float[Array, "time channel"]) -> Float[Array, " state"]:
        """Return the state that follows the state `x` in a system of which the series `u` was seen."""
        return self.transition(x, self.encoder(u))

    def propagated(
        self, start: Float[Array, " state"], latent: Float[Array, " 1"], steps: int
    ) -> Float[Array, "steps state"]:
        """Return the states after 1, ..., `steps` steps."""

        def step(state: Array, _: None) -> tuple[Array, Array]:
            following = self.transition(state, latent)
            return following, following

        # A sum with zeros: the carry must vary over members and devices as the transition's output does.
        first = start + 0.0 * jnp.sum(latent)
        return jax.lax.scan(step, first, None, length=steps)[1]

    def sparse_part(self) -> PyTree[bool]:
        """Flag what the transition flags."""
        return flags_of(self, lambda model: model.transition)


@cache
def propagation(steps: int, *, normalize: bool = True) -> Objective:
    """Return the mean squared error of the first `steps` propagated states.

    With `normalize` the encoded batch is brought to mean 0 and standard deviation 0.5.
    """

    def objective(model: Propagator, batch: Series, key: PRNGKeyArray) -> Float[Array, ""]:
        latent = jax.vmap(model.encoder)(jnp.asarray(batch.seen))
        latent = normalized(latent, SPREAD) if normalize else latent
        truth = jnp.asarray(batch.propagated)
        found = jax.vmap(lambda start, z: model.propagated(start, z, steps))(truth[:, 0], latent)
        return jnp.mean(jnp.square(found - truth[:, 1 : steps + 1]))

    return objective

"""Stop training the weights while the rest of the model goes on."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractSparsifier, Flags, Free, Revised, Weights, all_active, is_turn, none_fresh


class FreezeMemo(NamedTuple):
    """Whether the weights are frozen."""

    frozen: Bool[Array, "..."]


class Freeze(AbstractSparsifier):
    """From the fraction `at` of training on, no gradient reaches the weights that follow in the chain or the raw ones.

    Put it first: `Chain(Freeze(0.1), MagnitudePruning(0.33))` prunes weights that no longer train. Biases train on, and
    revisions still change weights. It reproduces published code in which the optimizer keeps the old parameters after
    pruning (Haugstvedt et al. 2023); it is not recommended otherwise.
    """

    at: float = eqx.field(static=True, default=0.1)

    def __check_init__(self) -> None:
        arguments.freeze(self.at)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return the weights, not frozen yet."""
        # The `0 * w` keeps the batch axis that vmap gives the weights.
        first = jax.tree.leaves(weights)[0]
        return Free(weights, None), FreezeMemo(0.0 * first.ravel()[0] > 1.0)

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the weights, cut off from the gradient once they are frozen."""
        return jax.tree.map(lambda w: jnp.where(memo.frozen, jax.lax.stop_gradient(w), w), free.weights)

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return zero."""
        return jnp.zeros(())

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return ones."""
        return all_active(weights)

    def turns(self) -> tuple[float, ...]:
        """Return the one turn."""
        return (self.at,)

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Freeze; the moments restart at zero, so that no momentum moves the weights either."""
        turn = is_turn(self.turns(), progress)
        fresh = jax.tree.map(lambda flags: flags | turn, none_fresh(free.weights))
        return Revised(free, FreezeMemo(memo.frozen | turn), fresh)

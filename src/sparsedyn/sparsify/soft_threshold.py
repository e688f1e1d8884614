"""Soft-threshold reparameterization (STR): one learnable threshold per layer."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractUnrevised, Free, Weights


class STR(AbstractUnrevised):
    """The model sees `sign(w) relu(|w| - sigmoid(s))` with a trainable `s` per matrix, first `initial`.

    The sparsity is learned and cannot be set. With `dense_start` the raw weights begin `sigmoid(initial)`
    further from zero, so that the model starts with the weights it was given; without it, the model starts with these
    weights thresholded, which have much less variance. Source: Kusupati et al. 2020 (without `dense_start`).
    """

    initial: float | Float[Array, "..."] = -2.0
    dense_start: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        arguments.soft_threshold(self.initial)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return the weights and one threshold parameter per matrix."""
        # The `0 * w` keeps the batch axis that vmap gives the weights; `s` must be one array per member.
        thresholds = jax.tree.map(lambda w: jnp.asarray(self.initial, w.dtype) + 0.0 * w.ravel()[0], weights)
        if self.dense_start:
            weights = jax.tree.map(lambda w, s: w + jnp.sign(w) * jax.nn.sigmoid(s), weights, thresholds)
        return Free(weights, thresholds), None

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the soft-thresholded weights."""
        return jax.tree.map(
            lambda w, s: jnp.sign(w) * jax.nn.relu(jnp.abs(w) - jax.nn.sigmoid(s)), free.weights, free.aux
        )

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return zero: combine with `L1` or `L2` for a push towards more zeros."""
        return jnp.zeros(())

"""Sequential thresholding: small weights are removed and the rest refitted, repeatedly."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import (
    AbstractMask,
    Free,
    MaskMemo,
    Revised,
    Weights,
    all_active,
    is_turn,
    masked,
)


class SequentialThresholding(AbstractMask):
    """At every turn the weights with `|w| < threshold` are removed for good; the rest train on.

    Source: Brunton, Proctor & Kutz 2016 (sequentially thresholded least squares), Champion et al. 2019 (in
    training).
    """

    threshold: float | Float[Array, "..."] = 0.1
    at: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=tuple(i / 10 for i in range(1, 8)))

    def __check_init__(self) -> None:
        arguments.threshold(self.threshold, self.at)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return full masks."""
        return Free(weights, None), MaskMemo(all_active(weights))

    def turns(self) -> tuple[float, ...]:
        """Return the fractions at which weights are thresholded."""
        return self.at

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Remove what is below the threshold."""
        turn = is_turn(self.turns(), progress)
        mask = jax.tree.map(lambda w, m: m & (~turn | (jnp.abs(w) >= self.threshold)), free.weights, memo.mask)
        fresh = jax.tree.map(lambda new, old: old & ~new, mask, memo.mask)
        return Revised(masked(free, mask), MaskMemo(mask), fresh)

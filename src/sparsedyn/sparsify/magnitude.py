"""Magnitude pruning: the smallest weights are removed, at once or gradually, per layer or over all layers."""

from itertools import accumulate
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import (
    AbstractMask,
    Free,
    MaskMemo,
    Revised,
    Weights,
    all_active,
    is_turn,
    keep_largest,
    masked,
)
from sparsedyn.sparsify.timing import AbstractTiming, Cubic


class MagnitudePruning(AbstractMask):
    """Keep exactly `n - round(sparsity * n)` weights: the largest ones, by `timing`.

    A pruned weight is zero from then on and never moves; the others train on with their optimizer moments.
    `scope` "layer" counts in every matrix for itself, "global" over all matrices together.

    Source: Han et al. 2015 (iterative), Zhu & Gupta 2017 (gradual).
    """

    sparsity: float | Float[Array, "..."] = 0.75
    timing: AbstractTiming = Cubic()
    scope: Literal["layer", "global"] = eqx.field(static=True, default="global")

    def __check_init__(self) -> None:
        if not isinstance(self.timing, AbstractTiming):
            raise ValueError(f"timing: expected Cubic(), Stages() or OneShot(); got {self.timing!r}.")
        arguments.magnitude(self.sparsity, scope=self.scope)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return full masks."""
        return Free(weights, None), MaskMemo(all_active(weights))

    def turns(self) -> tuple[float, ...]:
        """Return the timing's turns."""
        return self.timing.turns()

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Prune to the sparsity that is due; pruned entries restart their moments at zero."""
        share = jnp.asarray(self.sparsity, jnp.float32) * self.timing.level(progress)
        # A pruned weight ranks below all others, so it cannot come back.
        score = jax.tree.map(lambda w, m: jnp.where(m, jnp.abs(w), -1.0), free.weights, memo.mask)
        mask = _by_layer(score, share) if self.scope == "layer" else _over_all(score, share)
        turn = is_turn(self.turns(), progress)
        mask = jax.tree.map(lambda new, old: jnp.where(turn, new & old, old), mask, memo.mask)
        fresh = jax.tree.map(lambda new, old: old & ~new, mask, memo.mask)
        return Revised(masked(free, mask), MaskMemo(mask), fresh)


def _by_layer(score: Weights, share: Float[Array, ""]) -> Any:
    return jax.tree.map(lambda s: keep_largest(s, s.size - jnp.round(share * s.size)), score)


def _over_all(score: Weights, share: Float[Array, ""]) -> Any:
    leaves, structure = jax.tree.flatten(score)
    flat = jnp.concatenate([leaf.ravel() for leaf in leaves])
    mask: Bool[Array, " n"] = keep_largest(flat, flat.size - jnp.round(share * flat.size))
    parts = jnp.split(mask, list(accumulate(leaf.size for leaf in leaves))[:-1])
    return jax.tree.unflatten(structure, [p.reshape(leaf.shape) for p, leaf in zip(parts, leaves, strict=True)])

"""Dynamic sparse reparameterization (DSR): a fixed number of weights at learned positions."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import (
    AbstractMask,
    Flags,
    Free,
    Revised,
    Weights,
    is_turn,
    keep_largest,
    masked,
)


class DSRMemo(NamedTuple):
    """Masks and the adaptive threshold."""

    mask: Flags
    threshold: Float[Array, "..."]


class DSR(AbstractMask):
    """Every `period` of training, weights below an adaptive threshold are cut and as many re-grown.

    A layer with `R_l` survivors receives the share `R_l / sum R` of the cut weights, by largest remainder within the
    room that it has, so the total of active weights never changes. The threshold doubles when fewer than `(1 -
    tolerance) * reallocate` weights fell below it and halves when more than `(1 + tolerance) * reallocate` did; at most
    a tenth of the active weights is reallocated. Re-grown weights start at random free places with fresh moments, and
    with the value zero, or a draw of variance 2 / fan-in or fan-out (`regrow`). The places stay fixed from `end` on,
    which leaves SWA a fixed network to average.

    Source: Mostafa & Wang 2019. Differs from Haugstvedt et al. 2023: the optimizer follows every
    re-allocation.
    """

    sparsity: float | Float[Array, "..."] = 0.5
    reallocate: float | Float[Array, "..."] = 100.0
    tolerance: float | Float[Array, "..."] = 0.1
    threshold: float | Float[Array, "..."] = 1e-3
    period: float = eqx.field(static=True, default=0.02)
    end: float = eqx.field(static=True, default=0.6)
    regrow: Literal["zero", "fan-in", "fan-out"] = eqx.field(static=True, default="zero")

    def __check_init__(self) -> None:
        arguments.dsr(
            self.sparsity, self.reallocate, self.tolerance, self.threshold, self.period, self.end, self.regrow
        )

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return weights and random masks of exactly `n - round(sparsity * n)` entries in every matrix."""
        leaves, structure = jax.tree.flatten(weights)
        keys = jax.random.split(key, max(len(leaves), 1))
        share = jnp.asarray(self.sparsity, jnp.float32)
        masks = [
            keep_largest(jax.random.uniform(k, w.shape), w.size - jnp.round(share * w.size))
            for k, w in zip(keys, leaves, strict=False)
        ]
        mask = jax.tree.unflatten(structure, masks)
        memo = DSRMemo(mask, jnp.asarray(self.threshold, jnp.float32))
        return masked(Free(weights, None), mask), memo

    def turns(self) -> tuple[float, ...]:
        """Return the ends of the periods up to `end`."""
        times = max(1, int(self.end / self.period + 1e-9))
        return arguments.evenly(0.0, times * self.period, times)

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Cut, re-grow, adapt the threshold."""
        weights, structure = jax.tree.flatten(free.weights)
        masks = jax.tree.leaves(memo.mask)
        keys = jax.random.split(key, max(len(weights), 1))
        cut = [m & (jnp.abs(w) < memo.threshold) for w, m in zip(weights, masks, strict=True)]
        survive = [m & ~c for m, c in zip(masks, cut, strict=True)]
        total_cut = sum((jnp.sum(c) for c in cut), jnp.zeros((), jnp.int32))
        survivors = jnp.stack([jnp.sum(s) for s in survive])
        room = jnp.asarray([s.size for s in survive]) - survivors
        growth = largest_remainder(total_cut, survivors, room)
        grown = [
            keep_largest(jnp.where(s, -1.0, jax.random.uniform(k, s.shape)), growth[i])
            for i, (k, s) in enumerate(zip(keys, survive, strict=True))
        ]
        turn = is_turn(self.turns(), progress)
        mask = jax.tree.unflatten(
            structure, [jnp.where(turn, s | g, m) for s, g, m in zip(survive, grown, masks, strict=True)]
        )
        fresh = jax.tree.unflatten(structure, [turn & (c | g) for c, g in zip(cut, grown, strict=True)])
        starts = jax.tree.unflatten(structure, [self._start(k, w) for k, w in zip(keys, weights, strict=False)])
        restarted = jax.tree.map(lambda w, f, start: jnp.where(f, start, w), free.weights, fresh, starts)
        wanted = jnp.minimum(self.reallocate, 0.1 * jnp.sum(survivors + jnp.stack([jnp.sum(c) for c in cut])))
        threshold = jnp.where(turn, self._adapted(memo.threshold, total_cut, wanted), memo.threshold)
        return Revised(masked(Free(restarted, free.aux), mask), DSRMemo(mask, threshold), fresh)

    def _start(self, key: PRNGKeyArray, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the initial values of re-grown entries of a matrix."""
        if self.regrow == "zero":
            return jnp.zeros_like(weight)
        fan = weight.shape[0 if self.regrow == "fan-in" else -1]
        return jax.random.normal(jax.random.fold_in(key, 1), weight.shape) * jnp.sqrt(2.0 / fan)

    def _adapted(self, threshold: Float[Array, ""], cut: Int[Array, ""], wanted: Float[Array, ""]) -> Float[Array, ""]:
        few = cut < (1.0 - self.tolerance) * wanted
        many = cut > (1.0 + self.tolerance) * wanted
        return jnp.where(few, 2.0 * threshold, jnp.where(many, 0.5 * threshold, threshold))


def largest_remainder(
    total: Int[Array, ""], share: Int[Array, " layer"], room: Int[Array, " layer"]
) -> Int[Array, " layer"]:
    """Split `total` in proportion to `share`, never above `room`, so that the parts sum to `total` exactly.

    `total` must not exceed the sum of `room`. The excess of full layers goes to the others, in at most as many rounds
    as there are layers.
    """
    weight = share.astype(jnp.float32)

    def one_round(_: Any, given: Int[Array, " layer"]) -> Int[Array, " layer"]:
        left = total - jnp.sum(given)
        space = room - given
        open_share = jnp.where(space > 0, weight, 0.0)
        # Where no layer with room has survivors, equal shares.
        open_share = jnp.where(jnp.sum(open_share) > 0, open_share, (space > 0).astype(jnp.float32))
        exact = left * open_share / jnp.maximum(jnp.sum(open_share), 1e-12)
        whole = jnp.floor(exact).astype(room.dtype)
        # Float32 may round a product up to the next integer: never distribute more than is left.
        whole = jnp.clip(whole, 0, jnp.maximum(left - (jnp.cumsum(whole) - whole), 0))
        extra = left - jnp.sum(whole)
        remainder = jnp.where((space > whole) & (open_share > 0), exact - whole, -1.0)
        rank = jnp.argsort(jnp.argsort(-remainder, stable=True), stable=True)
        whole = whole + ((rank < extra) & (remainder >= 0.0))
        return given + jnp.clip(whole, 0, space)

    return jax.lax.fori_loop(0, 2 * room.size + 1, one_round, jnp.zeros_like(room))

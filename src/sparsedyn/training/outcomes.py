"""The results of training, over all members at once: read-outs, the best weights, running averages."""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training.averaging import AbstractAverage, Averaged
from sparsedyn.training.engine import Program, read_out, spread
from sparsedyn.training.state import Best, Trainable


@partial(jax.jit, static_argnums=0)
def zeros_share(
    program: Program, sparsifier: AbstractSparsifier, trainable: Trainable, memo: PyTree
) -> Float[Array, " member"]:
    """Return the share of exact zeros among the effective weights of every member."""

    def one(sparsifier: Any, trainable: Trainable, memo: Any) -> Array:
        weights = jax.tree.leaves(sparsifier.effective(trainable.free, memo))
        return sum((jnp.sum(w == 0) for w in weights), jnp.zeros(())) / sum(w.size for w in weights)

    share: Array = spread(program, jax.vmap(one), (sparsifier, trainable, memo))
    return share


class Outcome(NamedTuple):
    """The result of training: effective arrays of the last, best and averaged trainables, and the masks."""

    last: PyTree
    best: PyTree
    averaged: PyTree
    active: PyTree


@partial(jax.jit, static_argnums=0)
def outcome(
    program: Program,
    last: Trainable,
    memo: PyTree,
    averaged: Averaged,
    best: Best,
    sparsifier: AbstractSparsifier,
    average: AbstractAverage,
) -> Outcome:
    """Read the models out."""

    def one(last: Trainable, memo: Any, averaged: Averaged, best: Best, sparsifier: Any, average: Any) -> Outcome:
        mean = average.read(averaged, last)

        def read(trainable: Trainable) -> PyTree:
            model = read_out(program.static, sparsifier, trainable, memo)
            return eqx.filter(model, eqx.is_inexact_array)

        # A member that was never validated after the last mask change has no best weights: its last ones are used.
        kept = jax.tree.map(lambda b, e: jnp.where(jnp.isfinite(best.value), b, e), best.trainable, mean)
        return Outcome(read(last), read(kept), read(mean), sparsifier.active(memo, last.free.weights))

    found: Outcome = spread(program, jax.vmap(one), (last, memo, averaged, best, sparsifier, average))
    return found


@partial(jax.jit, static_argnums=0)
def candidates(program: Program, averaged: Averaged, last: Trainable, average: AbstractAverage) -> Trainable:
    """Return the candidates for the best weights: running averages, the present trainables without one."""
    read = jax.vmap(lambda average, averaged, last: average.read(averaged, last))
    found: Trainable = spread(program, read, (average, averaged, last))
    return found


@partial(jax.jit, static_argnums=0)
def models_of(program: Program, trainable: Trainable, memo: PyTree, sparsifier: AbstractSparsifier) -> PyTree:
    """Return the arrays of the models of these trainables."""

    def one(trainable: Trainable, memo: Any, sparsifier: Any) -> PyTree:
        model = read_out(program.static, sparsifier, trainable, memo)
        return eqx.filter(model, eqx.is_inexact_array)

    return spread(program, jax.vmap(one), (trainable, memo, sparsifier))


@partial(jax.jit, static_argnums=0)
def snapshot(program: Program, average: AbstractAverage, averaged: Averaged, last: Trainable) -> Averaged:
    """Return the running averages with the present trainables."""
    update = jax.vmap(lambda average, averaged, last: average.update(averaged, last))
    found: Averaged = spread(program, update, (average, averaged, last))
    return found


@partial(jax.jit, static_argnums=0)
def keep_best(
    program: Program,
    best: Best,
    stopped: Bool[Array, " member"],
    candidates: Trainable,
    value: Float[Array, " member"],
    average: AbstractAverage,
    snapshots: Float[Array, " member"],
    settled: Array,
    patience: Array,
) -> tuple[Best, Bool[Array, " member"]]:
    """Keep the candidates of least `value` once settled, and stop members that long have not improved.

    A member with an average is settled when its average has begun.
    """

    def one(
        best: Best, stopped: Any, candidate: Any, value: Any, average: Any, snapshots: Any, settled: Any, patience: Any
    ) -> tuple[Best, Array]:
        settled = settled & ((jnp.asarray(average.active) <= 0) | (snapshots > 0))
        better = settled & (value < best.value)
        stale = jnp.where(better | ~settled, 0, best.stale + 1)
        kept = jax.tree.map(lambda new, old: jnp.where(better, new, old), candidate, best.trainable)
        return Best(kept, jnp.where(better, value, best.value), stale), stopped | (stale >= patience)

    everyone = jax.vmap(one, in_axes=(0,) * 6 + (None,) * 2)
    found: tuple[Best, Array] = spread(
        program, everyone, (best, stopped, candidates, value, average, snapshots), (settled, patience)
    )
    return found

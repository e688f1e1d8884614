"""The results of training, over all members at once: read-outs, the best weights, running averages."""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training.averaging import AbstractAverage
from sparsedyn.training.engine import Program, read_out, spread
from sparsedyn.training.state import State, Trainable


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
def outcome(program: Program, state: State, sparsifier: AbstractSparsifier, average: AbstractAverage) -> Outcome:
    """Read the models out."""

    def one(state: State, sparsifier: Any, average: Any) -> Outcome:
        last = state.members.trainable
        averaged = average.read(state.averaged, last)

        def read(trainable: Trainable) -> PyTree:
            model = read_out(program.static, sparsifier, trainable, state.memo)
            return eqx.filter(model, eqx.is_inexact_array)

        # A member that was never validated after the last mask change has no best weights: its last ones are used.
        best = jax.tree.map(lambda b, e: jnp.where(jnp.isfinite(state.best_value), b, e), state.best, averaged)
        active = sparsifier.active(state.memo, last.free.weights)
        return Outcome(read(last), read(best), read(averaged), active)

    read: Outcome = spread(program, jax.vmap(one), (state, sparsifier, average))
    return read


@partial(jax.jit, static_argnums=0)
def candidates(program: Program, state: State, average: AbstractAverage) -> Trainable:
    """Return the candidates for the best weights: running averages, the present trainables without one."""
    read = jax.vmap(lambda average, averaged, last: average.read(averaged, last))
    found: Trainable = spread(program, read, (average, state.averaged, state.members.trainable))
    return found


@partial(jax.jit, static_argnums=0)
def models_of(program: Program, trainable: Trainable, memo: PyTree, sparsifier: AbstractSparsifier) -> PyTree:
    """Return the arrays of the models of these trainables."""

    def one(trainable: Trainable, memo: Any, sparsifier: Any) -> PyTree:
        model = read_out(program.static, sparsifier, trainable, memo)
        return eqx.filter(model, eqx.is_inexact_array)

    return spread(program, jax.vmap(one), (trainable, memo, sparsifier))


@partial(jax.jit, static_argnums=0)
def snapshot(program: Program, average: AbstractAverage, state: State) -> State:
    """Add the present trainables to the running average."""
    update = jax.vmap(lambda a, averaged, trainable: a.update(averaged, trainable))
    return state._replace(averaged=spread(program, update, (average, state.averaged, state.members.trainable)))


@partial(jax.jit, static_argnums=0)
def keep_best(
    program: Program,
    state: State,
    average: AbstractAverage,
    candidates: Trainable,
    value: Float[Array, " member"],
    settled: Array,
    patience: Array,
) -> State:
    """Keep the candidates of least `value` once settled; count validations without improvement.

    A member with an average is settled when its average has begun.
    """

    def one(state: State, average: Any, candidate: Trainable, value: Array, settled: Array, patience: Array) -> State:
        settled = settled & ((jnp.asarray(average.active) <= 0) | (state.averaged.snapshots > 0))
        better = settled & (value < state.best_value)
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), candidate, state.best)
        stale = jnp.where(better | ~settled, 0, state.stale + 1)
        return state._replace(
            best=best,
            best_value=jnp.where(better, value, state.best_value),
            stale=stale,
            stopped=state.stopped | (stale >= patience),
        )

    everyone = jax.vmap(one, in_axes=(0, 0, 0, 0, None, None))
    kept: State = spread(program, everyone, (state, average, candidates, value), (settled, patience))
    return kept

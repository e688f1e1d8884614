"""The state of a run: every array has a leading member axis."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray, PyTree

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier, Free
from sparsedyn.training.averaging import AbstractAverage, Averaged


class Trainable(NamedTuple):
    """What the optimizer moves: matrices and a technique's own trainables, and the rest (biases)."""

    free: Free
    other: PyTree


class Members(NamedTuple):
    """Everything that one training step changes."""

    trainable: Trainable
    moments: PyTree
    alive: Bool[Array, " member"]
    taken: Int[Array | np.ndarray, " member"]
    """Steps since the last record; none are taken by a dead or stopped member."""
    loss: Float[Array | np.ndarray, " member"]
    """Sum of the finite losses since the last record."""


class Best(NamedTuple):
    """What was judged best so far, and how well."""

    trainable: Trainable
    value: Float[Array, " member"]
    stale: Int[Array, " member"]
    """Validations since the last improvement."""


class State(NamedTuple):
    """The content of a checkpoint."""

    members: Members
    memo: PyTree
    averaged: Averaged
    best: Best
    stopped: Bool[Array, " member"]


def split(model: AbstractModel) -> tuple[PyTree, PyTree, AbstractModel]:
    """Split one (unstacked) model into the matrices that a sparsifier acts on, other arrays, and the static rest."""
    arrays, static = eqx.partition(model, eqx.is_inexact_array)
    weights, other = eqx.partition(arrays, model.sparse_part())
    return weights, other, static


def join(weights: PyTree, other: PyTree, static: AbstractModel) -> AbstractModel:
    """Undo `split`."""
    model: AbstractModel = eqx.combine(weights, other, static)
    return model


@eqx.filter_jit
def start(
    models: AbstractModel,
    sparsifier: AbstractSparsifier,
    optimizer: Any,
    average: AbstractAverage,
    keys: Key[Array, " member"],
) -> State:
    """Return the state before the first step, for stacked `models`, `sparsifier` and `average`."""

    def one(model: AbstractModel, technique: AbstractSparsifier, key: PRNGKeyArray) -> tuple[Trainable, Any, Any]:
        weights, other, _ = split(model)
        free, memo = technique.init(weights, key=key)
        trainable = Trainable(free, other)
        return trainable, memo, optimizer.init(trainable)

    trainable, memo, moments = eqx.filter_vmap(one)(models, sparsifier, keys)
    averaged = eqx.filter_vmap(lambda a, t: a.init(t))(average, trainable)
    count = keys.shape[0]
    members = Members(trainable, moments, jnp.ones(count, bool), jnp.zeros(count, jnp.int32), jnp.zeros(count))
    best = Best(trainable, jnp.full(count, jnp.inf), jnp.zeros(count, jnp.int32))
    return State(members, memo, averaged, best, jnp.zeros(count, bool))


def pad_members(tree: PyTree, total: int) -> PyTree:
    """Repeat the last member until there are `total`, so that members divide over devices."""

    def pad(leaf: Any) -> Any:
        return leaf if leaf.shape[0] == total else leaf[np.minimum(np.arange(total), leaf.shape[0] - 1)]

    return jax.tree.map(lambda leaf: pad(leaf) if eqx.is_array(leaf) else leaf, tree)

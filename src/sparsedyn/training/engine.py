"""The compiled pieces of training, over all members at once: steps, revision, validation, snapshots."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier, Free
from sparsedyn.training.objectives import Objective
from sparsedyn.training.state import Members, Trainable, join

MEMBERS = PartitionSpec("members")
SAME = PartitionSpec()


@dataclasses.dataclass(frozen=True)
class Program:
    """The static part of a run; `objective` is without its numbers, which are arguments of the compiled functions."""

    static: AbstractModel
    objective: Objective
    optimizer: optax.GradientTransformation
    batch: int
    steps: int
    mesh: Mesh


def spread(
    program: Program, function: Callable[..., Any], members: tuple[Any, ...], shared: tuple[Any, ...] = ()
) -> Any:
    """Apply `function`, batched over members, on every device to its own members.

    Every compiled function goes through here: otherwise the partitioner may exchange data between CPU devices, which
    wait for each other in threads that compilation needs too.
    """
    specs = (MEMBERS,) * len(members) + (SAME,) * len(shared)
    mapped = jax.shard_map(function, mesh=program.mesh, in_specs=specs, out_specs=MEMBERS, check_vma=False)
    return mapped(*members, *shared)


def complete(program: Program, numbers: PyTree) -> Objective:
    """Return the objective with its numbers; a plain function has none."""
    objective: Objective = eqx.combine(numbers, program.objective)
    return objective


def read_out(
    static: AbstractModel,
    sparsifier: AbstractSparsifier,
    trainable: Trainable,
    memo: Any,
    key: PRNGKeyArray | None = None,
) -> AbstractModel:
    """Return the model of one member's trainables."""
    return join(sparsifier.effective(trainable.free, memo, key=key), trainable.other, static)


def one_step(
    program: Program,
    members: Members,
    sparsifier: AbstractSparsifier,
    memo: Any,
    going: Array,
    batch: Any,
    rate: Float[Array, ""],
    key: PRNGKeyArray,
    progress: Float[Array, ""],
    numbers: PyTree,
) -> Members:
    """One member's gradient step; a member that is not `going`, or becomes non-finite, is left unchanged."""

    objective = complete(program, numbers)

    def total(trainable: Trainable) -> tuple[Array, Array]:
        model = read_out(program.static, sparsifier, trainable, memo, key)
        task = objective(model, batch, key)
        return task + sparsifier.penalty(trainable.free, memo, progress), task

    (value, task), gradient = jax.value_and_grad(total, has_aux=True)(members.trainable)
    updates, moments = program.optimizer.update(gradient, members.moments, members.trainable)
    finite = jnp.isfinite(value) & jnp.isfinite(optax.tree.sum(updates))
    moves = members.alive & going & finite
    trainable = jax.tree.map(lambda w, d: jnp.where(moves, w + rate * d, w), members.trainable, updates)
    moments = jax.tree.map(lambda new, old: jnp.where(moves, new, old), moments, members.moments)
    alive = members.alive & (finite | ~going)
    loss = members.loss + jnp.where(moves, task, 0.0)
    return Members(trainable, moments, alive, members.taken + moves, loss)


@partial(jax.jit, static_argnums=0)
def advance(
    program: Program,
    members: Members,
    sparsifier: AbstractSparsifier,
    memo: PyTree,
    stopped: Array,
    keys: Key[Array, " member"],
    rates: Float[Array, "steps member"],
    data: PyTree,
    order: Int[Array, "*member sample"],
    begin: Int[Array, ""],
    end: Int[Array, ""],
    offset: Int[Array, ""],
    numbers: PyTree = None,
) -> Members:
    """Take the steps `begin` to `end` (all of one epoch, which began at step `offset`).

    The bounds are traced, so one compilation serves chunks of every length. `order` is one permutation of the
    samples for all members (1-D) or one each (2-D).
    """
    own = order.ndim == 2

    def chunk(
        members: Members, sparsifier: Any, memo: Any, stopped: Array, keys: Array, rates: Array, data: Any,
        order: Array, begin: Array, end: Array, offset: Array, numbers: Any,
    ) -> Members:  # fmt: skip
        step = jax.vmap(partial(one_step, program), in_axes=(0, 0, 0, 0, 0 if own else None, 0, 0, None, None))

        def body(i: Array, members: Members) -> Members:
            first = (i - offset) * program.batch
            rows = jax.lax.dynamic_slice_in_dim(order, first, program.batch, axis=-1)
            batch = jax.tree.map(lambda a: a[rows], data)
            step_keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, i)
            progress = i.astype(jnp.float32) / program.steps
            return step(members, sparsifier, memo, ~stopped, batch, rates[i], step_keys, progress, numbers)

        return jax.lax.fori_loop(begin, end, body, members)

    return jax.shard_map(
        chunk,
        mesh=program.mesh,
        in_specs=(MEMBERS,) * 5 + (PartitionSpec(None, "members"), SAME, MEMBERS if own else SAME) + (SAME,) * 4,
        out_specs=MEMBERS,
    )(members, sparsifier, memo, stopped, keys, rates, data, order, begin, end, offset, numbers)


@partial(jax.jit, static_argnums=0)
def revise(
    program: Program,
    members: Members,
    sparsifier: AbstractSparsifier,
    memo: PyTree,
    stopped: Array,
    keys: Key[Array, " member"],
    data: PyTree,
    rows: Int[Array, " sample"],
    step: Int[Array, ""],
    progress: Float[Array, ""],
    numbers: PyTree = None,
) -> tuple[Members, PyTree]:
    """Let every living member's technique revise; the moments of fresh entries restart at zero."""

    def one(
        members: Members,
        sparsifier: Any,
        memo: Any,
        stopped: Array,
        key: Array,
        batch: Any,
        step: Array,
        progress: Array,
        numbers: Any,
    ) -> tuple[Members, Any]:
        # Beyond the last step, so that no training step draws the same numbers.
        key = jax.random.fold_in(key, program.steps + step)
        free, other = members.trainable
        weights = sparsifier.effective(free, memo)
        objective = complete(program, numbers)
        # If no technique uses it, the compiler drops the dense gradient.
        dense = jax.grad(lambda w: objective(join(w, other, program.static), batch, key))(weights)
        revised = sparsifier.revise(free, memo, dense, progress, key=key)
        untouched = jax.tree.map(lambda a: jnp.zeros(a.shape, bool), (free.aux, other))
        fresh = Trainable(Free(revised.fresh, untouched[0]), untouched[1])
        moments = optax.tree_utils.tree_map_params(
            program.optimizer, lambda m, f: jnp.where(f, 0.0, m), members.moments, fresh
        )
        moves = members.alive & ~stopped
        new = (Trainable(revised.free, other), moments, revised.memo)
        old = (members.trainable, members.moments, memo)
        trainable, moments, memo = jax.tree.map(lambda a, b: jnp.where(moves, a, b), new, old)
        return members._replace(trainable=trainable, moments=moments), memo

    batch = jax.tree.map(lambda a: a[rows], data)
    everyone = jax.vmap(one, in_axes=(0,) * 5 + (None,) * 4)
    revised: tuple[Members, PyTree] = spread(
        program, everyone, (members, sparsifier, memo, stopped, keys), (batch, step, progress, numbers)
    )
    return revised


@partial(jax.jit, static_argnums=0)
def evaluate(
    program: Program,
    trainable: Trainable,
    sparsifier: AbstractSparsifier,
    memo: PyTree,
    data: PyTree,
    numbers: PyTree = None,
) -> Float[Array, " member"]:
    """Return the objective over the whole of `data`, in blocks, for every member's read-out."""
    count = jax.tree.leaves(data)[0].shape[0]
    block = min(count, 4096)
    whole = count - count % block
    key = jax.random.key(0)

    def one(trainable: Trainable, sparsifier: Any, memo: Any, data: Any, numbers: Any) -> Array:
        objective = complete(program, numbers)
        model = read_out(program.static, sparsifier, trainable, memo)
        # The number of blocks written out: -1 cannot be worked out for a plant without inputs.
        blocks = jax.tree.map(lambda a: a[:whole].reshape(whole // block, block, *a.shape[1:]), data)
        total = jnp.sum(jax.lax.map(lambda b: objective(model, b, key), blocks)) * block
        if whole < count:
            rest = jax.tree.map(lambda a: a[whole:], data)
            total = total + objective(model, rest, key) * (count - whole)
        return total / count

    everyone = jax.vmap(one, in_axes=(0, 0, 0, None, None))
    value: Array = spread(program, everyone, (trainable, sparsifier, memo), (data, numbers))
    return value

"""Whether the steps of a run can be native, and those steps: `native_steps` gives None where JAX has to take them."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int, PyTree, Shaped

from sparsedyn._native import compiled, over_members
from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.models.native.layout import ACTIVATIONS, Layout, layout
from sparsedyn.sparsify import L1, L2, STR, AbstractMask, AbstractSparsifier, Chain, Freeze, On, Phases
from sparsedyn.training.engine import Program
from sparsedyn.training.objectives import derivative_matching
from sparsedyn.training.optimizers import named
from sparsedyn.training.state import Members, State

from . import tables
from .tables import MOMENTS, OPTIMIZERS, Amounts, Operations

GLANCE = 64
"""Numbers by which most members are told apart."""


class Operation(NamedTuple):
    """What a technique does to the matrices `where`, and the numbers of it that each member has.

    `factor` is what the amount is multiplied by at fractions of training.
    """

    code: int
    where: tuple[int, ...]
    amount: Any = 0.0
    masks: tuple[Any, ...] = ()
    frozen: Any = False
    factor: Callable[[Any], Any] = np.ones_like


def operations(
    technique: AbstractSparsifier, memo: Any, where: tuple[int, ...], factor: Callable[[Any], Any] = np.ones_like
) -> list[Operation] | None:
    """Return what a technique does to the matrices `where`, in order; None where native steps cannot do it."""
    kind = type(technique)
    if isinstance(technique, Chain):
        parts = [operations(*link, where, factor) for link in zip(technique.links, memo, strict=True)]
        return None if None in parts else [one for part in parts for one in part or ()]
    if isinstance(technique, On):
        chosen = {place % len(where) for place in technique.where}
        return operations(technique.technique, memo, tuple(m for i, m in enumerate(where) if i in chosen), factor)
    if isinstance(technique, Phases):
        at, levels = technique.at, technique.levels
        return operations(technique.technique, memo, where, lambda p: factor(p) * np.interp(p, at, levels))
    if isinstance(technique, L1 | L2) and kind in (L1, L2):
        code = tables.L1 if kind is L1 else tables.L2
        return [Operation(code, where, np.asarray(technique.weight), factor=factor)]
    if kind is STR:
        return [Operation(tables.SOFT_THRESHOLD, where)]
    if kind is Freeze:
        return [Operation(tables.FREEZE, where, frozen=np.asarray(memo.frozen))]
    masking = isinstance(technique, AbstractMask)
    if masking and kind.effective is AbstractMask.effective and kind.penalty is AbstractMask.penalty:
        return [Operation(tables.MASK, where, masks=tuple(jax.tree.leaves(memo.mask)))]
    return None


class Plan(NamedTuple):
    """What the native steps of a run are made of."""

    layout: Layout
    operations: Operations
    activation: int
    optimizer: str
    clip: float
    batch: int
    steps: int
    threads: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers a member has, its work space, and the stages that techniques write."""
        return self.layout.size, *self.layout.work, int(self.operations.writes.max(initial=0))


class Numbers(NamedTuple):
    """What a step changes, for all members; moments that the optimizer lacks are not used."""

    raw: Float32[np.ndarray, "member size"]
    first: Float32[np.ndarray, "member size"]
    second: Float32[np.ndarray, "member size"]
    counts: Int[np.ndarray, " member"]
    alive: Bool[np.ndarray, " member"]
    taken: Int[np.ndarray, " member"]
    losses: Float32[np.ndarray, " member"]


class Native:
    """The native steps of a run. They keep the rows of the members that they returned last, which mostly come back.

    Steps of members that are alike are taken once; `shared` counts those that were spared.
    """

    def __init__(self, plan: Plan, step: Callable[..., None], error: Callable[..., None]):
        self.plan, self.step, self.error, self.shared = plan, step, error, 0
        self._returned: tuple[Any, Numbers | None] = (None, None)

    def advance(
        self,
        members: Members,
        sparsifier: AbstractSparsifier,
        memo: PyTree,
        stopped: Array,
        rates: Float[Array, "step member"],
        data: Samples,
        order: Int[np.ndarray, "*member sample"],
        span: tuple[int, int, int],
    ) -> Members:
        """Take the steps `span` (begin, end, and the step at which the epoch began), as `engine.advance` does."""
        before, numbers = self._returned
        if numbers is None or members.trainable is not before:
            numbers = _packed(self.plan, members)
        # Sums are begun anew between chunks.
        numbers.taken[:], numbers.losses[:] = np.asarray(members.taken), np.asarray(members.loss)
        count = stopped.shape[0]
        amounts = _amounts(self.plan, sparsifier, memo, count, span)
        orders, steps = np.atleast_2d(order), np.asarray(rates)
        going = np.flatnonzero(~np.asarray(stopped))
        chosen, alike = twins(numbers, amounts, orders, steps[slice(*span[:2])], going)
        step = partial(
            self.step, chosen=chosen, numbers=tuple(numbers), data=tuple(np.asarray(part) for part in data),
            orders=orders, rates=steps, span=span, batch=self.plan.batch,
            layers=self.plan.layout.layers, sizes=self.plan.sizes, activation=self.plan.activation,
            operations=tuple(self.plan.operations), chain=tuple(amounts), optimizer=OPTIMIZERS[self.plan.optimizer],
            clip=np.float32(self.plan.clip),
        )  # fmt: skip
        if len(chosen):
            over_members(step, len(chosen), self.plan.threads)
        for member, other in alike.items():
            for rows in numbers:
                rows[member] = rows[other]
        self.shared += len(alike) * (span[1] - span[0])
        found = _unpacked(self.plan, numbers, members)
        # Moments stay with NumPy: only `revise` needs them on the devices, and placing arrays takes time.
        placed = jax.device_put((found.trainable, found.alive), stopped.sharding)
        found = found._replace(trainable=placed[0], alive=placed[1])
        self._returned = (found.trainable, numbers)
        return found

    def evaluate(
        self, trainable: PyTree, sparsifier: AbstractSparsifier, memo: PyTree, count: int, data: Samples
    ) -> Float[np.ndarray, " member"]:
        """Return the objective over the whole of `data`, as `engine.evaluate` does; once for members that are alike."""
        before, numbers = self._returned
        if numbers is not None and trainable is before:
            raws = numbers.raw
        else:
            raws = self.plan.layout.packed([np.asarray(leaf) for leaf in jax.tree.leaves(trainable)], count)
        amounts = _amounts(self.plan, sparsifier, memo, count, (0, 1, 0))
        chosen, alike = distinct([raws, amounts.masks.swapaxes(0, 1)], range(count))
        found = np.empty(count)
        error = partial(
            self.error, chosen=chosen, raws=raws, data=tuple(np.asarray(part) for part in data),
            batch=self.plan.batch, layers=self.plan.layout.layers, sizes=self.plan.sizes,
            activation=self.plan.activation, operations=tuple(self.plan.operations), chain=tuple(amounts), found=found,
        )  # fmt: skip
        over_members(error, len(chosen), self.plan.threads)
        found[list(alike)] = found[list(alike.values())]
        return found


def twins(
    numbers: Numbers,
    amounts: Amounts,
    orders: Int[np.ndarray, "order sample"],
    rates: Float[np.ndarray, "step member"],
    going: Int[np.ndarray, " going"],
) -> tuple[Int[np.ndarray, " chosen"], dict[int, int]]:
    """Return the members whose steps have to be taken, and others with the member that they are like.

    Members are alike that are in the same state, and have the same techniques, rates and samples before them.
    """
    own = orders if len(orders) > 1 else np.broadcast_to(orders[0, :1], (len(numbers.raw), 1))
    weights = amounts.amounts * amounts.factors.any(axis=1, keepdims=True)
    parts = [*numbers, own, rates.T, weights.T, amounts.frozen.T, amounts.masks.swapaxes(0, 1)]
    return distinct(parts, going.tolist())


def distinct(
    parts: Sequence[Shaped[np.ndarray, "member ..."]], members: Iterable[int]
) -> tuple[Int[np.ndarray, " chosen"], dict[int, int]]:
    """Return the first of all members that have the same numbers, and the others with the one that they are like."""
    first: dict[bytes, list[int]] = {}
    alike: dict[int, int] = {}
    for member in members:
        # A glance at a few numbers tells most members apart.
        others = first.setdefault(parts[0][member].ravel()[:GLANCE].tobytes(), [])
        for other in others:
            if all(np.array_equal(part[member], part[other], equal_nan=True) for part in parts):
                alike[member] = other
                break
        else:
            others.append(member)
    return np.array([member for member in members if member not in alike], np.int64), alike


def _parts(plan: Plan, members: Members) -> list[list[Array | np.ndarray]]:
    """What the optimizer moves, and its moments: the leaves of each."""
    raw, moments = jax.tree.leaves(members.trainable), jax.tree.leaves(members.moments)
    kinds = MOMENTS[plan.optimizer]
    # A count comes before the moments, if there is one.
    own = moments[len(moments) - kinds * len(raw) :]
    return [raw, *(own[i * len(raw) : (i + 1) * len(raw)] for i in range(kinds))]


def _packed(plan: Plan, members: Members) -> Numbers:
    count = members.alive.shape[0]
    parts = _parts(plan, members)
    parts += [[]] * (3 - len(parts))
    raw, first, second = (plan.layout.packed([np.asarray(a) for a in part], count) for part in parts)
    moments = jax.tree.leaves(members.moments)
    counts = np.array(moments[0], np.int64) if MOMENTS[plan.optimizer] == 2 else np.zeros(count, np.int64)
    return Numbers(
        raw, first, second, counts, np.array(members.alive), np.zeros(count, np.int64), np.zeros(count, np.float32)
    )


def _unpacked(plan: Plan, numbers: Numbers, like: Members) -> Members:
    """Return `like` with these numbers, as arrays of NumPy that nobody changes."""
    parts = [
        [np.array(leaf.within(flat)).reshape(a.shape) for leaf, a in zip(plan.layout.leaves, arrays, strict=True)]
        for flat, arrays in zip(numbers[:3], _parts(plan, like), strict=False)
    ]
    moments = [one for part in parts[1:] for one in part]
    if MOMENTS[plan.optimizer] == 2:
        moments = [numbers.counts.astype(np.int32), *moments]
    returned: Any = (numbers.alive.copy(), numbers.taken.astype(np.int32), numbers.losses.copy())
    return Members(
        jax.tree.unflatten(jax.tree.structure(like.trainable), parts[0]),
        jax.tree.unflatten(jax.tree.structure(like.moments), moments),
        *returned,
    )


def _amounts(
    plan: Plan, sparsifier: AbstractSparsifier, memo: PyTree, count: int, span: tuple[int, int, int]
) -> Amounts:
    found = operations(sparsifier, memo, tuple(range(len(plan.layout.matrices)))) or []
    progress = np.arange(span[0], span[1], dtype=np.float32) / np.float32(plan.steps)
    masks = np.zeros((len(found), count, plan.layout.size), bool)
    for mask, one in zip(masks, found, strict=True):
        for place, own in zip(one.where, one.masks, strict=False):
            plan.layout.matrices[place].within(mask)[:] = own
    return Amounts(
        np.array([np.broadcast_to(one.amount, count) for one in found], np.float32).reshape(-1, count),
        np.array([one.factor(progress) for one in found], np.float32).reshape(-1, len(progress)),
        masks,
        np.array([np.broadcast_to(one.frozen, count) for one in found], bool).reshape(-1, count),
    )


def native_steps(program: Program, sparsifier: AbstractSparsifier, state: State) -> Native | None:
    """Return the native steps of a run; None for another model, objective, technique, optimizer or device."""
    static, spec = program.static, named(program.optimizer)
    if jax.default_backend() != "cpu" or type(static) is not MLP or program.objective is not derivative_matching:
        return None
    if spec is None or spec[0] not in OPTIMIZERS or static.activation not in ACTIVATIONS:
        return None
    free, other = state.members.trainable
    shapes: list[Any] = [w.shape[1:] for w in jax.tree.leaves(free.weights)]
    found = operations(sparsifier, state.memo, tuple(range(len(shapes))))
    functions = None if found is None else _compiled()
    if found is None or functions is None:
        return None
    from sparsedyn.models.native.tiles import LANES

    where = [one.where if one.code == tables.SOFT_THRESHOLD else () for one in found]
    biased = [bias is not None for bias in other.biases]
    own = layout(shapes, biased, sum(map(len, where)), program.batch, LANES)
    applies = np.zeros((len(found), len(shapes), 3), np.int64)
    auxiliary = np.zeros((len(found), len(shapes)), np.int64)
    reads, writes, stage, thresholds = [], [], 0, iter(own.thresholds)
    for number, one in enumerate(found):
        for place, leaf in enumerate(own.matrices):
            applies[number, place] = leaf.at, leaf.at + leaf.rows * leaf.width, place in one.where
            if place in where[number]:
                auxiliary[number, place] = next(thresholds).at
        reads.append(stage)
        stage += one.code in (tables.MASK, tables.SOFT_THRESHOLD)
        writes.append(stage)
    codes = np.array([one.code for one in found], np.int64)
    done = Operations(codes, np.array(reads, np.int64), np.array(writes, np.int64), applies, auxiliary)
    clip = float("inf") if spec[1] is None else spec[1]
    activation, threads = ACTIVATIONS[static.activation], program.mesh.size
    return Native(Plan(own, done, activation, spec[0], clip, program.batch, program.steps, threads), *functions)


@cache
def _compiled() -> tuple[Callable[..., None], Callable[..., None]] | None:
    """The compiled steps and errors, where Numba can be used."""
    module, without = (
        "sparsedyn.training.native.step",
        "Networks are trained without compiled steps, several times slower",
    )
    step, error = (compiled(module, name, without) for name in ("advance", "evaluate"))
    return None if step is None or error is None else (step, error)

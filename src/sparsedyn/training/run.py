"""A run: its compiled program, its constants per member, and the operations on them."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training import engine, outcomes
from sparsedyn.training.averaging import AbstractAverage
from sparsedyn.training.native import Native, distinct
from sparsedyn.training.orders import Orders
from sparsedyn.training.state import State, Trainable, pad_members

BLOCK = 32
"""Steps whose batches are on the devices at a time, where samples stay in a file."""

Record = dict[str, Any]
Criterion = Callable[[AbstractModel], Float[np.ndarray, " member"]]


class Progress(NamedTuple):
    """The numbers for a progress display; losses are means over the members that are training.

    `shared` are steps of members that were spared, as those of others that are alike were taken.
    """

    step: int
    steps: int
    loss: float
    validation: float
    sparsity: float
    alive: int
    members: int
    shared: int = 0


@dataclasses.dataclass(frozen=True)
class Run:
    """The constants of a run. It has `count` members; the arrays may hold a few more, to fill devices.

    `numbers` are those of the objective.
    """

    program: engine.Program
    numbers: PyTree
    sparsifier: AbstractSparsifier
    average: AbstractAverage
    keys: Key[Array, " member"]
    rates: Float[Array, "steps member"]
    data: PyTree
    validation: PyTree | None
    criterion: Criterion | None
    orders: Orders
    epoch: int
    settled: int
    patience: int | None
    count: int
    averaging: bool
    native: Native | None = None
    """Compiled steps in the place of JAX's, where there are some for this run."""

    def advance(self, state: State, begin: int, end: int) -> State:
        """Take the steps from `begin` to `end`, which are of one epoch."""
        number = begin // self.epoch
        if self.native is not None:
            span = (begin, end, number * self.epoch)
            moved = self.native.advance(
                state.members,
                self.sparsifier,
                state.memo,
                state.stopped,
                self.rates,
                self.data,
                self.orders.on_host(number),
                span,
            )
            return state._replace(members=moved)
        if is_streamed(self.data):
            return self._advance_in_blocks(state, begin, end)
        return self._advance(state, self.data, self.orders(number), begin, end, number * self.epoch)

    def _advance(self, state: State, data: PyTree, order: Any, begin: int, end: int, offset: int) -> State:
        members = engine.advance(
            self.program, state.members, self.sparsifier, state.memo, state.stopped, self.keys, self.rates,
            data, order, *_integers(begin, end, offset), self.numbers,
        )  # fmt: skip
        return state._replace(members=members)

    def _advance_in_blocks(self, state: State, begin: int, end: int) -> State:
        """Take steps with their batches alone on the devices, so many at a time; the last block is filled up."""
        offset = begin // self.epoch * self.epoch
        order, size = self.orders.on_host(begin // self.epoch), BLOCK * self.program.batch
        for first in range(begin, end, BLOCK):
            rows = order[..., (first - offset) * self.program.batch :][..., :size]
            rows = np.concatenate([rows, np.zeros((*rows.shape[:-1], size - rows.shape[-1]), np.int32)], axis=-1)
            placed = jax.device_put(_rows(self.data, rows.ravel()), self.orders.sharding)
            places = jax.device_put(np.arange(rows.size, dtype=np.int32).reshape(rows.shape), self.orders.sharding)
            state = self._advance(state, placed, places, first, min(end, first + BLOCK), first)
        return state

    def revise(self, state: State, begin: int, step: int, fraction: float) -> State:
        """Let the techniques revise at this fraction of training."""
        data, rows = self.data, self.orders.first(begin // self.epoch, self.program.batch)
        if is_streamed(self.data):
            data, rows = _rows(data, rows), np.arange(len(rows), dtype=np.int32)
        members = jax.device_put(state.members, state.stopped.sharding)
        members, memo = engine.revise(
            self.program, members, self.sparsifier, state.memo, state.stopped, self.keys, data, rows,
            *_integers(step), np.float32(fraction), self.numbers,
        )  # fmt: skip
        return state._replace(members=members, memo=memo)

    def snapshot(self, state: State) -> State:
        """Add the present trainables to the running averages."""
        found = outcomes.snapshot(self.program, self.average, state.averaged, state.members.trainable)
        return state._replace(averaged=found)

    def record(self, state: State, step: int) -> tuple[State, Record]:
        """Evaluate the whole validation set, keep the best weights, and record the progress."""
        loss, value = self._loss(state), np.full(self.count, np.nan)
        if self.validation is not None or self.criterion is not None:
            kept = state.members.trainable
            if self.averaging:
                kept = outcomes.candidates(self.program, state.averaged, kept, self.average)
            if self.validation is not None:
                value = self._mine(self._evaluated(state, kept, self.validation))
            state = self._keep_best(state, kept, value, step >= self.settled)
        record = {
            "step": step,
            "loss": loss.tolist(),
            "validation": value.tolist(),
            "sparsity": self._sparsity(state).tolist(),
            "alive": np.asarray(state.members.alive)[: self.count].tolist(),
        }
        return self._with_new_mean(state), record

    def _with_new_mean(self, state: State) -> State:
        """Begin a new mean of the loss."""
        count = state.stopped.shape[0]
        zeros: Any = np.zeros(count, np.int32), np.zeros(count, np.float32)
        taken, loss = zeros if self.native is not None else jax.device_put(zeros, state.stopped.sharding)
        return state._replace(members=state.members._replace(taken=taken, loss=loss))

    def _evaluated(self, state: State, kept: Trainable, data: Any) -> Array | np.ndarray:
        if self.native is not None:
            count = state.stopped.shape[0]
            return self.native.evaluate(kept, self.sparsifier, state.memo, count, data)
        return engine.evaluate(self.program, kept, self.sparsifier, state.memo, data, self.numbers)

    def _keep_best(self, state: State, kept: Trainable, value: Float[np.ndarray, " member"], settled: bool) -> State:
        if self.criterion is not None and settled:
            value = self._judged(self.criterion, self.models(state, kept))
        filled = pad_members(np.asarray(value, np.float32), state.stopped.shape[0])
        limit = np.int32(np.iinfo(np.int32).max if self.patience is None else self.patience)
        placed = jax.device_put(filled, state.stopped.sharding)
        best, stopped = outcomes.keep_best(
            self.program, state.best, state.stopped, kept, placed, self.average, state.averaged.snapshots,
            np.bool_(settled), limit,
        )  # fmt: skip
        return state._replace(best=best, stopped=stopped)

    def _judged(self, criterion: Criterion, models: AbstractModel) -> Float[np.ndarray, " member"]:
        """Judge models, those that are alike once; not where code is compiled for every number of members."""
        if self.native is None:
            return criterion(models)
        arrays, static = eqx.partition(models, eqx.is_array)
        chosen, alike = distinct(jax.tree.leaves(arrays), range(self.count))
        value = np.empty(self.count)
        value[chosen] = criterion(eqx.combine(jax.tree.map(lambda a: a[chosen], arrays), static))
        value[list(alike)] = value[list(alike.values())]
        return value

    def models(self, state: State, trainable: Trainable | None = None) -> AbstractModel:
        """Return the stacked models of these trainables, or of the present ones, with effective weights."""
        chosen = state.members.trainable if trainable is None else trainable
        arrays = outcomes.models_of(self.program, chosen, state.memo, self.sparsifier)
        mine = jax.tree.map(lambda a: np.asarray(a)[: self.count], arrays)
        found: AbstractModel = eqx.combine(mine, self.program.static)
        return found

    def progress(self, state: State, step: int, history: list[Record]) -> Progress:
        """Return the numbers for a progress display."""
        last: Record = history[-1] if history else {"loss": [], "validation": []}
        loss = mean(self._loss(state).tolist())
        return Progress(
            step=step,
            steps=self.program.steps,
            loss=loss if np.isfinite(loss) else mean(last["loss"]),
            validation=mean(last["validation"]),
            sparsity=float(np.mean(self._sparsity(state))),
            alive=int(np.sum(np.asarray(state.members.alive)[: self.count])),
            members=self.count,
            shared=0 if self.native is None else self.native.shared,
        )

    def _loss(self, state: State) -> Float[np.ndarray, " member"]:
        """Mean loss since the last record; NaN for a member that took no step."""
        taken = self._mine(state.members.taken)
        return np.where(taken > 0, self._mine(state.members.loss) / np.maximum(taken, 1), np.nan)

    def _sparsity(self, state: State) -> Float[np.ndarray, " member"]:
        return self._mine(outcomes.zeros_share(self.program, self.sparsifier, state.members.trainable, state.memo))

    def _mine(self, values: Array | np.ndarray) -> Float[np.ndarray, " member"]:
        return np.asarray(values, np.float64)[: self.count]


def is_streamed(data: PyTree) -> bool:
    """Whether samples stay in a file, from which batches are taken."""
    return any(isinstance(leaf, np.memmap) for leaf in jax.tree.leaves(data))


def _rows(data: PyTree, rows: Int[np.ndarray, " row"]) -> PyTree:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[rows], data)


def mean(values: list[float]) -> float:
    """Return the mean of the finite values, NaN when there are none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def all_done(state: State) -> bool:
    """Whether no member is training any more."""
    return bool(np.all(np.asarray(state.stopped) | ~np.asarray(state.members.alive)))


def _integers(*values: int) -> tuple[np.int32, ...]:
    # int32 rather than Python numbers: so that one compilation serves all values.
    return tuple(np.int32(value) for value in values)

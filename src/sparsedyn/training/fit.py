"""The one loop that trains every model of this package, as an ensemble."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training import engine
from sparsedyn.training.averaging import SWA, AbstractAverage
from sparsedyn.training.checkpoint import CheckpointError, load_tree, save_tree
from sparsedyn.training.objectives import Objective, derivative_matching
from sparsedyn.training.optimizers import optimizer as named_optimizer
from sparsedyn.training.state import State, pad_members, start
from sparsedyn.training.timeline import last_revision, timeline


class Progress(NamedTuple):
    """What a progress display may show; losses are means over living members."""

    step: int
    steps: int
    loss: float
    validation: float
    sparsity: float
    alive: int
    members: int


class Checkpoint(NamedTuple):
    """Where a run is saved, every how many seconds, and a text that must be equal for it to be resumed."""

    path: Path
    identity: str
    seconds: float = 15.0


class Fit(NamedTuple):
    """A trained ensemble: every array has a leading member axis.

    `last`, `best` (least validation loss since the last mask change; `last` without validation data) and
    `averaged` (`last` where no average was asked for) are models with effective weights; `active` says which
    entries the masks leave alive; `history` has one record per validation.
    """

    last: AbstractModel
    best: AbstractModel
    averaged: AbstractModel
    active: PyTree
    alive: Bool[np.ndarray, " member"]
    best_value: Float[np.ndarray, " member"]
    history: list[dict[str, Any]]
    steps: int


def fit(
    models: AbstractModel,
    data: PyTree,
    *,
    sparsifier: AbstractSparsifier,
    rates: Float[np.ndarray, "*member steps"],
    keys: PRNGKeyArray,
    batch: int,
    objective: Objective = derivative_matching,
    optimizer: optax.GradientTransformation | None = None,
    average: AbstractAverage | None = None,
    validation: PyTree | None = None,
    validations: int = 25,
    patience: int | None = None,
    shuffle: Literal["shared", "member"] = "shared",
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train all members of an ensemble in one computation, spread over the devices there are.

    `models` is stacked along a leading member axis (`eqx.filter_vmap` of a constructor); the leaves of
    `sparsifier` and `average` have that axis or are scalars that hold for all; `keys` is `(member,)`; `rates`
    holds a learning rate per step and fixes the number of steps. `data` is a pytree of arrays `(sample,
    ...)`, kept on the device; members see the same batches unless `shuffle="member"`. A member that turns
    non-finite is frozen as it was and marked dead. With a `checkpoint` whose file exists, the run goes on
    from there, to the same bits.
    """
    count = keys.shape[0]
    rates = np.broadcast_to(np.asarray(rates, np.float32), (count, np.shape(rates)[-1]))
    mesh = _mesh(count)
    total = -(-count // mesh.size) * mesh.size
    spread = NamedSharding(mesh, engine.MEMBERS)
    same = NamedSharding(mesh, engine.SAME)
    average = SWA(active=0.0) if average is None else average
    averaging = bool(np.any(np.asarray(average.active) > 0))
    settings = (_per_member(sparsifier, count), _per_member(average, count), keys)
    models = pad_members(models, total)
    sparsifier, average, keys = jax.device_put(pad_members(settings, total), spread)
    optimizer = named_optimizer("adam") if optimizer is None else optimizer

    samples = jax.tree.leaves(data)[0].shape[0]
    batch = min(batch, samples)
    steps, epoch = rates.shape[1], samples // batch
    static = eqx.filter(models, eqx.is_inexact_array, inverse=True)
    recipe = engine.Recipe(static, objective, optimizer, batch, steps, mesh)
    state = jax.device_put(start(models, sparsifier, optimizer, average, keys), spread)
    data, validation = jax.device_put((data, validation), same)
    table = jax.device_put(
        pad_members(rates, total).T, NamedSharding(mesh, jax.sharding.PartitionSpec(None, "members"))
    )
    turns = sparsifier.turns()
    pauses = timeline(
        steps=steps,
        epoch=epoch,
        revisions=turns,
        snapshots=average.turns() if averaging else (),
        validations=validations,
    )
    settled = last_revision(steps, turns)
    orders = _Orders(
        seed, samples, total if shuffle == "member" else 0, spread if shuffle == "member" else same
    )

    begin, recorded, history = 0, 0, []
    if checkpoint is not None and checkpoint.path.exists():
        state, header = load_tree(checkpoint.path, state)
        if header["identity"] != checkpoint.identity:
            raise CheckpointError(
                f"{checkpoint.path}: expected a checkpoint of this very run; it is of another one (other "
                "data, settings or seed). Delete it or choose another folder."
            )
        state = jax.device_put(state, spread)
        begin, recorded, history = header["step"], header["recorded"], header["history"]
    saved = time.monotonic()

    for pause in pauses:
        if pause.step < begin or (pause.step == begin and begin > 0):
            continue
        if pause.step > begin:
            number = begin // epoch
            members = engine.advance(
                recipe, state.members, sparsifier, state.memo, state.stopped, keys, table, data,
                orders(number), *_integers(begin, pause.step, number * epoch),
            )  # fmt: skip
            state = state._replace(members=members)
        for fraction in pause.revisions:
            members, memo = engine.revise(
                recipe, state.members, sparsifier, state.memo, state.stopped, keys, data,
                orders.rows(begin // epoch, batch), *_integers(pause.step), np.float32(fraction),
            )  # fmt: skip
            state = state._replace(members=members, memo=memo)
        if pause.snapshot:
            state = engine.snapshot(average, state)
        begin = pause.step
        if pause.validate and begin > 0:
            state, record = _record(
                recipe, state, sparsifier, validation, begin, begin - recorded, settled, patience, count
            )
            history.append(record)
            recorded = begin
        if on_progress is not None:
            on_progress(_progress(state, sparsifier, steps, begin, begin - recorded, history, count))
        if np.all(np.asarray(state.stopped) | ~np.asarray(state.members.alive)):
            break
        if checkpoint is not None and time.monotonic() - saved > checkpoint.seconds:
            _save(checkpoint, state, begin, recorded, history)
            saved = time.monotonic()
    if checkpoint is not None:
        _save(checkpoint, state, steps, recorded, history)
    return _finish(recipe, state, sparsifier, average, history, begin, count)


def _mesh(members: int) -> Mesh:
    devices = jax.devices()
    return Mesh(np.asarray(devices[: min(len(devices), members)]), ("members",))


def _per_member(tree: PyTree, count: int) -> PyTree:
    """Give every leaf a leading member axis."""

    def spread(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf, np.float32)
        return (
            array if array.ndim and array.shape[0] == count else np.broadcast_to(array, (count, *array.shape))
        )

    return jax.tree.map(spread, tree)


def _integers(*values: int) -> tuple[np.int32, ...]:
    # int32 rather than Python numbers: one compilation whatever their values.
    return tuple(np.int32(v) for v in values)


class _Orders:
    """The order of samples in an epoch: a function of seed and epoch, so that a resumed run sees the same."""

    def __init__(self, seed: int, samples: int, members: int, sharding: NamedSharding):
        self.seed, self.samples, self.members, self.sharding = seed, samples, members, sharding
        self.epoch = -1

    def __call__(self, epoch: int) -> Array:
        """Return the order of all samples in this epoch, on the devices."""
        if epoch != self.epoch:
            self.drawn = self._draw(epoch)
            self.epoch, self.order = epoch, jax.device_put(self.drawn, self.sharding)
        return self.order

    def rows(self, epoch: int, batch: int) -> np.ndarray:
        """Return the first batch of this epoch, the first member's where members differ."""
        self(epoch)
        first: np.ndarray = self.drawn.reshape(-1, self.samples)[0, :batch]
        return first

    def _draw(self, epoch: int) -> np.ndarray:
        if not self.members:
            return np.random.default_rng([self.seed, epoch]).permutation(self.samples).astype(np.int32)
        draws = [
            np.random.default_rng([self.seed, epoch, m]).permutation(self.samples)
            for m in range(self.members)
        ]
        return np.stack(draws).astype(np.int32)


def _record(
    recipe: engine.Recipe, state: State, sparsifier: AbstractSparsifier, validation: PyTree | None, step: int,
    since: int, settled: int, patience: int | None, count: int,
) -> tuple[State, dict[str, Any]]:  # fmt: skip
    loss = np.asarray(state.members.loss, np.float64)[:count] / max(since, 1)
    value = np.full(count, np.nan)
    if validation is not None:
        measured = engine.evaluate(recipe, state.members.trainable, sparsifier, state.memo, validation)
        limit = np.int32(np.iinfo(np.int32).max if patience is None else patience)
        state = engine.keep_best(state, measured, np.bool_(step >= settled), limit)
        value = np.asarray(measured, np.float64)[:count]
    members = state.members._replace(
        loss=jax.device_put(np.zeros(state.stopped.shape, np.float32), state.stopped.sharding)
    )
    record = {
        "step": step,
        "loss": loss.tolist(),
        "validation": value.tolist(),
        "sparsity": _sparsity(state, sparsifier, count).tolist(),
        "alive": np.asarray(members.alive)[:count].tolist(),
    }
    return state._replace(members=members), record


def _sparsity(state: State, sparsifier: AbstractSparsifier, count: int) -> Float[np.ndarray, " member"]:
    return np.asarray(engine.zeros_share(sparsifier, state.members.trainable, state.memo))[:count]


def _progress(
    state: State, sparsifier: AbstractSparsifier, steps: int, step: int, since: int,
    history: list[dict[str, Any]], count: int,
) -> Progress:  # fmt: skip
    alive = np.asarray(state.members.alive)[:count]
    last: dict[str, list[float]] = history[-1] if history else {"loss": [], "validation": []}
    sums = np.asarray(state.members.loss, np.float64)[:count]
    loss = float(np.mean(sums[alive])) / since if since and alive.any() else _mean(last["loss"])
    sparsity = float(np.mean(_sparsity(state, sparsifier, count)))
    return Progress(step, steps, loss, _mean(last["validation"]), sparsity, int(alive.sum()), count)


def _mean(values: list[float]) -> float:
    finite = [v for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else float("nan")


def _save(
    checkpoint: Checkpoint, state: State, step: int, recorded: int, history: list[dict[str, Any]]
) -> None:
    header = {"identity": checkpoint.identity, "step": step, "recorded": recorded, "history": history}
    save_tree(checkpoint.path, state, header)


def _finish(
    recipe: engine.Recipe, state: State, sparsifier: AbstractSparsifier, average: AbstractAverage,
    history: list[dict[str, Any]], steps: int, count: int,
) -> Fit:  # fmt: skip
    arrays = jax.tree.map(lambda a: np.asarray(a)[:count], engine.outcome(recipe, state, sparsifier, average))
    return Fit(
        last=eqx.combine(arrays.last, recipe.static),
        best=eqx.combine(arrays.best, recipe.static),
        averaged=eqx.combine(arrays.averaged, recipe.static),
        active=arrays.active,
        alive=np.asarray(state.members.alive)[:count],
        best_value=np.asarray(state.best_value)[:count],
        history=history,
        steps=steps,
    )


__all__ = ["Checkpoint", "Fit", "Progress", "fit"]

"""The one loop that trains every model of this package, as an ensemble."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Key, PyTree

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training import engine, outcomes
from sparsedyn.training.averaging import SWA, AbstractAverage
from sparsedyn.training.checkpoint import Checkpoint
from sparsedyn.training.native import native_steps
from sparsedyn.training.objectives import Objective, derivative_matching
from sparsedyn.training.optimizers import optimizer as named_optimizer
from sparsedyn.training.orders import Orders
from sparsedyn.training.run import Criterion, Progress, Record, Run, all_done, is_streamed
from sparsedyn.training.state import State, pad_members, start
from sparsedyn.training.timeline import last_revision, timeline


class Fit(NamedTuple):
    """A trained ensemble: every array has a leading member axis.

    `last`, `best` (least validation loss, or criterion, since the last mask change; `last` without either) and
    `averaged` (`last` without an average) are models with effective weights; `active` says which entries the masks
    leave active; `history` has one record per validation. With `compiled` steps a member's bits are its own, whatever
    is trained beside it and on however many devices.
    """

    last: AbstractModel
    best: AbstractModel
    averaged: AbstractModel
    active: PyTree
    alive: Bool[np.ndarray, " member"]
    best_value: Float[np.ndarray, " member"]
    history: list[Record]
    steps: int
    compiled: bool


def fit(
    models: AbstractModel,
    data: PyTree,
    *,
    sparsifier: AbstractSparsifier,
    rates: Float[np.ndarray, "*member steps"],
    keys: Key[Array, " member"],
    batch: int,
    objective: Objective = derivative_matching,
    optimizer: optax.GradientTransformation | None = None,
    average: AbstractAverage | None = None,
    validation: PyTree | None = None,
    validations: int = 25,
    criterion: Criterion | None = None,
    patience: int | None = None,
    shuffle: Literal["shared", "member"] = "shared",
    seed: int = 0,
    ids: Sequence[int] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_models: Callable[[Progress, Callable[[], AbstractModel]], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train all members of an ensemble in one computation, spread over the devices there are.

    `models` is stacked along a leading member axis (`eqx.filter_vmap` of a constructor); the leaves of `sparsifier`
    and `average` have that axis or are scalars that hold for all; `keys` is `(member,)`; `rates` holds a learning
    rate per step and fixes the number of steps. `data` is a pytree of arrays `(sample, ...)`, kept on the device, or
    of `np.memmap`, from which batches are taken; members see the same batches unless `shuffle="member"`, when each has
    an order of its own, drawn by its number in `ids` (default: its place). The best weights are judged by the objective
    over the whole of `validation`, or by `criterion`, a function of the stacked models that gives one number each. A
    member that turns non-finite is frozen as it was and marked dead. `on_models` is called at every validation, with a
    function that returns the stacked models as they are then; what it raises ends training, before anything of that
    moment is saved. With a `checkpoint` whose file exists, the run goes on from there, bit for bit; a
    `KeyboardInterrupt` that `on_progress` raises ends training after it is saved.
    """
    average = SWA(active=0.0) if average is None else average
    run, state = _prepare(
        models, data, sparsifier, np.asarray(rates, np.float32), keys, batch, objective, optimizer, average,
        validation, criterion, patience, shuffle, seed, ids,
    )  # fmt: skip
    pauses = timeline(
        steps=run.program.steps,
        epoch=run.epoch,
        revisions=sparsifier.turns(),
        snapshots=average.turns() if run.averaging else (),
        validations=validations,
        glances=0 if on_progress is None and checkpoint is None else 100,
    )
    begin, finished, history = 0, False, []
    found = None if checkpoint is None else checkpoint.load(state)
    if found is not None:
        state, header = jax.device_put(found[0], state.stopped.sharding), found[1]
        begin, finished, history = header["step"], header["finished"], header["history"]
        if on_progress is not None:
            # At once: the next pause may be long in coming, and of a finished run there is none.
            on_progress(run.progress(state, begin, history))
    saved = time.monotonic()

    def save(state: State, step: int, finished: bool) -> None:
        if checkpoint is not None:
            header = {"step": step, "finished": finished, "history": history, "compiled": run.native is not None}
            checkpoint.save(state, header)

    for pause in [] if finished else pauses:
        if 0 < begin >= pause.step:
            continue
        if pause.step > begin:
            state = run.advance(state, begin, pause.step)
        for fraction in pause.revisions:
            state = run.revise(state, begin, pause.step, fraction)
        if pause.snapshot:
            state = run.snapshot(state)
        begin = pause.step
        if pause.validate and begin > 0:
            state, record = run.record(state, begin)
            history.append(record)
        if on_models is not None and pause.validate and begin > 0:
            on_models(run.progress(state, begin, history), partial(run.models, state))
        done = all_done(state)
        if done and not pause.validate:
            state, record = run.record(state, begin)
            history.append(record)
        if on_progress is not None:
            try:
                on_progress(run.progress(state, begin, history))
            except KeyboardInterrupt:
                save(state, begin, done)
                raise
        if done:
            break
        if checkpoint is not None and time.monotonic() - saved > checkpoint.seconds:
            save(state, begin, False)
            saved = time.monotonic()
    if not finished:
        save(state, begin, True)
    return _read_out(run, state, history, begin)


def _prepare(
    models: AbstractModel, data: PyTree, sparsifier: AbstractSparsifier, rates: np.ndarray,
    keys: Key[Array, " member"], batch: int, objective: Objective, optimizer: optax.GradientTransformation | None,
    average: AbstractAverage, validation: PyTree | None, criterion: Criterion | None, patience: int | None,
    shuffle: str, seed: int, ids: Sequence[int] | None,
) -> tuple[Run, State]:  # fmt: skip
    """Place everything on the devices and return the run and its state before the first step."""
    count = keys.shape[0]
    rates = np.broadcast_to(rates, (count, rates.shape[-1]))
    devices = jax.devices()
    mesh = Mesh(np.asarray(devices[: min(len(devices), count)]), ("members",))
    total = -(-count // mesh.size) * mesh.size
    spread, same = NamedSharding(mesh, engine.MEMBERS), NamedSharding(mesh, engine.SAME)
    settings = (_per_member(sparsifier, count), _per_member(average, count), keys)
    settled = last_revision(rates.shape[1], sparsifier.turns())
    models = pad_members(models, total)
    sparsifier, average, keys = jax.device_put(pad_members(settings, total), spread)
    samples = jax.tree.leaves(data)[0].shape[0]
    batch = min(batch, samples)
    # Objectives that differ only by numbers share compiled functions.
    weights, objective = eqx.partition(objective, eqx.is_inexact_array_like)
    program = engine.Program(
        static=eqx.filter(models, eqx.is_inexact_array, inverse=True),
        objective=objective,
        optimizer=named_optimizer("adam") if optimizer is None else optimizer,
        batch=batch,
        steps=rates.shape[1],
        mesh=mesh,
    )
    numbers = pad_members(np.arange(count) if ids is None else np.asarray(ids), total).tolist()
    run = Run(
        program=program,
        numbers=jax.device_put(jax.tree.map(lambda number: np.asarray(number, np.float32), weights), same),
        sparsifier=sparsifier,
        average=average,
        keys=keys,
        rates=jax.device_put(pad_members(rates, total).T, NamedSharding(mesh, PartitionSpec(None, "members"))),
        data=data if is_streamed(data) else jax.device_put(data, same),
        validation=jax.device_put(validation, same),
        orders=Orders(seed, samples, spread, numbers) if shuffle == "member" else Orders(seed, samples, same),
        epoch=samples // batch,
        criterion=criterion,
        settled=settled,
        patience=patience,
        count=count,
        averaging=bool(np.any(np.asarray(average.active) > 0)),
    )
    state = jax.device_put(start(models, sparsifier, program.optimizer, average, keys), spread)
    return dataclasses.replace(run, native=native_steps(program, sparsifier, state)), state


def _per_member(tree: PyTree, count: int) -> PyTree:
    """Give every leaf a leading member axis."""

    def spread(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf, np.float32)
        has_axis = array.ndim and array.shape[0] == count
        return array if has_axis else np.broadcast_to(array, (count, *array.shape))

    return jax.tree.map(spread, tree)


def _read_out(run: Run, state: State, history: list[Record], steps: int) -> Fit:
    found = outcomes.outcome(
        run.program, state.members.trainable, state.memo, state.averaged, state.best, run.sparsifier, run.average
    )
    arrays = jax.tree.map(lambda a: np.asarray(a)[: run.count], found)
    return Fit(
        last=eqx.combine(arrays.last, run.program.static),
        best=eqx.combine(arrays.best, run.program.static),
        averaged=eqx.combine(arrays.averaged, run.program.static),
        active=arrays.active,
        alive=np.asarray(state.members.alive)[: run.count],
        best_value=np.asarray(state.best.value)[: run.count],
        history=history,
        steps=steps,
        compiled=run.native is not None,
    )

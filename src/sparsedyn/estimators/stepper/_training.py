"""Fit several time-steppers of one shape as one computation."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from sparsedyn.data import Samples, Scaling, Trajectories, samples
from sparsedyn.estimators._checks import (
    check_alike,
    check_parameters,
    check_plausible,
    check_trajectories,
    variables_of,
)
from sparsedyn.estimators.stepper._grouping import align_averages, align_techniques, group_together, stack_members
from sparsedyn.forecast import DIVERGED_ABOVE, forecast
from sparsedyn.models import MLP, AbstractModel
from sparsedyn.sparsify import resolve
from sparsedyn.training import Checkpoint, Fit, Progress, fit, learning_rates, optimizer, raised

if TYPE_CHECKING:
    from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper


def fit_together(
    steppers: Sequence["SparseTimeStepper"],
    data: Trajectories,
    validation: Trajectories | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: str | Path | None = None,
    check_units: bool = True,
) -> None:
    """Fit `steppers` in place on the same data, all their members in one computation.

    They must belong to one group of `group_together`. With a `checkpoint` path the run is saved there every
    few seconds and, if the file exists, resumed to the same bits.
    """
    for stepper in steppers:
        check_parameters(stepper)
    check_trajectories(data, "data")
    if len(group_together(steppers)) != 1:
        raise ValueError("fit_together: expected steppers of one shape; got none or several. See group_together.")
    if validation is not None:
        check_trajectories(validation, "validation")
    elif steppers[0].patience is not None:
        raise ValueError("patience: expected validation trajectories to watch; got none. Give fit(data, validation).")
    first = steppers[0]
    train = samples(data, first.derivative)
    scaling = Scaling.fit(train, state_names=data.state_names, input_names=data.input_names)
    if validation is not None:
        check_alike(variables_of(data), validation, "validation")
        if check_units:
            check_plausible(scaling, validation)
    scaled = scaling.transform(train)
    held_out = None if validation is None else scaling.transform(samples(validation, first.derivative))
    batch = min(first.batch, len(scaled.x))
    steps = first.epochs * (len(scaled.x) // batch)
    members = [stepper.members for stepper in steppers]
    rates = np.repeat(np.stack([_rates(s, steps) for s in steppers]), members, axis=0)
    seeds = np.concatenate([np.full(s.members, s.seed) for s in steppers])
    initial_keys, training_keys = _keys(seeds, np.concatenate([np.arange(m) for m in members]))
    result = fit(
        initial(
            initial_keys,
            len(data.state_names),
            len(data.input_names),
            tuple(first.hidden),
            first.activation,
            first.skip,
            first.bias,
            first.fan,
        ),
        scaled,
        sparsifier=stack_members(align_techniques([resolve(s.technique) for s in steppers]), members),
        rates=rates,
        keys=training_keys,
        batch=batch,
        optimizer=optimizer(first.optimizer, first.clip),
        average=stack_members(align_averages([s.resolved_average() for s in steppers]), members),
        validation=held_out,
        criterion=_criterion(steppers, validation, scaling),
        patience=first.patience,
        shuffle=first.shuffle,
        seed=int(first.seed),
        ids=[member for count in members for member in range(count)],
        on_progress=on_progress,
        checkpoint=None
        if checkpoint is None
        else Checkpoint(Path(checkpoint), _identity(steppers, rates, scaled, held_out)),
    )
    ends = np.cumsum(members)
    for stepper, end in zip(steppers, ends, strict=True):
        stepper._adopt(_slice(result, slice(end - stepper.members, end)), scaling, data, steps // first.epochs)


@eqx.filter_jit
def initial(
    keys: Any,
    states: int,
    inputs: int,
    hidden: tuple[int, ...],
    activation: str,
    skip: bool,
    bias: bool,
    fan: Literal["in", "out"],
) -> MLP:
    """Return stacked networks before training, one per key."""
    make = partial(MLP, states, inputs, hidden, activation=activation, skip=skip, bias=bias, fan=fan)
    models: MLP = eqx.filter_vmap(lambda key: make(key=key))(keys)
    return models


@jax.jit
def _keys(seeds: Any, members: Any) -> tuple[Any, Any]:
    """Return keys for initialization and training: a member's are the same however many others there are."""

    def one(seed: Any, member: Any) -> tuple[Any, Any]:
        key = jax.random.fold_in(jax.random.key(seed), member)
        return jax.random.fold_in(key, 0), jax.random.fold_in(key, 1)

    return jax.vmap(one)(seeds, members)


def _criterion(
    steppers: Sequence["SparseTimeStepper"], validation: Trajectories | None, scaling: Scaling
) -> Callable[[AbstractModel], Float[np.ndarray, " member"]] | None:
    """Return the mean error of rolling forecasts of the validation trajectories, in standard deviations, capped."""
    wanted = [s for s in steppers if s.select == "forecast"]
    if validation is None or not wanted:
        return None

    def judge(models: AbstractModel) -> Float[np.ndarray, " member"]:
        # Beyond the cap a forecast is lost, and how far it is off says nothing more.
        error = np.minimum(forecast(models, validation, scaling=scaling, method=wanted[0].method).error, DIVERGED_ABOVE)
        return np.nanmean(error, axis=(1, 2, 3))

    return judge


def _rates(stepper: "SparseTimeStepper", steps: int) -> Any:
    rates = learning_rates(stepper.schedule, stepper.learning_rate, steps, drops=tuple(stepper.drops))
    average = stepper.resolved_average()
    if average is None or not average.raised:
        return rates
    rate = 0.5 * stepper.learning_rate if average.learning_rate is None else average.learning_rate
    return raised(rates, average.start, rate)


def _slice(result: Fit, part: slice) -> Fit:
    def cut(tree: Any) -> Any:
        return jax.tree.map(lambda a: a[part] if isinstance(a, np.ndarray) else a, tree)

    history = [
        {key: value if key == "step" else value[part] for key, value in record.items()} for record in result.history
    ]
    return result._replace(
        last=cut(result.last),
        best=cut(result.best),
        averaged=cut(result.averaged),
        active=cut(result.active),
        alive=result.alive[part],
        best_value=result.best_value[part],
        history=history,
    )


def _identity(
    steppers: Sequence["SparseTimeStepper"], rates: np.ndarray, train: Samples, held_out: Samples | None
) -> str:
    """A fingerprint of settings and data: a checkpoint of anything else must not be resumed."""
    digest = hashlib.sha256()
    for stepper in steppers:
        # A schedule that is a function prints its address, which differs from process to process: its rates do not.
        settings = {k: v for k, v in stepper.get_params(deep=False).items() if k != "schedule"}
        settings |= {"technique": resolve(stepper.technique), "average": stepper.resolved_average()}
        digest.update(repr(settings).encode())
        # The text of an array is its shape only.
        for leaf in jax.tree.leaves(settings["technique"]):
            digest.update(np.asarray(leaf).tobytes())
    digest.update(rates.tobytes())
    for part in (train, held_out):
        for array in part or ():
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

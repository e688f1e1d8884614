"""Train the networks of several settings of one shape as one computation."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Samples, Scaling, samples
from sparsedyn.data.budget import beyond
from sparsedyn.data.samples import SampleParts, smooth_samples
from sparsedyn.data.streaming.mapping import folder_of, written
from sparsedyn.estimators._checks import check_fits, check_plausible
from sparsedyn.estimators._inputs import Recorded, measured_samples
from sparsedyn.estimators.stepper._grouping import align_averages, align_techniques, stack_members
from sparsedyn.estimators.stepper._rollouts import Starts, rollout_matching
from sparsedyn.estimators.stepper._settings import Settings
from sparsedyn.forecast import DIVERGED_ABOVE, forecast
from sparsedyn.forecast.forecast import POINT
from sparsedyn.forecast.metrics import capped_error
from sparsedyn.models import MLP, AbstractModel
from sparsedyn.models.mlp import parameters_of
from sparsedyn.training import Checkpoint, Fit, Objective, Progress, derivative_matching, fit, optimizer

WEIGHT, COPIES = 4, 8
"""Bytes of a weight; copies of all that a training holds: trained, moments, gradients, averages, chosen ones."""
AT_ONCE = 2**22
"""Numbers that forecasts of validation data have at once, on a CPU."""


class Trained(NamedTuple):
    """What is left of a training: its result, the scaling of its data, and the steps of an epoch."""

    result: Fit
    scaling: Scaling
    epoch: int


class Prepared(NamedTuple):
    """Scaled samples to train on and to validate on, the objective over them, and their scaling."""

    train: Samples | Starts
    held_out: Samples | Starts | None
    objective: Objective
    scaling: Scaling


def learned(given: Recorded, time: str) -> Recorded:
    """Return what networks are trained on; a map is learned by its increments, and so is what is known of it."""
    if given.known is None or time == "continuous":
        return given
    return given._replace(known=given.known.over(given.data.dt))


def trained(
    settings: Sequence[Settings],
    given: Recorded,
    *,
    begin: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: str | Path | None = None,
    check_units: bool = True,
) -> list[Trained]:
    """Train all members of `settings`, which are of one group, on the same data; return one result each.

    Members have the numbers from `begin` on, on which initialization and orders of samples depend.
    With a `checkpoint` path the run is saved there every few seconds and, if the file exists, resumed to the same bits.
    """
    first, data = settings[0], given.data
    if given.validation is None and first.patience is not None:
        raise ValueError("patience: expected validation trajectories to watch; got none. Give fit(data, validation).")
    _check_memory(settings, given)
    train, held_out, objective, scaling = _prepared(given, first, check_units=check_units)
    count = len(jax.tree.leaves(train)[0])
    batch = min(first.batch, count)
    steps = first.epochs * (count // batch)
    members = [one.members for one in settings]
    rates = np.repeat(np.stack([one.rates(steps) for one in settings]), members, axis=0)
    seeds = np.concatenate([np.full(one.members, one.seed) for one in settings])
    initial_keys, training_keys = _keys(seeds, np.concatenate([begin + np.arange(m) for m in members]))
    shape = (len(data.state_names), len(data.input_names), first.hidden)
    result = fit(
        initial(initial_keys, *shape, first.activation, first.skip, first.bias, first.fan),
        train,
        sparsifier=stack_members(align_techniques([one.technique for one in settings]), members),
        rates=rates,
        keys=training_keys,
        batch=batch,
        objective=objective,
        optimizer=optimizer(first.optimizer, first.clip),
        average=stack_members(align_averages([one.average for one in settings]), members),
        validation=held_out,
        criterion=_criterion(settings, given, scaling),
        patience=first.patience,
        shuffle=first.shuffle,
        seed=int(first.seed),
        ids=[begin + member for count in members for member in range(count)],
        on_progress=on_progress,
        checkpoint=None
        if checkpoint is None
        else Checkpoint(Path(checkpoint), _identity(settings, rates, (train, held_out, objective))),
    )
    ends = np.cumsum(members)
    parts = [slice(end - count, end) for end, count in zip(ends, members, strict=True)]
    return [Trained(_slice(result, part), scaling, steps // first.epochs) for part in parts]


def _check_memory(settings: Sequence[Settings], given: Recorded) -> None:
    """Raise `DataError` for networks beyond the budget of memory, before they are drawn, and for their forecasts.

    Forecasts are those of validation data that are held out of a file that is itself beyond it.
    """
    data, validation = given.data, given.validation
    states = len(data.state_names)
    weights = parameters_of([states + len(data.input_names), *settings[0].hidden, states])
    members = sum(one.members for one in settings)
    if too_much := beyond(float(COPIES * WEIGHT * members) * weights):
        raise DataError(
            f"hidden={settings[0].hidden!r:.80}: expected networks that fit into memory; these are {members} of "
            f"{weights} weights, {too_much} Or give smaller layers, or fewer members."
        )
    if folder_of(data.states) is None or validation is None or all(one.select != "forecast" for one in settings):
        return
    points = len(validation) * max(validation.lengths) * states
    if too_much := beyond(float(POINT * members) * points):
        raise DataError(
            f"validation: expected forecasts of {members} members that fit into memory; these are of "
            f"{len(validation)} trajectories of up to {max(validation.lengths)} rows, {too_much} Or give fewer "
            "trajectories to validate on, validation=data[:3], say (--hold-out 0.01), shorter ones, or fewer members."
        )


def _prepared(given: Recorded, settings: Settings, *, check_units: bool) -> Prepared:
    """Scaled samples with measured or estimated derivatives, or the rows at which free runs begin."""
    data, x_dot, validation = given[:3]
    if settings.rollout > 1 and x_dot is not None:
        raise DataError(
            f"x_dot: expected none along with rollout={settings.rollout}: free runs are compared with states. Leave "
            "one of the two out."
        )
    # Euler steps need the slope from row to row; other derivatives are those of smooth curves.
    sampled = samples if settings.derivative == "forward" else smooth_samples
    train: Samples | SampleParts
    if folder_of(data.states) is not None and _goes_in_parts(given, settings):
        train = SampleParts(data, given.rest)
    else:
        train = given.rest(sampled(data, settings.derivative) if x_dot is None else measured_samples(data, x_dot))
    scaling = Scaling.fit(train, state_names=data.state_names, input_names=data.input_names)
    if validation is not None and check_units:
        check_plausible(scaling, validation)
    if settings.rollout > 1:
        rows, method = settings.rollout, settings.method
        objective, begin, held_out = rollout_matching(data, validation, scaling, rows=rows, method=method)
        return Prepared(begin, held_out, objective, scaling)
    held = None if validation is None else scaling.transform(given.rest(sampled(validation, settings.derivative)))
    scaled = _on_disk(train, scaling) if isinstance(train, SampleParts) else scaling.transform(train)
    return Prepared(scaled, held, derivative_matching, scaling)


def _goes_in_parts(given: Recorded, settings: Settings) -> bool:
    """Whether samples of mapped data are made in parts; `DataError` where all have to be in memory, and do not fit."""
    if settings.rollout == 1 and settings.derivative == "forward" and given.x_dot is None:
        return True
    check_fits(given.data, "x", "Samples of larger data are made with rollout=1, derivative='forward' and no x_dot.")
    return False


def _on_disk(parts: SampleParts, scaling: Scaling) -> Samples:
    """Return scaled samples in files beside the data."""
    folder = folder_of(parts.data.states)
    widths = (len(scaling.x_mean), len(scaling.u_mean), len(scaling.dx_mean))
    shapes = [(len(parts), width) for width in widths]
    return Samples(*written(map(scaling.transform, parts), shapes, folder or Path.cwd()))


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
    settings: Sequence[Settings], given: Recorded, scaling: Scaling
) -> Callable[[AbstractModel], Float[np.ndarray, " member"]] | None:
    """Return the mean error of rolling forecasts of the validation trajectories, in standard deviations, capped."""
    wanted = [one for one in settings if one.select == "forecast"]
    validation, known = given.validation, None if given.known is None else given.known.values
    if validation is None or not wanted:
        return None

    # The memory of larger arrays is given back to the system, and has to be found anew every time.
    points = len(validation) * max(validation.lengths) * len(validation.state_names)
    at_once = max(jax.device_count(), AT_ONCE // points) if jax.default_backend() == "cpu" else None

    def judge(models: AbstractModel) -> Float[np.ndarray, " member"]:
        count = len(jax.tree.leaves(models)[0])
        step = at_once or count
        return np.concatenate([some(_cut(models, slice(k, k + step))) for k in range(0, count, step)])

    def some(models: AbstractModel) -> Float[np.ndarray, " member"]:
        # Beyond the cap a forecast is lost, and how far it is off says nothing more.
        made = forecast(models, validation, scaling=scaling, method=wanted[0].method, known=known)
        return capped_error(made.predicted, made.truth, made.std, DIVERGED_ABOVE)

    return judge


def _cut(tree: Any, part: slice) -> Any:
    """Return some of the members."""
    return jax.tree.map(lambda a: a[part] if isinstance(a, np.ndarray) else a, tree)


def _slice(result: Fit, part: slice) -> Fit:
    history = [
        {key: value if key == "step" else value[part] for key, value in record.items()} for record in result.history
    ]
    return result._replace(
        last=_cut(result.last, part),
        best=_cut(result.best, part),
        averaged=_cut(result.averaged, part),
        active=_cut(result.active, part),
        alive=result.alive[part],
        best_value=result.best_value[part],
        history=history,
    )


def _identity(settings: Sequence[Settings], rates: np.ndarray, data: Any) -> str:
    """A fingerprint of settings and data: a checkpoint of anything else must not be resumed."""
    digest = hashlib.sha256()
    for one in settings:
        digest.update(one.fingerprint().encode())
    digest.update(rates.tobytes())
    for array in filter(eqx.is_array_like, jax.tree.leaves(data)):
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()

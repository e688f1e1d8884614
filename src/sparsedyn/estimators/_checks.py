"""Checks that give one clear message before anything is trained or forecast."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.data.derivatives import DERIVATIVES
from sparsedyn.forecast import METHODS
from sparsedyn.models import ACTIVATIONS, FANS
from sparsedyn.sparsify import AbstractSparsifier, Chain, On, resolve
from sparsedyn.training import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper

VERY_FAR = 50.0
UNIT_CHANGES = ((10.0, 5.0), (3.0, 100.0))
"""A median this many training standard deviations off and this factor from the training mean (or very far off) speaks
for another unit. The plain distance must be generous: a single slow trajectory has small standard deviations."""


class Variables(NamedTuple):
    """What a fitted estimator remembers of its data."""

    state_names: tuple[str, ...]
    input_names: tuple[str, ...]
    state_units: tuple[str, ...]
    input_units: tuple[str, ...]
    dt: float


def variables_of(data: Trajectories) -> Variables:
    """Return the names, units and sample time of `data`."""
    return Variables(data.state_names, data.input_names, data.state_units, data.input_units, data.dt)


def check_parameters(stepper: "SparseTimeStepper") -> None:
    """Raise `ValueError` for the first parameter that is out of range, `TypeError` for one of no known kind."""
    for name in ("members", "epochs", "batch"):
        _expect(stepper, name, _whole(getattr(stepper, name), 1), "an integer of at least 1")
    widths = stepper.hidden
    listed = isinstance(widths, Sequence) and not isinstance(widths, str) and all(_whole(w, 1) for w in widths)
    _expect(stepper, "hidden", listed, "a list of widths of at least 1, e.g. (64, 64)")
    _expect(stepper, "seed", _whole(stepper.seed, 0) and stepper.seed < 2**32, "an integer from 0 to 2**32 - 1")
    _expect(
        stepper,
        "learning_rate",
        _positive(stepper.learning_rate) and stepper.learning_rate < 10,
        "a positive rate, usually 1e-4 to 1e-2",
    )
    _expect(stepper, "clip", stepper.clip is None or _positive(stepper.clip), "none or a positive norm, e.g. 1.0")
    _expect(stepper, "patience", stepper.patience is None or _whole(stepper.patience, 1), "none or at least 1")
    choices: dict[str, Any] = {
        "activation": ACTIVATIONS,
        "optimizer": OPTIMIZERS,
        "derivative": DERIVATIVES,
        "method": METHODS,
        "shuffle": ("shared", "member"),
        "select": ("forecast", "best", "last"),
        "fan": FANS,
    }
    for name, known in choices.items():
        _expect(stepper, name, getattr(stepper, name) in known, f"one of {', '.join(known)}")
    named = stepper.schedule in SCHEDULES if isinstance(stepper.schedule, str) else callable(stepper.schedule)
    _expect(stepper, "schedule", named, f"one of {', '.join(SCHEDULES)} or an Optax schedule")
    drops = stepper.drops
    fractions = isinstance(drops, Sequence) and all(_positive(drop) and drop < 1 for drop in drops)
    _expect(stepper, "drops", fractions, "fractions of training between 0 and 1, e.g. (0.4, 0.7, 0.9)")
    technique = resolve(stepper.technique)
    _check_matrices(technique, len(widths) + 1)
    _check_average(stepper, technique.turns())


def _check_matrices(technique: AbstractSparsifier, count: int) -> None:
    """Raise `ValueError` where `On` names a matrix that the network does not have."""
    if isinstance(technique, Chain):
        for link in technique.links:
            _check_matrices(link, count)
    if isinstance(technique, On):
        if any(not -count <= number < count for number in technique.where):
            raise ValueError(
                f"technique: expected matrix numbers from {-count} to {count - 1} in On (the network has {count}); got "
                f"{technique.where}."
            )
        _check_matrices(technique.technique, len(technique.where))


def _check_average(stepper: "SparseTimeStepper", turns: tuple[float, ...]) -> None:
    average = stepper.resolved_average()
    if average is None:
        return
    average.turns()  # a start or a number of snapshots out of range speaks up now, not after compilation
    late = [turn for turn in turns if turn > average.start]
    if late:
        raise ValueError(
            f"average: expected it to start after the last mask change (at {max(late):g} of training); got a start "
            f"of {average.start:g}. An average over changing masks is no network of any: end the pruning earlier."
        )
    together = "none together with an average, which needs the whole run"
    _expect(stepper, "patience", stepper.patience is None, together)


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _positive(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0.0 < float(value) <= math.inf


def _expect(stepper: "SparseTimeStepper", name: str, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}; got {getattr(stepper, name)!r}.")


def check_trajectories(data: object, place: str) -> None:
    """Raise `DataError` unless `data` are trajectories."""
    if not isinstance(data, Trajectories):
        raise DataError(
            f"{place}: expected Trajectories; got {type(data).__name__}. Wrap arrays in sparsedyn.Trajectories(states, "
            "inputs, dt=...), or read a file with sparsedyn.read."
        )


def check_alike(expected: Variables, got: Trajectories, place: str) -> None:
    """Raise `DataError` unless `got` has the variables, units and sample time of `expected`."""
    for what in ("state_names", "input_names", "state_units", "input_units"):
        want, have = getattr(expected, what), getattr(got, what)
        # Unknown units ("") say nothing against known ones.
        same = all(w == h or (what.endswith("units") and not (w and h)) for w, h in zip(want, have, strict=False))
        if len(want) != len(have) or not same:
            raise DataError(
                f"{place}: expected {what} {list(want)}; got {list(have)}. Give the same variables in "
                "the same order and units."
            )
    if not np.isclose(expected.dt, got.dt, rtol=1e-3):
        raise DataError(
            f"{place}: expected the sample time of training, {expected.dt:g}; got {got.dt:g}. Resample the data."
        )


def check_plausible(scaling: Scaling, data: Trajectories) -> None:
    """Raise `DataError` where a column's median is so far from training that its unit must be another."""
    parts = (
        (data.states, data.state_names, data.state_units, scaling.x_mean, scaling.x_std),
        (data.inputs, data.input_names, data.input_units, scaling.u_mean, scaling.u_std),
    )
    for arrays, names, units, means, stds in parts:
        pooled = np.concatenate(arrays)
        columns = zip(names, units, np.median(pooled, axis=0), pooled.std(axis=0), means, stds, strict=True)
        for name, unit, median, spread, mean, std in columns:
            distance = abs(median - mean) / std
            near, far = sorted((abs(median), abs(mean)))
            # A change of unit cannot make a zero: an input that is off is no sign of one.
            changed = near > 0 and any(distance > least and far > factor * near for least, factor in UNIT_CHANGES)
            if changed or distance > VERY_FAR or spread > VERY_FAR * std:
                raise DataError(
                    f"column {name!r}: expected values like those of training ({mean:.4g} +- {std:.2g} {unit}); got a "
                    f"median of {median:.4g} and a spread of {spread:.2g}. Is it in another unit? Convert it; if it is "
                    "right, say so with check_units=False (--any-units)."
                )


def simulation_arrays(
    variables: Variables, x0: object, inputs: object, steps: int | None
) -> tuple[Float[np.ndarray, "trajectory state"], Float[np.ndarray, "trajectory time input"]]:
    """Return initial states and inputs with all their axes, or raise `DataError` saying what is missing."""
    start = np.atleast_2d(_numbers("x0", x0, variables.state_names))
    if start.ndim != 2:
        raise DataError(f"simulate: expected x0 (state,) or (trajectory, state); got {start.shape}.")
    width = len(variables.input_names)
    if inputs is None:
        if width:
            raise DataError(f"simulate: expected inputs (time, {width}), {list(variables.input_names)}; got none.")
        if steps is None or not _whole(steps, 1):
            raise DataError(
                "simulate: a plant without inputs needs steps=, the number of rows to forecast, an integer of at least "
                f"1; got {steps!r}."
            )
        return start, np.zeros((len(start), steps, 0))
    if steps is not None:
        raise DataError("simulate: inputs say how many rows to forecast; got steps as well. Leave it out.")
    forcing = _numbers("inputs", inputs, variables.input_names)
    forcing = forcing[None] if forcing.ndim == 2 else forcing
    if forcing.ndim != 3 or len(forcing) != len(start) or not forcing.shape[1]:
        raise DataError(
            f"simulate: expected inputs (time, {width}), or ({len(start)}, time, {width}) for {len(start)} initial "
            f"states; got {forcing.shape}."
        )
    return start, forcing


def _numbers(what: str, value: object, names: tuple[str, ...]) -> Float[np.ndarray, "..."]:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"simulate: expected an array of numbers as {what}; got {type(value).__name__}.") from error
    if not array.ndim or array.shape[-1] != len(names):
        raise DataError(f"simulate: expected {len(names)} columns in {what}, {list(names)}; got {array.shape}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"simulate: expected finite numbers in {what}; got {array[where]} at {where}.")
    return array

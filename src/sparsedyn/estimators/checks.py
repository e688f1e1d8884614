"""Checks that give one clear message before anything is trained or forecast."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.data.derivatives import DERIVATIVES
from sparsedyn.forecast import METHODS
from sparsedyn.models import ACTIVATIONS
from sparsedyn.sparsify import chain
from sparsedyn.training import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from sparsedyn.estimators.time_stepper import SparseTimeStepper

IMPLAUSIBLE = 10.0
"""Distance from the training mean, in standard deviations, at which a column's median means another unit."""


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
    """Raise `ValueError` for the first parameter that is out of range."""
    for name in ("members", "epochs", "batch"):
        value = getattr(stepper, name)
        _expect(stepper, name, isinstance(value, int) and value >= 1, "an integer of at least 1")
    widths = stepper.hidden
    _expect(
        stepper,
        "hidden",
        all(isinstance(w, int) and w >= 1 for w in widths),
        "widths of at least 1, e.g. (64, 64)",
    )
    _expect(stepper, "learning_rate", 0 < stepper.learning_rate < 10, "a positive rate, usually 1e-4 to 1e-2")
    choices: dict[str, Any] = {
        "activation": ACTIVATIONS,
        "optimizer": OPTIMIZERS,
        "derivative": DERIVATIVES,
        "method": METHODS,
        "shuffle": ("shared", "member"),
        "select": ("best", "last"),
    }
    for name, known in choices.items():
        _expect(stepper, name, getattr(stepper, name) in known, f"one of {', '.join(known)}")
    _expect(
        stepper,
        "schedule",
        callable(stepper.schedule) or stepper.schedule in SCHEDULES,
        f"one of {', '.join(SCHEDULES)} or an Optax schedule",
    )
    chain(stepper.technique)
    average = stepper.resolved_average()
    if average is not None:
        late = [turn for turn in chain(stepper.technique).turns() if turn > average.start]
        if late:
            raise ValueError(
                f"average: expected it to start after the last mask change (at {max(late):g} of training); "
                f"got a start of {average.start:g}. An average over changing masks is no network of any: end "
                "the pruning earlier."
            )
        _expect(
            stepper,
            "patience",
            stepper.patience is None,
            "none together with an average, which needs the whole run",
        )


def _expect(stepper: "SparseTimeStepper", name: str, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}; got {getattr(stepper, name)!r}.")


def check_alike(expected: Variables, got: Trajectories, place: str) -> None:
    """Raise `DataError` unless `got` has the variables, units and sample time of `expected`."""
    for what in ("state_names", "input_names", "state_units", "input_units"):
        want, have = getattr(expected, what), getattr(got, what)
        # Unknown units ("") say nothing against known ones.
        same = all(
            w == h or (what.endswith("units") and not (w and h)) for w, h in zip(want, have, strict=False)
        )
        if len(want) != len(have) or not same:
            raise DataError(
                f"{place}: expected {what} {list(want)}; got {list(have)}. Give the same variables in "
                "the same order and units."
            )
    if not np.isclose(expected.dt, got.dt, rtol=1e-3):
        raise DataError(
            f"{place}: expected the sample time of training, {expected.dt:g}; got {got.dt:g}. Resample the "
            "data."
        )


def check_plausible(scaling: Scaling, data: Trajectories) -> None:
    """Raise `DataError` where a column's median is so far from training that its unit must be another."""
    parts = (
        (data.states, data.state_names, data.state_units, scaling.x_mean, scaling.x_std),
        (data.inputs, data.input_names, data.input_units, scaling.u_mean, scaling.u_std),
    )
    for arrays, names, units, means, stds in parts:
        medians = np.median(np.concatenate(arrays), axis=0)
        for name, unit, median, mean, std in zip(names, units, medians, means, stds, strict=True):
            if abs(median - mean) > IMPLAUSIBLE * std:
                raise DataError(
                    f"column {name!r}: expected values like those of training ({mean:.4g} +- {std:.2g} "
                    f"{unit}); got a median of {median:.4g}. Is it in another unit? Convert it, or train on "
                    "such data."
                )

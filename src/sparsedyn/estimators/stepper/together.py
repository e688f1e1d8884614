"""Several time-steppers as one computation: which can share one, and their fit."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sparsedyn.data import Trajectories
from sparsedyn.estimators._checks import variables_of
from sparsedyn.estimators._inputs import recorded
from sparsedyn.estimators.stepper._grouping import grouped
from sparsedyn.estimators.stepper._training import trained
from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper
from sparsedyn.training import Progress


def group_together(steppers: Sequence[SparseTimeStepper]) -> list[list[int]]:
    """Return the indices of `steppers` in groups that `fit_together` can train as one computation.

    A group shares shapes, steps, batches, the kind of time and the structure of its techniques; penalty weights,
    sparsities, learning rates and averaging on or off may differ.
    """
    groups = grouped([stepper.settings() for stepper in steppers])
    kinds = dict.fromkeys(stepper.time for stepper in steppers)
    parts = [[i for i in group if steppers[i].time == kind] for group in groups for kind in kinds]
    return [part for part in parts if part]


def fit_together(
    steppers: Sequence[SparseTimeStepper],
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
        stepper.check_parameters()
    if len(group_together(steppers)) != 1:
        raise ValueError("fit_together: expected steppers of one shape; got none or several. See group_together.")
    given = recorded(data, validation=validation, time=steppers[0].time)
    settings = [stepper.settings() for stepper in steppers]
    found = trained(settings, given, on_progress=on_progress, checkpoint=checkpoint, check_units=check_units)
    for stepper, one in zip(steppers, found, strict=True):
        stepper._adopt(one, variables_of(given.data))

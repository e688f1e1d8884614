"""Several time-steppers as one computation: which can share one, and their fit."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sparsedyn.data import Trajectories
from sparsedyn.estimators._inputs import recorded
from sparsedyn.estimators._report import of_data
from sparsedyn.estimators.stepper._grouping import grouped
from sparsedyn.estimators.stepper._training import learned, trained
from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper
from sparsedyn.training import Progress


def group_together(steppers: Sequence[SparseTimeStepper]) -> list[list[int]]:
    """Return the indices of `steppers` in groups that `fit_together` can train as one computation.

    A group shares shapes, steps, batches, the kind of time, what is known and the structure of its techniques; penalty
    weights, sparsities, learning rates and averaging on or off may differ.
    """
    groups = grouped([stepper.settings() for stepper in steppers])
    kinds: list[tuple[str, Any]] = []
    for stepper in steppers:
        if (stepper.time, stepper.known) not in kinds:
            kinds.append((stepper.time, stepper.known))
    parts = [[i for i in g if (steppers[i].time, steppers[i].known) == kind] for g in groups for kind in kinds]
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
    few seconds and, if the file exists, resumed to the same bits. What checks find is in the `report_` of each, and is
    not warned of.
    """
    for stepper in steppers:
        stepper.check_parameters()
    if len(group_together(steppers)) != 1:
        raise ValueError("fit_together: expected steppers of one shape; got none or several. See group_together.")
    first = steppers[0]
    given = recorded(data, validation=validation, time=first.time, known=first.known, in_parts=True)
    given = learned(given, first.time)
    settings = [stepper.settings() for stepper in steppers]
    found = trained(settings, given, on_progress=on_progress, checkpoint=checkpoint, check_units=check_units)
    said = of_data(given.data, mapped=first.time == "discrete", delayed=False)
    for stepper, one in zip(steppers, found, strict=True):
        stepper._adopt(one, given, said)

"""Estimators: fit / simulate / forecast / score / save."""

from sparsedyn.estimators.grouping import group_together
from sparsedyn.estimators.progress import describe, progress_bar
from sparsedyn.estimators.saving import average_from_spec
from sparsedyn.estimators.time_stepper import SparseTimeStepper, load
from sparsedyn.estimators.together import fit_together

__all__ = [
    "SparseTimeStepper",
    "average_from_spec",
    "describe",
    "fit_together",
    "group_together",
    "load",
    "progress_bar",
]

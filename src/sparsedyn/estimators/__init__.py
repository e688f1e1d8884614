"""Estimators: fit / simulate / forecast / score / save."""

from sparsedyn.estimators.equation_learner import EquationLearner
from sparsedyn.estimators.equation_regressor import EquationRegressor
from sparsedyn.estimators.grouping import group_together
from sparsedyn.estimators.progress import describe, progress_bar, search_bar
from sparsedyn.estimators.saving import average_from_spec, load
from sparsedyn.estimators.time_stepper import SparseTimeStepper
from sparsedyn.estimators.together import fit_together

__all__ = [
    "EquationLearner",
    "EquationRegressor",
    "SparseTimeStepper",
    "average_from_spec",
    "describe",
    "fit_together",
    "group_together",
    "load",
    "progress_bar",
    "search_bar",
]

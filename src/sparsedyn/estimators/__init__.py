"""Estimators: fit / simulate / forecast / score / save."""

from sparsedyn.estimators.equation_learner import EquationLearner
from sparsedyn.estimators.equation_regressor import EquationRegressor
from sparsedyn.estimators.grouping import group_together
from sparsedyn.estimators.progress import describe, progress_bar, search_bar
from sparsedyn.estimators.pysindy_exchange import from_pysindy, to_pysindy
from sparsedyn.estimators.saving import average_from_spec, load
from sparsedyn.estimators.sindy import SINDy
from sparsedyn.estimators.sindy_autoencoder import SINDyAutoencoder
from sparsedyn.estimators.time_stepper import SparseTimeStepper
from sparsedyn.estimators.together import fit_together

__all__ = [
    "EquationLearner",
    "EquationRegressor",
    "SINDy",
    "SINDyAutoencoder",
    "SparseTimeStepper",
    "average_from_spec",
    "describe",
    "fit_together",
    "from_pysindy",
    "group_together",
    "load",
    "progress_bar",
    "search_bar",
    "to_pysindy",
]

"""Estimators: fit, predict, simulate, forecast, evaluate, score, print, save, load."""

from sparsedyn.estimators._load import load
from sparsedyn.estimators._progress import describe, progress_bar, search_bar
from sparsedyn.estimators.autoencoder.autoencoder import SINDyAutoencoder
from sparsedyn.estimators.equation.learner import EquationLearner
from sparsedyn.estimators.equation.regressor import EquationRegressor
from sparsedyn.estimators.sindy._pysindy import from_pysindy, to_pysindy
from sparsedyn.estimators.sindy.sindy import SINDy
from sparsedyn.estimators.stepper._averages import average_from_spec
from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper
from sparsedyn.estimators.stepper.together import fit_together, group_together

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

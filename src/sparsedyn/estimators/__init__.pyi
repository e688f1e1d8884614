from ._load import load
from ._progress import describe, progress_bar, search_bar, stage_bar
from .autoencoder.autoencoder import SINDyAutoencoder
from .equation.learner import EquationLearner
from .equation.regressor import EquationRegressor
from .sindy._constraints import Constraints
from .sindy._pysindy import from_pysindy, to_pysindy
from .sindy.sindy import SINDy
from .state_space.state_space import SparseStateSpace
from .stepper._averages import average_from_spec
from .stepper.time_stepper import SparseTimeStepper
from .stepper.together import fit_together, group_together

__all__ = [
    "Constraints",
    "EquationLearner",
    "EquationRegressor",
    "SINDy",
    "SINDyAutoencoder",
    "SparseStateSpace",
    "SparseTimeStepper",
    "average_from_spec",
    "describe",
    "fit_together",
    "from_pysindy",
    "group_together",
    "load",
    "progress_bar",
    "search_bar",
    "stage_bar",
    "to_pysindy",
]

"""Equation learners: symbolic regression of tables and of right-hand sides, and the search that both are made of."""

from sparsedyn.estimators.equation._expressions import Equation, explored, scaling_of, written_out
from sparsedyn.estimators.equation._search import EXACT, Found
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.estimators.equation.learner import EquationLearner
from sparsedyn.estimators.equation.regressor import EquationRegressor

__all__ = [
    "EXACT",
    "Equation",
    "EquationLearner",
    "EquationRegressor",
    "Found",
    "Search",
    "explored",
    "scaling_of",
    "written_out",
]

"""Sparse identification of nonlinear dynamics, and its models in PySINDy's classes."""

from sparsedyn.estimators.sindy._constraints import Constraints
from sparsedyn.estimators.sindy._pysindy import from_pysindy, to_pysindy
from sparsedyn.estimators.sindy.sindy import SINDy

__all__ = ["Constraints", "SINDy", "from_pysindy", "to_pysindy"]

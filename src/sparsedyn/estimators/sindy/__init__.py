"""Sparse identification of nonlinear dynamics, and its models in PySINDy's classes."""

from sparsedyn.estimators.sindy._pysindy import from_pysindy, to_pysindy
from sparsedyn.estimators.sindy.sindy import SINDy

__all__ = ["SINDy", "from_pysindy", "to_pysindy"]

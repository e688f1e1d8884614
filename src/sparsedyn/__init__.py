"""Sparse, readable, stable models of controlled dynamical systems from trajectories.

The public names are listed in `__init__.pyi` and imported at their first use.
"""

from sparsedyn._compilation import keep_compiled
from sparsedyn._devices import spread_over_cores
from sparsedyn._lazy import attach

spread_over_cores()
keep_compiled()

__getattr__, __dir__, __all__ = attach(__name__)

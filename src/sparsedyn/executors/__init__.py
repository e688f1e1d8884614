"""Where independent computations run: in this process, or on the workers of a Ray cluster.

The public names are listed in `__init__.pyi` and imported at their first use.
"""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

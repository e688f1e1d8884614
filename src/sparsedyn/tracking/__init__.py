"""Records of what was run and what came of it, kept by a tracking service.

The public names are listed in `__init__.pyi` and imported at their first use.
"""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""The command line: simulate, fit, forecast, study, info. Names are imported at their first use."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""Forecasts: roll a model forward, and say how good the result is."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""Forecasts: roll a model forward, and score the result."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

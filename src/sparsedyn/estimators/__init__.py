"""Estimators: fit, predict, simulate, forecast, evaluate, score, print, save, load."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""Choosing among models: splits of trajectories, cross-validation and searches, judged by free runs."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

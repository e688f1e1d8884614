"""Trajectories in and out: files, checks, splits, derivatives, scaling."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

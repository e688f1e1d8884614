"""Plants to simulate: their physics, their excitation, and trajectories of them."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""Training: one loop, objectives, averages, schedules, checkpoints."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

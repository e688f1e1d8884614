"""Sparsification: one technique per file, one interface, `Chain` and `On` to combine them."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

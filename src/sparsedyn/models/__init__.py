"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

"""Reading models: their structure, what their outputs depend on, and the equations of equation learners."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

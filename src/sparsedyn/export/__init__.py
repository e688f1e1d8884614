"""Models where Python is not: as C, structured text, Python source, JavaScript, SymPy and LaTeX."""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

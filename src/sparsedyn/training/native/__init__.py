"""Training steps compiled by Numba, with matrix products in vector registers."""

from sparsedyn.training.native.plan import Native, native_steps

__all__ = ["Native", "native_steps"]

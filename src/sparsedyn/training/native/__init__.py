"""Training steps compiled by Numba, with matrix products in vector registers."""

from sparsedyn.training.native.plan import Native, distinct, native_steps

__all__ = ["Native", "distinct", "native_steps"]

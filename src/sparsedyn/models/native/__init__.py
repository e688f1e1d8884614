"""Networks of `MLP`, compiled by Numba for batches, with matrix products in vector registers."""

"""Reading models: their structure for now; equations come with the models that have them."""

from sparsedyn.equations.structure import SMALL, count_nonzeros, reach, sparsity

__all__ = ["SMALL", "count_nonzeros", "reach", "sparsity"]

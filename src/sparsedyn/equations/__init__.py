"""Reading models: their structure, and what their outputs depend on; equations come with the models that have them."""

from sparsedyn.equations.dependence import (
    THRESHOLD,
    THRESHOLDS,
    against_truth,
    depends,
    jaccard,
    kappa,
    local_effect,
    mean_jaccard,
    mean_kappa,
    pooled,
    sensitivity,
    standardized,
    strength,
    total_effect,
)
from sparsedyn.equations.structure import SMALL, count_nonzeros, reach, sparsity

__all__ = [
    "SMALL",
    "THRESHOLD",
    "THRESHOLDS",
    "against_truth",
    "count_nonzeros",
    "depends",
    "jaccard",
    "kappa",
    "local_effect",
    "mean_jaccard",
    "mean_kappa",
    "pooled",
    "reach",
    "sensitivity",
    "sparsity",
    "standardized",
    "strength",
    "total_effect",
]

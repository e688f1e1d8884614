from .agreement import against_truth, jaccard, kappa, mean_jaccard, mean_kappa
from .dependence import (
    THRESHOLD,
    THRESHOLDS,
    depends,
    local_effect,
    pooled,
    sensitivity,
    standardized,
    strength,
    total_effect,
)
from .merging import complexity
from .notation import from_text, latex, parsed, text, to_text
from .pruning import prune_structure
from .simplification import effect, rounded, simplified, snapped, without_small_terms
from .statements import Statement, statements
from .structure import SMALL, count_nonzeros, reach, sparsity
from .symbolic import Columns, combined, compiled, expressions, symbol

__all__ = [
    "SMALL",
    "THRESHOLD",
    "THRESHOLDS",
    "Columns",
    "Statement",
    "against_truth",
    "combined",
    "compiled",
    "complexity",
    "count_nonzeros",
    "depends",
    "effect",
    "expressions",
    "from_text",
    "jaccard",
    "kappa",
    "latex",
    "local_effect",
    "mean_jaccard",
    "mean_kappa",
    "parsed",
    "pooled",
    "prune_structure",
    "reach",
    "rounded",
    "sensitivity",
    "simplified",
    "snapped",
    "sparsity",
    "standardized",
    "statements",
    "strength",
    "symbol",
    "text",
    "to_text",
    "total_effect",
    "without_small_terms",
]

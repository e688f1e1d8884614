"""What the files of a finished cell say about each of its members."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from sparsedyn.forecast import DIVERGED_ABOVE


def living(facts: Mapping[str, Any], members: int) -> Bool[np.ndarray, " member"]:
    """Return which of the `members` survived training; all of them where `facts` (cell.json) does not say."""
    return np.asarray(facts.get("alive") or [True] * members, bool)


def active_weights(facts: Mapping[str, Any]) -> Float[np.ndarray, " member"] | None:
    """Return how many weights are above 0.001 in magnitude, NaN for dead members; None if not stored."""
    small = facts.get("sparsity", {}).get("small")
    if small is None:
        return None
    count = np.rint(facts["weights"] * (1 - np.asarray(small, np.float64)))
    return np.where(living(facts, len(count)), count, np.nan)


def bounded_error(forecasts: pd.DataFrame) -> "pd.Series[Any]":
    """Return the RFMSE of each of the `forecasts`; a diverged one counts as 3, the bound of divergence."""
    return forecasts["rfmse"].where(~forecasts["diverged"].astype(bool), DIVERGED_ABOVE)

"""Columns that rise by one step from row to row, as times and counters do."""

import numpy as np
import pandas as pd
from jaxtyping import Int

from .clock import TOLERANCE

RUN = 10
"""Rows that a run has on average, at least, where a column starts again."""


def restarts(column: pd.Series) -> Int[np.ndarray, " _restart"] | None:
    """Return the rows at which a column that else rises by one step falls back; None for columns that do not rise so.

    Three rows at least, none of them missing. Steps may differ by a tenth of a percent.
    """
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or len(column) < 3:
        return None
    if pd.api.types.is_complex_dtype(column):
        return None
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(values).all():
        return None
    steps = np.diff(values)
    back = np.flatnonzero(steps < 0) + 1
    up = steps[steps >= 0]
    rounding = 2 * np.spacing(np.abs(values).max())
    even = len(up) > 0 and up.min() > 0 and np.ptp(up) <= TOLERANCE * np.median(up) + rounding
    return back if even and (not len(back) or len(values) >= RUN * (len(back) + 1)) else None

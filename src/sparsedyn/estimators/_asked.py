"""Columns of tables that were asked for: others are left alone, whatever they hold, unless they tell of runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.data.runs import check_restarts, warn_stacked


def asked_for(
    x: Any, t: Any, u: Any, trajectory: str | None, names: Sequence[str] | None, input_names: Sequence[str] | None
) -> tuple[Any, Any]:
    """Return tables `x` and `u`, or lists of them, without the columns that `names` and `input_names` leave out.

    **Raises:** `DataError` where the column of times starts again with a column that was left out.
    """
    roles = [name for name in (trajectory, t) if isinstance(name, str)]
    if isinstance(x, pd.DataFrame) and names is not None and trajectory is None:
        used = {*map(str, names), *map(str, input_names or ()), *roles}
        if isinstance(t, str) and t in x.columns:
            check_restarts(x, t, used)
        elif np.ndim(t) == 0 and pd.api.types.is_integer_dtype(x.index.dtype):
            warn_stacked(x, used)
    both = None if names is None else [*names, *(input_names or () if u is None else ())]
    return _kept(x, both, roles), _kept(u, input_names, roles)


def _kept(table: Any, names: Sequence[str] | None, roles: Sequence[str]) -> Any:
    if isinstance(table, list | tuple) and table and all(isinstance(one, pd.DataFrame) for one in table):
        return [_kept(one, names, roles) for one in table]
    # Names that are not there are refused where columns are chosen.
    if names is None or not isinstance(table, pd.DataFrame) or not set(names) <= set(map(str, table.columns)):
        return table
    return table.loc[:, [str(name) in (*names, *roles) for name in table.columns]]

"""The intake of regressors: arrays and tables become columns and a target."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from sparsedyn.data import DataError
from sparsedyn.estimators._given import finite, labels


def columns_of(X: Any, names: Sequence[str] | None = None) -> tuple[Float[np.ndarray, "sample feature"], list[str]]:
    """Return the columns of an array or a table as numbers, and their names: x0, x1, ... where they have none.

    With `names` those are the columns that are wanted: a table's are picked by name.

    **Raises:** `DataError` for anything that is not (sample, feature), and for columns that are missing.
    """
    found = None
    if isinstance(X, pd.DataFrame):
        found = labels(X.columns, "X") or [f"x{number}" for number in X.columns]
        if names is not None:
            if missing := [name for name in names if name not in found]:
                raise DataError(
                    f"X: expected the columns {list(names)}; {missing} missing. Give all that fit was given."
                )
            # By place: names need not be texts, and a label of several levels would pick several columns.
            X, found = X.iloc[:, [found.index(name) for name in names]], list(names)
        if len(set(found)) != len(found):
            raise DataError(f"X: expected column names that differ; got {found}. Rename one.")
    # Where scikit-learn has words for a mistake, they are used: its tools look for them.
    columns = finite(X, "X").astype(np.float64)
    if columns.ndim != 2:
        raise DataError(f"X: expected (sample, feature); got {columns.shape}. Reshape your data: one is X[:, None].")
    if not columns.shape[1]:
        raise DataError(
            f"X: expected (sample, feature); got 0 feature(s) (shape={columns.shape}) while a minimum of 1 is required."
        )
    if names is not None and columns.shape[1] != len(names):
        raise DataError(
            f"X has {columns.shape[1]} features, but predict is expecting {len(names)} features as input: "
            f"{list(names)}."
        )
    return columns, found or list(names or [f"x{i}" for i in range(columns.shape[1])])


def target_of(y: Any, count: int) -> Float[np.ndarray, " sample"]:
    """Return a target as `count` numbers; `DataError` for anything else."""
    if y is None:
        raise DataError("y: this estimator requires y to be passed, but the target y is None.")
    target = finite(y, "y").astype(np.float64)
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    if target.shape != (count,):
        raise DataError(f"y: expected ({count},), a value for every row of X; got {target.shape}.")
    return target

"""Cross-validation of models of dynamics by free runs over trajectories that they were not fitted to."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.base import clone

from sparsedyn.data import DataError
from sparsedyn.estimators._inputs import trajectories_of
from sparsedyn.selection.judging import fitted, horizons_of, judged
from sparsedyn.selection.splitters import folds_of


def cross_validate(
    estimator: Any,
    data: Any,
    t: Any = None,
    u: Any = None,
    *,
    cv: Any = 5,
    horizons: Sequence[int] | None = None,
    reading: str = "absolute",
    trajectory: str | None = None,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Fit copies of `estimator` to the training part of every fold, and judge their free runs over its test part.

    `data`, `t`, `u`, `trajectory`, `names` and `input_names` are what `fit` takes. `cv` is a number of folds (a
    `TrajectoryKFold`), a `RollingOriginSplit`, a splitter of scikit-learn's, which chooses whole trajectories, or pairs
    of training and test positions. `horizons` are numbers of rows; by default 100, 1000 and the length of the shortest
    test trajectory, as far as it reaches.

    Returns a row per fold and horizon: `fold`, what `evaluate` says (`horizon`, `forecasts`, `diverged`, `rfmse` and
    their intervals), `error` (the mean RFMSE in which a forecast that diverged counts as the limit of divergence, 3),
    `nonzeros` (weights or terms that are not zero) and `fit_time` in seconds. Errors are counted in standard deviations
    of the fold's own training part. A test forecast begins at the first row of its trajectory or block.

    Raises `DataError` for data that cannot be used, naming the fold that could not be fitted.
    """
    folds = folds_of(cv, trajectories_of(data, t, u, trajectory=trajectory, names=names, input_names=input_names))
    rows = horizons_of(horizons, folds)
    tables = []
    for number, fold in enumerate(folds):
        (one,) = fitted([clone(estimator)], fold.train, progress=progress)
        if one.failure is not None:
            raise DataError(f"fold {number} of {len(folds)}: {one.failure}") from one.failure
        table = judged(one, fold.test, rows, reading)
        table.insert(0, "fold", number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)

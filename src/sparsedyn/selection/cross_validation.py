"""Cross-validation of models of dynamics by free runs over trajectories that they were not fitted to."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from sklearn.base import clone

from sparsedyn.data import DataError
from sparsedyn.estimators._inputs import trajectories_of
from sparsedyn.executors import Executor, Report
from sparsedyn.selection.computing import computed
from sparsedyn.selection.judging import fitted, horizons_of, judged
from sparsedyn.selection.splitters import Fold, folds_of


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
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Fit copies of `estimator` to the training part of every fold, and judge their free runs over its test part.

    `data`, `t`, `u`, `trajectory`, `names` and `input_names` are what `fit` takes. `cv` is a number of folds (a
    `TrajectoryKFold`), a `RollingOriginSplit`, a splitter of scikit-learn's, which chooses whole trajectories, or pairs
    of training and test positions. `horizons` are numbers of rows; by default 100, 1000 and the length of the shortest
    test trajectory, as far as it reaches. An `executor`, such as `sparsedyn.executors.Ray(address)`, makes the fits.

    Returns a row per fold and horizon: `fold`, what `evaluate` says (`horizon`, `forecasts`, `diverged`, `rfmse` and
    their intervals), `error` (the mean RFMSE in which a forecast that diverged counts as the limit of divergence, 3),
    `nonzeros` (weights or terms that are not zero) and `fit_time` in seconds. Errors are counted in standard deviations
    of the fold's own training part. A test forecast begins at the first row of its trajectory or block.

    Raises `DataError` for data that cannot be used, naming the fold that could not be fitted.
    """
    folds = folds_of(cv, trajectories_of(data, t, u, trajectory=trajectory, names=names, input_names=input_names))
    rows = horizons_of(horizons, folds)
    asked = _Asked(estimator, folds, rows, reading, progress)
    return pd.concat(computed(_judged, asked, range(len(folds)), executor, "cross-validation"), ignore_index=True)


class _Asked(NamedTuple):
    """What all folds share."""

    estimator: Any
    folds: Sequence[Fold]
    horizons: Sequence[int]
    reading: str
    progress: bool | None


def _judged(asked: _Asked, number: int, report: Report) -> pd.DataFrame:
    """Fit to the training part of a fold, and return the table of its test part."""
    fold = asked.folds[number]
    (one,) = fitted([clone(asked.estimator)], fold.train, progress=asked.progress)
    if one.failure is not None:
        raise DataError(f"fold {number} of {len(asked.folds)}: {one.failure}") from one.failure
    table = judged(one, fold.test, asked.horizons, asked.reading)
    table.insert(0, "fold", number)
    return table

"""Models fitted to the training part of a fold, and judged by free runs over its test part."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators import SparseTimeStepper, fit_together, group_together, progress_bar
from sparsedyn.estimators._forecaster import AbstractForecaster
from sparsedyn.forecast import DIVERGED_ABOVE, Forecast
from sparsedyn.selection.splitters import Fold

USUAL = (100, 1000)
"""Horizons that are judged by default, where test trajectories are long enough, beside that of the shortest."""


class Fitted(NamedTuple):
    """A fitted model and the seconds that it took, or why there is none."""

    model: Any
    seconds: float
    failure: Exception | None = None


def groups_in(estimators: Sequence[Any]) -> list[list[int]]:
    """Return the places of estimators in groups that are fitted together: time-steppers of one shape, others alone."""
    steppers = [i for i, estimator in enumerate(estimators) if _is_stepper(estimator)]
    groups = [[steppers[j] for j in group] for group in group_together([estimators[i] for i in steppers])]
    return groups + [[i] for i in range(len(estimators)) if i not in steppers]


def fitted(estimators: Sequence[Any], train: Trajectories, *, progress: bool | None = None) -> list[Fitted]:
    """Fit all estimators in place to the same data; time-steppers of one shape are members of one computation.

    The time of such a computation is divided evenly. An estimator that refuses its parameters or the data
    (`ValueError`, of which `DataError` is one, or `TypeError`) has a failure instead of a model.
    """
    found: dict[int, Fitted] = {}
    for group in groups_in(estimators):
        began = time.perf_counter()
        try:
            if _is_stepper(estimators[group[0]]):
                with progress_bar("training", progress) as on_progress:
                    fit_together([estimators[i] for i in group], train, on_progress=on_progress)
            else:
                estimators[group[0]].fit(train)
            failure: Exception | None = None
        except (ValueError, TypeError) as error:
            failure = error
        seconds = (time.perf_counter() - began) / len(group)
        found |= {i: Fitted(None if failure else estimators[i], seconds, failure) for i in group}
    return [found[i] for i in range(len(estimators))]


def _is_stepper(estimator: Any) -> bool:
    """Whether an estimator can be fitted together with others: a class of the user's own may have a fit of its own."""
    if type(estimator) is not SparseTimeStepper:
        return False
    try:
        estimator.check_parameters()
    except (ValueError, TypeError):
        return False
    return True


def judged(one: Fitted, test: Trajectories, horizons: Sequence[int], reading: str) -> pd.DataFrame:
    """Return the table that `evaluate` gives, with the columns `error`, `nonzeros` and `fit_time`.

    `error` is the mean over all forecasts of the RFMSE, in which those that diverged count as the limit of divergence:
    one number that is finite for every model. Horizons of models that are shown first rows count from the end of these,
    and end with the trajectories.
    """
    forecast = forecast_of(one.model, test.head(max(horizons)))
    if forecast.warmup:
        forecast = forecast_of(one.model, test)
    rows = [min(int(horizon), forecast.truth.shape[1] - forecast.warmup) for horizon in horizons]
    table = forecast.score(rows, reading=reading).assign(horizon=[int(horizon) for horizon in horizons])
    errors = []
    for horizon in rows:
        rfmse, diverged = forecast.scores(horizon, reading=reading)
        errors.append(float(np.where(diverged, DIVERGED_ABOVE, rfmse).mean()))
    return table.assign(error=errors, nonzeros=size_of(one.model), fit_time=one.seconds)


def forecast_of(model: Any, data: Trajectories) -> Forecast:
    """Return the free runs of a model; the parts of one data set are in the same units."""
    made: Forecast = (
        model.forecast(data, check_units=False) if isinstance(model, AbstractForecaster) else model.forecast(data)
    )
    return made


def size_of(model: Any) -> float:
    """Return how many weights or terms of a model are not zero, the mean over members; NaN where it does not say."""
    counts = np.atleast_1d(getattr(model, "nonzeros_", np.nan))
    # What forecasts is one member, where there is a best one.
    best = getattr(model, "best", None)
    return float(counts.mean() if best is None or len(counts) == 1 else counts[best])


def horizons_of(horizons: Sequence[int] | None, folds: Sequence[Fold]) -> list[int]:
    """Return the horizons to judge by, by default 100 and 1000 rows and the shortest test trajectory.

    Raises `DataError` where a test part has no trajectory as long.
    """
    longest = min(max(fold.test.lengths) for fold in folds)
    if horizons is None:
        shortest = min(min(fold.test.lengths) for fold in folds)
        return sorted({rows for rows in (*USUAL, shortest) if rows <= shortest})
    wanted = [int(horizon) for horizon in horizons]
    if not wanted or min(wanted) < 2 or max(wanted) > longest:
        raise DataError(
            f"horizons: expected numbers of rows from 2 to {longest}, which every test part has; got {wanted}. Ask for "
            "shorter horizons, fewer folds, or give longer trajectories."
        )
    return wanted

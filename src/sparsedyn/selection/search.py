"""Searches of parameters, judged by free runs over trajectories that candidates were not fitted to."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.data import DataError
from sparsedyn.data.errors import closest, listing
from sparsedyn.estimators._base import is_whole
from sparsedyn.estimators._inputs import trajectories_of
from sparsedyn.selection.judging import fitted, horizons_of, judged
from sparsedyn.selection.result import SearchResult
from sparsedyn.selection.splitters import Fold, folds_of
from sparsedyn.selection.strategies import STRATEGIES, Parameters, Space


def search(
    estimator: Any,
    space: Space,
    data: Any,
    t: Any = None,
    u: Any = None,
    *,
    strategy: str = "grid",
    candidates: int | None = None,
    cv: Any = 5,
    horizon: int | None = None,
    reading: str = "absolute",
    seed: int = 0,
    trajectory: str | None = None,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
    progress: bool | None = None,
) -> SearchResult:
    """Try parameters of `estimator` by cross-validation, and return what each of them came to.

    Parameters
    ----------
    space : values to try by parameter, `{"threshold": [0.01, 0.1]}`; for `"random"` and `"optuna"` distributions of
        `scipy.stats` as well, such as `loguniform(1e-4, 1e-1)`. Or a list of such tables.
    data, t, u, trajectory, names, input_names : what `fit` takes.
    strategy : `"grid"`, all combinations; `"random"`; or `"optuna"`, which needs the extra `search`.
    candidates : how many are tried at random or by Optuna; by default 20.
    cv : folds, as for `cross_validate`.
    horizon : rows over which free runs are compared; by default the length of the shortest test trajectory.
    reading : of the RFMSE; see `Forecast.score`.
    seed : of what is drawn; the estimator has a seed of its own.

    Time-steppers of one shape are trained as members of one computation, fold by fold. A candidate that refuses its
    parameters or the data is kept in the table with its message, and a `SparsedynWarning` says how many these are.
    Raises `DataError` for data that cannot be used, `ValueError` for parameters that are not the estimator's, and where
    no candidate could be fitted.
    """
    _check(estimator, space, strategy, candidates)
    known = trajectories_of(data, t, u, trajectory=trajectory, names=names, input_names=input_names)
    folds = folds_of(cv, known)
    rows = horizons_of(None if horizon is None else [horizon], folds)[-1]
    tried: list[Parameters] = []
    tables: list[pd.DataFrame] = []
    failures: list[str] = []
    proposals = STRATEGIES[strategy](space, candidates, seed)
    batch = next(proposals)
    while batch:
        # Files of models keep plain numbers.
        batch = [{k: v.item() if isinstance(v, np.generic) else v for k, v in one.items()} for one in batch]
        tables_of_batch, failed = _tried(estimator, batch, folds, rows, reading, progress)
        errors = [
            float("nan") if why else float(table["error"].mean())
            for table, why in zip(tables_of_batch, failed, strict=True)
        ]
        tables += [table.assign(candidate=len(tried) + i) for i, table in enumerate(tables_of_batch)]
        tried, failures = [*tried, *batch], [*failures, *failed]
        try:
            batch = proposals.send(errors)
        except StopIteration:
            break
    if all(failures):
        raise DataError(f"search: none of {len(tried)} candidates could be fitted. The first: {failures[0]}")
    if any(failures):
        first = next(failure for failure in failures if failure)
        warnings.warn(
            f"search: {sum(map(bool, failures))} of {len(tried)} candidates could not be fitted; the first: {first}",
            SparsedynWarning,
            stacklevel=2,
        )
    table = pd.concat([one for one in tables if len(one)], ignore_index=True)
    table.insert(0, "candidate", table.pop("candidate"))
    return SearchResult(estimator, known, tried, table, failures, rows)


def _tried(
    estimator: Any,
    batch: Sequence[Parameters],
    folds: Sequence[Fold],
    horizon: int,
    reading: str,
    progress: bool | None,
) -> tuple[list[pd.DataFrame], list[str]]:
    """Return a table over folds for every candidate, and why it could not be fitted, if so."""
    found: list[list[pd.DataFrame]] = [[] for _ in batch]
    failures = [""] * len(batch)
    for number, fold in enumerate(folds):
        left = [i for i, failure in enumerate(failures) if not failure]
        models = [clone(estimator).set_params(**batch[i]) for i in left]
        for i, one in zip(left, fitted(models, fold.train, progress=progress), strict=True):
            if one.failure is not None:
                failures[i] = f"fold {number}: {one.failure}"
            else:
                found[i].append(judged(one, fold.test, [horizon], reading).assign(fold=number))
    return [pd.concat(tables) if tables else pd.DataFrame() for tables in found], failures


def _check(estimator: Any, space: Space, strategy: str, candidates: int | None) -> None:
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy: expected one of {', '.join(STRATEGIES)}; got {strategy!r}.")
    if candidates is not None and not is_whole(candidates, 1):
        raise ValueError(f"candidates: expected None or an integer of at least 1; got {candidates!r}.")
    known = estimator.get_params()
    spaces = [space] if isinstance(space, Mapping) else list(space)
    if not spaces or not all(isinstance(one, Mapping) and one for one in spaces):
        raise ValueError('space: expected values by parameter, {"seed": [0, 1]}, say, or a list of such; got others.')
    for name in (name for one in spaces for name in one):
        if name not in known:
            raise ValueError(
                f"space: {type(estimator).__name__} has no parameter {name!r}.{closest(str(name), list(known))} It "
                f"has: {listing(known)}."
            )

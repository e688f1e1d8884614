"""Searches of parameters, judged by free runs over trajectories that candidates were not fitted to."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from sklearn.base import clone

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.data import DataError
from sparsedyn.data.errors import closest, listing
from sparsedyn.estimators._base import is_whole
from sparsedyn.estimators._inputs import trajectories_of
from sparsedyn.executors import Executor, Report
from sparsedyn.selection.computing import computed
from sparsedyn.selection.judging import fitted, groups_in, horizons_of, judged
from sparsedyn.selection.result import SearchResult
from sparsedyn.selection.splitters import Fold, folds_of
from sparsedyn.selection.strategies import STRATEGIES, Parameters, Space

_Fit: TypeAlias = tuple[int, list[int]]
"""The number of a fold, and the places of candidates that are fitted together."""


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
    executor: Executor | None = None,
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
    executor : makes the fits, by default this process; `sparsedyn.executors.Ray(address)`, the workers of a cluster.

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
        tables_of_batch, failed = _tried(_Asked(estimator, batch, folds, rows, reading, progress), executor)
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


class _Asked(NamedTuple):
    """What all fits of a batch of candidates share."""

    estimator: Any
    batch: Sequence[Parameters]
    folds: Sequence[Fold]
    horizon: int
    reading: str
    progress: bool | None


def _tried(asked: _Asked, executor: Executor | None) -> tuple[list[pd.DataFrame], list[str]]:
    """Return a table over folds for every candidate, and why it could not be fitted, if so."""
    groups = groups_in([clone(asked.estimator).set_params(**one) for one in asked.batch])
    fits = [(number, group) for number in range(len(asked.folds)) for group in groups]
    found: list[list[pd.DataFrame]] = [[] for _ in asked.batch]
    failures = [""] * len(asked.batch)
    for (number, group), tables in zip(fits, computed(_judged, asked, fits, executor, "search"), strict=True):
        for i, table in zip(group, tables, strict=True):
            if isinstance(table, str):
                failures[i] = failures[i] or f"fold {number}: {table}"
            elif not failures[i]:
                found[i].append(table)
    return [pd.concat(tables) if tables else pd.DataFrame() for tables in found], failures


def _judged(asked: _Asked, one: _Fit, report: Report) -> list[pd.DataFrame | str]:
    """Fit candidates of one group on a fold, and return the table of each, or why there is none."""
    number, group = one
    fold = asked.folds[number]
    models = [clone(asked.estimator).set_params(**asked.batch[i]) for i in group]
    return [
        judged(model, fold.test, [asked.horizon], asked.reading).assign(fold=number)
        if model.failure is None
        else str(model.failure)
        for model in fitted(models, fold.train, progress=asked.progress)
    ]


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

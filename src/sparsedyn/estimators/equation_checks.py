"""Checks of what a search for equations is given: one clear message before anything is trained."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES, DataError
from sparsedyn.estimators.equation_search import REGULARIZERS
from sparsedyn.forecast import METHODS
from sparsedyn.models import units_of

LEAST = 12
"""Fewer samples than this say nothing about a form."""


def check_search(estimator: Any) -> None:
    """Raise `ValueError` for the first parameter of an equation estimator that is out of range."""
    for name in ("trials", "networks", "generations", "steps", "hidden"):
        _expect(estimator, name, _whole(getattr(estimator, name), 1), "an integer of at least 1")
    _expect(estimator, "seed", _whole(estimator.seed, 0) and estimator.seed < 2**32, "an integer from 0 to 2**32 - 1")
    _expect(estimator, "regularizer", estimator.regularizer in REGULARIZERS, f"one of {', '.join(REGULARIZERS)}")
    share = estimator.share
    fine = isinstance(share, Real) and not isinstance(share, bool) and 0 < float(share) < 1
    _expect(estimator, "share", fine, "a share between 0 and 1 of the samples to hold out")
    units_of(estimator.primitives)
    for name, known in (("derivative", ("auto", *DERIVATIVES)), ("method", METHODS)):
        if hasattr(estimator, name):
            _expect(estimator, name, getattr(estimator, name) in known, f"one of {', '.join(known)}")


def columns_of(
    X: Any, *, names: Sequence[str] | None = None, check_spread: bool = True
) -> tuple[Float[np.ndarray, "sample feature"], list[str]]:
    """Return the columns of an array or a DataFrame as numbers, and their names: x0, x1, ... where they have none.

    With `names` those are the columns that are wanted: a DataFrame's are picked by name.
    """
    found = [f"x{i}" for i in range(np.shape(X)[1])] if np.ndim(X) == 2 else []
    if isinstance(X, pd.DataFrame):
        found = [str(column) for column in X.columns]
        if names is not None:
            missing = [name for name in names if name not in found]
            if missing:
                raise DataError(
                    f"X: expected the columns {list(names)}; {missing} missing. Give all that fit was given."
                )
            X, found = X[list(names)], list(names)
    columns = _numbers("X", X)
    if columns.ndim != 2 or not columns.shape[1]:
        raise DataError(f"X: expected (sample, feature); got {columns.shape}. Make one column X[:, None].")
    if len(set(found)) != len(found):
        raise DataError(f"X: expected column names that differ; got {found}. Rename one.")
    if names is not None and columns.shape[1] != len(names):
        raise DataError(f"X: expected {len(names)} columns, {list(names)}; got {columns.shape[1]}.")
    if check_spread:
        if len(columns) < LEAST:
            raise DataError(f"X: expected at least {LEAST} samples; got {len(columns)}. Give more data.")
        for name, column in zip(found, columns.T, strict=True):
            if np.ptp(column) <= 1e-12 * np.abs(column).max():
                raise DataError(
                    f"X: column {name!r} is constant ({column[0]:.6g}); nothing can be learned from it. Leave it out."
                )
    return columns, list(names) if names is not None else found


def target_of(y: Any, count: int) -> Float[np.ndarray, " sample"]:
    """Return the target as numbers."""
    target = _numbers("y", y)
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    if target.shape != (count,):
        raise DataError(f"y: expected ({count},), a value for every row of X; got {target.shape}.")
    if np.ptp(target) <= 1e-12 * np.abs(target).max():
        raise DataError(f"y: expected values that change; they are all {target[0]:.6g}. Its equation is that constant.")
    return target


def _numbers(what: str, values: Any) -> Float[np.ndarray, "..."]:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: expected numbers; got {type(values).__name__} ({error}).") from error
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{what}: expected finite numbers; got {array[where]} at {where}. Remove or fill such rows.")
    return array


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _expect(estimator: Any, name: str, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}; got {getattr(estimator, name)!r}.")

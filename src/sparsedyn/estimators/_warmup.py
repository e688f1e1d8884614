"""The first rows of a forecast, which a model is shown, and inputs without ends."""

from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.estimators._base import is_whole
from sparsedyn.forecast import pad


def warm_up(given: Any, usual: int, lengths: tuple[int, ...], *, least: int = 1) -> int:
    """Return how many first rows a model is shown: what was given, or `usual`.

    Raises `DataError` for fewer than `least`, or as many as the shortest trajectory has.
    """
    shortest = min(lengths)
    rows = usual if given is None else given
    if shortest <= least:
        raise DataError(
            f"data: expected more than {least} rows in every trajectory, of which the model is shown {least}; the "
            f"shortest has {shortest}. Give longer ones."
        )
    if not (is_whole(rows, least) and rows < shortest):
        raise DataError(
            f"warmup: expected a number of rows from {least} to {shortest - 1}, below that of the shortest trajectory; "
            f"got {rows!r}."
        )
    return int(rows)


def check_no_warm_up(given: Any) -> None:
    """Raise `DataError` for a warm-up of a model that starts from the first row."""
    if given is not None:
        raise DataError(
            f"warmup: expected none, since the model has no lags and starts from the first row; got {given!r}."
        )


def endless(data: Trajectories, scaling: Scaling) -> Float[np.ndarray, "trajectory time input"]:
    """Return inputs as one array: past the end of a short trajectory, where nothing is scored, means are harmless."""
    inputs = pad(data.inputs, np.nan)
    return np.where(np.isnan(inputs), np.asarray(scaling.u_mean), inputs)

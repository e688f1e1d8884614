"""Runs that stand below one another in a table: labels that come back, and unused columns that tell of runs."""

import shlex
import warnings
from collections.abc import Collection

import numpy as np
import pandas as pd
from jaxtyping import Int

from sparsedyn._warnings import SparsedynWarning

from .errors import DataError
from .rising import RUN, restarts

SHOWN = 5
"""Rows that a message names."""


def check_labels(labels: pd.Series, times: pd.Series | None) -> None:
    """Raise `DataError` where a label comes back after another, and no times tell that the run goes on.

    Rows that alternate between runs, or whose times go on, are runs side by side, which is fine.
    """
    codes = pd.factorize(labels)[0]
    starts = np.flatnonzero(np.diff(codes, prepend=-2))
    again = np.flatnonzero(pd.Series(codes[starts]).duplicated())
    if not len(again) or len(codes) < 2 * len(starts):
        return
    if times is not None:
        if not pd.api.types.is_numeric_dtype(times):
            return
        seconds = times.to_numpy(dtype=np.float64, na_value=np.nan)
        again = np.array([i for i in again.tolist() if _falls(seconds, codes, int(starts[i]))], dtype=int)
        if not len(again):
            return
    row = int(starts[again[0]])
    before = int(np.flatnonzero(codes[:row] == codes[row])[-1])
    raise DataError(
        f"column {str(labels.name)!r}: the label {str(labels.iloc[row])!r} ends in row {before} and comes back in "
        f"rows {_listed(starts[again])}; one label is one trajectory. Give every run a label of its own."
    )


def warn_stacked(frame: pd.DataFrame, used: Collection[str], *, stacklevel: int = 5) -> None:
    """Warn of a column that is not used but starts again, or changes its label: runs may be taken for one."""
    for place, name in enumerate(map(str, frame.columns)):
        if name in used:
            continue
        column = frame.iloc[:, place]
        rows, what, fix = restarts(column), "starts again", "name a column of labels with trajectory= (--trajectory)"
        if rows is None or not len(rows):
            rows, what, fix = _changes(column), "changes", f"give {_as_labels(name)}"
        if len(rows):
            warnings.warn(
                f"Column {name!r}, which is not used, {what} at rows {_listed(rows)}, and all rows are taken for one "
                f"trajectory. If these are several, {fix}.",
                SparsedynWarning,
                stacklevel=stacklevel,
            )
            return


def check_restarts(frame: pd.DataFrame, time: str, used: Collection[str]) -> None:
    """Raise `DataError` where a column of times starts again exactly where a column that is not used changes."""
    column = frame[time]
    if not isinstance(column, pd.Series) or not pd.api.types.is_numeric_dtype(column):
        return
    back = np.diff(column.to_numpy(dtype=np.float64, na_value=np.nan)) < 0
    for place, name in enumerate(map(str, frame.columns)):
        if back.any() and name not in used and np.array_equal(_codes(frame.iloc[:, place], back), back):
            raise DataError(
                f"column {time!r} starts again at rows {_listed(np.flatnonzero(back) + 1)}, where column {name!r} "
                f"changes: these are several trajectories. Give {_as_labels(name)}."
            )


def _as_labels(name: str) -> str:
    return f"trajectory={name!r} (--trajectory {shlex.quote(name)})"


def _codes(column: pd.Series, otherwise: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(np.diff(pd.factorize(column)[0]) != 0)
    except TypeError:
        return ~otherwise


def _falls(seconds: np.ndarray, codes: np.ndarray, row: int) -> bool:
    before = np.flatnonzero(codes[:row] == codes[row])[-1]
    return bool(seconds[row] <= seconds[before])


def _changes(column: pd.Series) -> Int[np.ndarray, " _change"]:
    """Return the rows at which a column of labels has the next: texts or numbers that count, each in one block."""
    none = np.empty(0, dtype=int)
    text = pd.api.types.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)
    if column.isna().any() or not (text or pd.api.types.is_numeric_dtype(column)):
        return none
    try:
        codes, found = pd.factorize(column)
    except TypeError:
        return none
    rows = np.flatnonzero(np.diff(codes)) + 1
    counts = text or bool(np.all(np.diff(np.asarray(found, dtype=np.float64)) == 1))
    return rows if counts and len(rows) == len(found) - 1 and len(codes) >= RUN * len(found) else none


def _listed(rows: np.ndarray) -> str:
    shown = ", ".join(map(str, rows[:SHOWN].tolist()))
    return shown + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")

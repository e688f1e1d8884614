"""Tables with a row per tag and time, as historians export them, as tables with a column per tag."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from .errors import DataError, listing
from .names import check_known

MOST = 500
"""Tags that are made columns of, at most."""
INTERLEAVED = 0.5
"""Share of rows at which the tag changes, from which on those of one time stand beside each other."""


def pivoted(frame: pd.DataFrame, index: Sequence[str], pivot: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with a row per value of the columns `index` and a column per tag, and the first row of each.

    `pivot` is `"tag=value"`, the columns of tags and of their values. What is not measured at a time is missing.

    **Raises:** `DataError` for columns that are not there, and for two rows of one tag and time.
    """
    tag, _, value = pivot.partition("=")
    check_known((tag, value, *index), [str(name) for name in frame.columns])
    tags = frame[tag].astype(str).str.strip()
    names = list(dict.fromkeys(tags))
    if len(names) > MOST:
        raise DataError(f"pivot: expected at most {MOST} tags in column {tag!r}; got {len(names)}. Choose another one.")
    rows = pd.factorize(pd.MultiIndex.from_frame(frame[list(index)]) if len(index) > 1 else frame[index[0]])[0]
    twice = pd.DataFrame({"row": rows, "tag": tags}).duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise DataError(
            f"row {row}: the tag {tags.iloc[row]!r} comes again at its time (the first of {int(twice.sum())}); every "
            "tag has one value at a time. Remove the others, or name the column that tells trajectories apart."
        )
    first = np.unique(rows, return_index=True)[1]
    made = frame[list(index)].iloc[first].reset_index(drop=True)
    if taken := [name for name in names if name in made.columns]:
        raise DataError(f"pivot: expected tags of other names than the columns {listing(index)}; got {listing(taken)}.")
    columns = {}
    for name in names:
        here = (tags == name).to_numpy()
        column = np.full(len(first), np.nan, dtype=object)
        column[rows[here]] = frame[value].to_numpy(object)[here]
        columns[name] = _plain(pd.Series(column))
    return pd.concat([made, pd.DataFrame(columns)], axis=1), first


def _plain(column: pd.Series) -> pd.Series:
    """Numbers where there is nothing else."""
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column


def tag_and_value(frame: pd.DataFrame, clock: str, seconds: np.ndarray | None) -> str:
    """Return `"tag=value"` where a table has a row per tag and time, the tags of one time beside each other; else "".

    There is one column of numbers, and one of texts of which each comes at most once at a time and many times in all.
    """
    numbers = [str(name) for name in frame.columns if name != clock and pd.api.types.is_numeric_dtype(frame[name])]
    if seconds is None or len(numbers) != 1 or len(frame) < 6:
        return ""
    for name in map(str, frame.columns):
        if name in (clock, *numbers) or frame[name].isna().any():
            continue
        codes, found = pd.factorize(frame[name].astype(str))
        often = 1 < len(found) <= min(MOST, len(frame) // 3)
        changes = np.mean(np.diff(codes) != 0) >= INTERLEAVED
        if often and changes and not pd.DataFrame({"code": codes, "time": seconds}).duplicated().any():
            return f"{name}={numbers[0]}"
    return ""


def tags_among(frame: pd.DataFrame, wanted: Collection[str]) -> str:
    """Return `"tag=value"` where names that are no columns are texts of one, and another holds numbers; else ""."""
    numbers = [str(name) for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]
    for name in map(str, frame.columns):
        if wanted and numbers and name not in numbers and set(wanted) <= set(frame[name].astype(str).str.strip()):
            return f"{name}={numbers[-1]}"
    return ""

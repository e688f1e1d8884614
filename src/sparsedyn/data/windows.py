"""Rows cut out of trajectories: stretches that are trajectories of their own."""

from collections.abc import Iterable
from typing import NamedTuple

from .errors import DataError
from .trajectories import Trajectories


class Window(NamedTuple):
    """The rows from `start` up to, but without, `stop` of the trajectory at this position."""

    trajectory: int
    start: int
    stop: int


def windows(data: Trajectories, chosen: Iterable[Window]) -> Trajectories:
    """Return the chosen windows as trajectories, in this order; the times of rows stay.

    The whole of a trajectory keeps its label; rows 100 to 199 of trajectory "a" are called "a[100:200]".

    **Raises:** `DataError` for no window at all, one of fewer than 2 rows, or one that is not in the data.
    """
    picked = list(chosen)
    for window in picked:
        if not 0 <= window.trajectory < len(data):
            raise DataError(f"windows: expected trajectories from 0 to {len(data) - 1}; got {window.trajectory}.")
        rows = data.lengths[window.trajectory]
        if not 0 <= window.start <= window.stop - 2 < rows - 1:
            raise DataError(
                f"windows: expected at least 2 of the {rows} rows of trajectory {data.labels[window.trajectory]!r}; "
                f"got rows {window.start} to {window.stop - 1}."
            )
    if not picked:
        raise DataError("windows: expected at least one window; got none.")
    cut = {
        name: tuple(getattr(data, name)[i][start:stop] for i, start, stop in picked)
        for name in ("states", "inputs", "time")
    }
    return data._with(**cut, labels=tuple(_label(data, window) for window in picked))


def _label(data: Trajectories, window: Window) -> str:
    label = data.labels[window.trajectory]
    whole = (window.start, window.stop) == (0, data.lengths[window.trajectory])
    return label if whole else f"{label}[{window.start}:{window.stop}]"

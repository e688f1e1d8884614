"""Sensors at the end of their range: how often, and how, a column has exactly its least or greatest value."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEAST, SHARE = 5, 0.01
"""Rows, and share of all rows, that a value has to have to be taken for the end of a sensor's range."""
OFTEN = 5
"""How many times as often it has to occur as the next value inward."""
DISTINCT = 20
"""Values that a column has to have: of signals that switch between few levels, nothing can be told."""
MOVING = 0.3
"""Speed with which it has to be reached, in shares of the usual, half of the times: to rest, plants come slowly."""
STEPS = 2
"""How many steps of the sensor's resolution that has to be: rounded numbers come to rest by single ones."""


class Clipped(NamedTuple):
    """The ends of a column's range, infinite where it is not cut off, and in how many rows it is."""

    floor: float = -np.inf
    ceiling: float = np.inf
    below: int = 0
    above: int = 0


def clipping(runs: Sequence[Float[np.ndarray, " _row"]]) -> Clipped:
    """Return where a column is plainly cut off at its own least or greatest value, over all its records.

    It is where at least 5 rows and 1 % of all have exactly this value, five times as many as have the next value
    inward, and the column is in motion when it gets there: at least at 0.3 of its root mean square change from row to
    row, and at two steps of its resolution, in half of the cases. Columns of fewer than 20 values are left alone.
    """
    known = [run[np.isfinite(run)] for run in runs]
    everything = np.concatenate(known)
    values, counts = np.unique(everything, return_counts=True)
    if len(values) < DISTINCT:
        return Clipped()
    steps = np.concatenate([np.diff(run) for run in known])
    least = in_motion(steps, values)

    def cut(end: int, inward: int) -> bool:
        many = counts[end] >= max(LEAST, SHARE * len(everything), OFTEN * counts[inward])
        if not many:
            return False
        speeds = np.concatenate([_arriving(run, values[end]) for run in known])
        return len(speeds) > 0 and bool(np.median(speeds) >= least)

    low, high = cut(0, 1), cut(-1, -2)
    return Clipped(
        float(values[0]) if low else -np.inf,
        float(values[-1]) if high else np.inf,
        int(counts[0]) if low else 0,
        int(counts[-1]) if high else 0,
    )


def in_motion(steps: Float[np.ndarray, " change"], values: Float[np.ndarray, " distinct"]) -> float:
    """Return the change from row to row by which a column is in motion, from all changes and its sorted values."""
    usual = float(np.sqrt(np.mean(np.square(steps[steps != 0]))))
    return max(MOVING * usual, STEPS * float(np.diff(values).min()))


def _arriving(run: Float[np.ndarray, " row"], end: float) -> Float[np.ndarray, " arrival"]:
    """How far a column moves from row to row where it comes to a value to stay for a row or more, at most."""
    there = run == end
    rows = np.flatnonzero(there[2:] & there[1:-1] & ~there[:-2]) + 1
    changes = np.abs(np.diff(run))
    return np.maximum(changes[rows - 1], changes[np.maximum(rows - 2, 0)])

"""Sensors that were stuck within their range, and rows that stand out of their neighbours."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .clipping import in_motion

STUCK = 20
"""Rows of one value, among values that change at most rows, that make a sensor look stuck."""
BEFORE = 3
"""Rows before, in one of which a stuck column was in motion: to rest, plants come slowly."""
JUMP = 1.5
"""Or it leaves by so many times the largest of all other changes."""
SPIKE = 10.0
"""Deviations by which a spike stands out of the rows beside it."""
ALIKE = 0.2
"""How far apart the rows beside it may be, as a share of what it stands out by: from pulses, plants come slowly."""
RARE = 0.01
"""Share of all rows, or one row, that may be spikes: what happens more often belongs to the plant."""

PERIODS = (*(2.0**bits for bits in (8, 10, 12, 14, 15, 16, 24, 32)), 1e4, 1e5, 1e6, 360.0, 2 * np.pi)
"""Of counters and angles; 100 would be a share in percent."""
CODED = 10
"""Values that a column has at least where one may stand for missing ones: of few, one may be that of rest."""
ROUND_ROWS, ROUND_SHARE = 10, 0.2
"""Rows that are needed to see that a column goes round, and the share of them at which it may jump."""

Runs = Sequence[Float[np.ndarray, " _row"]]


class Stuck(NamedTuple):
    """Rows of a record, `first` to `last`, that have one value."""

    run: int
    first: int
    last: int
    value: float


class Outlier(NamedTuple):
    """A row of a record, and how far it is from the rows beside it, in standard deviations of all others."""

    run: int
    row: int
    value: float
    far: float


class Round(NamedTuple):
    """A column that goes round, as counters that overflow and angles do: its period, how often, and where first."""

    period: float
    times: int
    run: int
    row: int


class Code(NamedTuple):
    """A value that stands for a missing one, and in how many rows."""

    value: float
    times: int


def code_of(runs: Runs) -> Code | None:
    """Return the value, of several rows, that is three times the range of all others away from them; None without."""
    known = np.concatenate(list(runs)) if runs else np.empty(0)
    values, counts = np.unique(known, return_counts=True)
    if len(values) < CODED:
        return None
    for value, count, rest in ((values[0], counts[0], values[1:]), (values[-1], counts[-1], values[:-1])):
        far = float(np.abs(rest - value).min()) > 3 * float(np.ptp(rest))
        if far and 1 < count < len(known) / 2:
            return Code(float(value), int(count))
    return None


def rolled_over(runs: Runs) -> Round | None:
    """Return the period of a column that goes round; None for others.

    It jumps by more than half its range, always by nearly a period that counters or angles have, and by no more than
    between other rows where that period is added.
    """
    known = np.concatenate(list(runs)) if runs else np.empty(0)
    if len(known) < ROUND_ROWS:
        return None
    low, high = float(known.min()), float(known.max())
    steps = np.concatenate([np.diff(run) for run in runs])
    places = [(i, row + 1) for i, run in enumerate(runs) for row in range(len(run) - 1)]
    big = np.abs(steps) > (high - low) / 2
    if not big.any() or big.mean() > ROUND_SHARE:
        return None
    usual = float(np.abs(steps[~big]).max(initial=0.0))
    for period in PERIODS:
        within = (low >= 0 and high <= period) or (low >= -period / 2 and high <= period / 2)
        near = period - 2 * usual <= high - low <= period
        if within and near and 0 < usual < period / 4 and np.all(np.abs(np.abs(steps[big]) - period) <= JUMP * usual):
            first = int(np.flatnonzero(big)[0])
            return Round(period, int(big.sum()), *places[first])
    return None


def stuck(runs: Runs) -> list[Stuck]:
    """Return where a column has one value for at least 20 rows, though it was moving before and moves in most rows."""
    changes = [np.abs(np.diff(run)) for run in runs]
    moving = np.concatenate([one[one > 0] for one in changes]) if changes else np.zeros(0)
    if not len(moving):
        return []
    least = in_motion(moving, np.unique(np.concatenate(list(runs))))
    # A column that changes once is a step, with nothing to compare it with.
    second = float(np.partition(moving, -2)[-2]) if len(moving) > 1 else np.inf
    found: list[Stuck] = []
    for i, (run, change) in enumerate(zip(runs, changes, strict=True)):
        if len(run) < STUCK:
            continue
        ends = np.concatenate([np.flatnonzero(change > 0), [len(run) - 1]])
        begins = np.concatenate([[0], ends[:-1] + 1])
        for first, last in zip(begins, ends, strict=True):
            if last - first + 1 < STUCK:
                continue
            arriving = change[max(0, first - BEFORE) : first].max(initial=0.0) >= least
            leaving = last + 1 < len(run) and change[last] >= JUMP * second
            if arriving or leaving:
                found.append(Stuck(i, int(first), int(last), float(run[first])))
    held = sum(one.last - one.first for one in found)
    rows = sum(map(len, changes))
    return found if len(moving) > (rows - held) / 2 else []


def outliers(runs: Runs, *, again: bool = False) -> list[Outlier]:
    """Return single rows far beyond all others and the rows beside them; with `again`, of values that recur, too.

    An input's short pulses recur; so do the codes that stand for missing values.
    """
    parts = [(i, run) for i, run in enumerate(runs) if len(run) >= 5]
    if not parts:
        return []
    known = np.concatenate([run for _, run in parts])
    inner = np.concatenate([run[1:-1] for _, run in parts])
    sides = np.concatenate([np.stack([run[:-2], run[2:]], axis=1) for _, run in parts])
    away = np.abs(inner - np.clip(inner, sides.min(axis=1), sides.max(axis=1)))
    low, high = np.percentile(known, [25, 75])
    beyond = (inner < low - 3 * (high - low)) | (inner > high + 3 * (high - low))
    near = np.abs(np.diff(sides, axis=1))[:, 0] <= ALIKE * away
    there = beyond & near & (away > SPIKE * np.percentile(away, 75)) & (again | (away > known.std()))
    rows = np.concatenate(
        [np.stack([np.full(len(run) - 2, i), np.arange(1, len(run) - 1)], axis=1) for i, run in parts]
    )
    places = np.flatnonzero(there)
    if len(places) > max(1, RARE * len(known)):
        return []
    spread = float(np.delete(inner, places).std()) or 1.0
    far = away[places] / spread
    return [
        Outlier(int(rows[k, 0]), int(rows[k, 1]), float(inner[k]), float(size))
        for k, size in zip(places, far, strict=True)
        if again or (known == inner[k]).sum() == 1
    ]

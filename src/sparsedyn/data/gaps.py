"""Records with missing rows and cells, or with several rows of one time, as trajectories without."""

import itertools
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsedyn._warnings import SparsedynWarning

from .clock import Stamps
from .errors import DataError

SHORTEST = 2
"""Rows that a piece needs."""


class Records(NamedTuple):
    """States, inputs and times of trajectories, with their labels."""

    states: list[np.ndarray]
    inputs: list[np.ndarray]
    times: list[Stamps]
    labels: tuple[str, ...]


def merged(records: Records, rule: str) -> Records:
    """Return one row for rows of one time that follow each other: the first, the last, or their mean."""
    states, inputs, times = [], [], []
    for x, u, stamps in zip(records.states, records.inputs, records.times, strict=True):
        begins = np.flatnonzero(np.concatenate([[True], np.diff(stamps.seconds) != 0]))
        counts = np.diff([*begins, len(x)])
        if rule == "mean":
            x, u = (np.add.reduceat(v, begins, axis=0) / counts[:, None] if v.size else v[begins] for v in (x, u))
        else:
            kept = begins if rule == "first" else begins + counts - 1
            x, u = x[kept], u[kept]
        if len(x) < SHORTEST:
            raise DataError("all rows of a trajectory have one time; at least 2 rows of different times are needed.")
        states.append(x)
        inputs.append(u)
        times.append(stamps.rows(begins))
    lost = sum(map(len, records.states)) - sum(map(len, states))
    if lost:
        _say(f"{lost} rows of a time that another row has were merged with it ({rule}).")
    return Records(states, inputs, times, records.labels)


def in_order(records: Records) -> Records:
    """Return trajectories whose rows are in the order of their times, and say how many were not."""
    orders = [np.argsort(stamps.seconds, kind="stable") for stamps in records.times]
    moved = sum(int((np.diff(stamps.seconds) < 0).sum()) for stamps in records.times)
    if moved:
        _say(f"Rows were sorted by time, which went back at {moved} of them.")
    states, inputs = ([v[order] for v, order in zip(part, orders, strict=True)] for part in records[:2])
    times = [stamps.rows(order) for stamps, order in zip(records.times, orders, strict=True)]
    return Records(states, inputs, times, records.labels)


def restarted(records: Records) -> Records:
    """Return trajectories that begin anew wherever times go back, labelled with a number, and say so."""
    found: list[tuple[np.ndarray, np.ndarray, Stamps, str]] = []
    for x, u, stamps, label in zip(*records, strict=True):
        edges = [0, *(1 + np.flatnonzero(np.diff(stamps.seconds) < 0)), len(x)]
        pieces = [slice(first, end) for first, end in itertools.pairwise(edges)]
        for number, rows in enumerate(pieces):
            name = label if len(pieces) == 1 else f"{label}.{number + 1}"
            found.append((x[rows], u[rows], stamps.rows(rows), name))
    kept = [one for one in found if len(one[0]) >= SHORTEST]
    if not kept:
        raise DataError("times go back from every row to the next; at least 2 rows of rising times are needed.")
    if len(found) > len(records.states):
        lost = len(found) - len(kept)
        single = f"; lost are {lost} single rows" if lost else ""
        before = len(records.states)
        _say(f"Times go back: {before} {_noun(before)} became {len(kept)}{single}.")
    states, inputs, times, labels = zip(*kept, strict=True)
    return Records(list(states), list(inputs), list(times), _distinct(labels))


def cut(records: Records) -> Records:
    """Return the pieces between gaps in time and rows with missing cells, labelled with a number, and say what is lost.

    **Raises:** `DataError` when no piece of two rows is left.
    """
    states, inputs, times, labels = [], [], [], []
    incomplete = short = 0
    for x, u, stamps, label in zip(*records, strict=True):
        whole = np.isfinite(x).all(axis=1) & np.isfinite(u).all(axis=1) & np.isfinite(stamps.seconds)
        incomplete += int((~whole).sum())
        pieces = [piece for piece in _pieces(stamps, whole) if len(piece) >= SHORTEST]
        short += int(whole.sum()) - sum(len(piece) for piece in pieces)
        for number, piece in enumerate(pieces):
            states.append(x[piece])
            inputs.append(u[piece])
            times.append(stamps.rows(piece))
            labels.append(label if len(pieces) == 1 else f"{label}.{number + 1}")
    rows = sum(map(len, records.states))
    if not states:
        raise DataError(f"of {rows} rows none are left between gaps: no two rows that follow each other are complete.")
    if incomplete or short or len(states) != len(records.states):
        before, after = len(records.states), len(states)
        _say(
            f"Cut at gaps: {before} {_noun(before)} of {rows} rows became {after} of {rows - incomplete - short}; lost "
            f"are {incomplete} rows with missing cells and {short} single rows between gaps."
        )
    return Records(states, inputs, times, _distinct(labels))


def _pieces(stamps: Stamps, whole: np.ndarray) -> list[np.ndarray]:
    rows = np.flatnonzero(whole)
    if not len(rows):
        return []
    known = np.isfinite(stamps.seconds)
    gaps = np.flatnonzero(known)[stamps.rows(known).gaps()]
    # A piece ends where rows were taken out, and before a gap.
    breaks = (np.diff(rows) > 1) | np.isin(rows[:-1], gaps)
    return np.split(rows, np.flatnonzero(breaks) + 1)


def _distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels of which none is there twice: a piece may have come by the name of another trajectory."""
    found: list[str] = []
    for label in labels:
        name = label
        while name in found:
            name += "'"
        found.append(name)
    return tuple(found)


def _noun(count: int) -> str:
    return "trajectory" if count == 1 else "trajectories"


def _say(text: str) -> None:
    warnings.warn(text, SparsedynWarning, stacklevel=5)

"""Free runs from rows spread over records, beside the rows that follow: what a fit is judged by at its end."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Trajectories
from sparsedyn.estimators import _report as checks

NEAR, TURNS, FAR = 30, 3, 100
"""Rows over which free runs have to explain the states at most, or so many times the rows in which one moves by its
spread, as maps and coarse rows of chaotic plants are not foreseen for longer; rows within which they must not leave."""
RUNS = 20
WIDE = 1.0
"""Ranges of the data beyond its ends that count as its region."""


class Stretches(NamedTuple):
    """Rows of records, the first of which free runs start from; short ones are padded with rows not `there`."""

    states: Float[np.ndarray, "run row state"]
    inputs: Float[np.ndarray, "run row input"]
    there: Bool[np.ndarray, "run row"]


def stretches(data: Trajectories, rows: int = FAR, runs: int = RUNS) -> Stretches:
    """Return `runs` stretches of `rows` steps, spread over the data; where there are fewer, the others are not there.

    The shape depends on nothing else, so that free runs of a model are compiled once.
    """
    begins = [(i, k) for i, length in enumerate(data.lengths) for k in range(0, max(1, length - 1), rows)]
    places = np.unique(np.linspace(0, len(begins) - 1, runs).astype(int))
    chosen = [begins[place] for place in np.resize(places, runs)]
    counted = [np.arange(k, k + rows + 1) for _, k in chosen]
    kept = [np.minimum(one, data.lengths[i] - 1) for (i, _), one in zip(chosen, counted, strict=True)]
    states, inputs = (
        np.stack([arrays[i][one] for (i, _), one in zip(chosen, kept, strict=True)])
        for arrays in (data.states, data.inputs)
    )
    there = np.stack([a == b for a, b in zip(counted, kept, strict=True)])
    there[len(places) :] = False
    return Stretches(states, inputs, there)


def judged(
    names: Sequence[str],
    found: Float[np.ndarray, "member run row state"],
    measured: Float[np.ndarray, "run row state"],
    there: Bool[np.ndarray, "run row state"],
    source: str,
) -> list[Finding]:
    """Return what is to be said of free runs from `source`, by the measured rows after the first.

    Explained is the share of variance over the first rows, of the middle member; a run leaves that goes far beyond all
    measured values.
    """
    low, high = np.where(there, measured, np.inf), np.where(there, measured, -np.inf)
    least, most = low.min(axis=(0, 1)), high.max(axis=(0, 1))
    reach = WIDE * (most - least)
    inside = (found >= least - reach) & (found <= most + reach)
    leaving = (~inside & there).any(axis=(2, 3))[:, there.any(axis=(1, 2))]
    rows = _near(measured, there)
    near, shown = there[:, :rows], measured[:, :rows]
    with np.errstate(all="ignore"):
        wrong = np.where(near, np.square(found[:, :, :rows] - shown), 0.0).sum(axis=(1, 2))
        middle = np.where(near, shown, 0.0).sum(axis=(0, 1)) / near.sum(axis=(0, 1))
        whole = np.where(near, np.square(shown - middle), 0.0).sum(axis=(0, 1))
    explained = np.where(np.isfinite(wrong), 1 - wrong / np.where(whole > 0, whole, np.inf), 0.0)
    said = [
        checks.poor(names, np.maximum(np.median(explained, axis=0), 0.0), rows, source),
        checks.diverging(leaving.ravel(), FAR, source),
    ]
    return [finding for finding in said if finding is not None]


def _near(measured: Float[np.ndarray, "run row state"], there: Bool[np.ndarray, "run row state"]) -> int:
    """Over how many rows states are to be explained: a few times the rows in which the quickest moves by its spread."""
    middle = np.where(there, measured, 0.0).sum(axis=(0, 1)) / there.sum(axis=(0, 1))
    spread = np.where(there, np.square(measured - middle), 0.0).sum(axis=(0, 1)) / there.sum(axis=(0, 1))
    for lag in range(1, min(NEAR // TURNS, measured.shape[1])):
        both = there[:, lag:] & there[:, :-lag]
        moved = np.where(both, np.square(measured[:, lag:] - measured[:, :-lag]), 0.0).sum(axis=(0, 1))
        if np.any(moved > spread * both.sum(axis=(0, 1))):
            return TURNS * lag
    return NEAR

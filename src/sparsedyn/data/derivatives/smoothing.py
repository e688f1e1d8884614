"""Smoothing of sampled states by as much as cross-validation calls for, and the noise that it takes away."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import solveh_banded

ORDER = 3
"""Differences of this order are penalized: what is left untouched are parabolas."""
FEWEST = 2 * ORDER
STRENGTHS = np.logspace(-3, 9, 25)


class Smoothed(NamedTuple):
    """Smoothed states, and the standard deviation of the noise of every state."""

    states: Float[np.ndarray, "time state"]
    noise: Float[np.ndarray, " state"]


def smoothed(states: Float[np.ndarray, "time state"]) -> Smoothed:
    """Return the states that are near the given ones and have small third differences.

    The strength of the penalty is chosen for every state by itself. Fewer than 6 rows are returned as they are.
    Source: Whittaker 1923; Craven & Wahba 1979.
    """
    rows, columns = states.shape
    if rows < FEWEST:
        return Smoothed(states.copy(), np.zeros(columns))
    # Scaled, or the squares of tiny and huge values would not be numbers.
    middle, spread = states.mean(axis=0), states.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (states - middle) / spread
    penalty = _penalty(rows)
    waves = (2 - 2 * np.cos(np.pi * np.arange(rows) / rows)) ** ORDER
    best = np.full(columns, np.inf)
    values, noise = scaled.copy(), np.zeros(columns)
    for strength in STRENGTHS:
        band = strength * penalty
        band[-1] += 1.0
        found = solveh_banded(band, scaled, check_finite=False)
        # Degrees of freedom by the waves on a circle, whose penalties are known.
        left = rows - np.sum(1 / (1 + strength * waves))
        if left < 0.02 * rows:
            continue
        squares = np.sum(np.square(found - scaled), axis=0)
        score = rows * squares / left**2
        better = score < best
        best = np.where(better, score, best)
        values = np.where(better, found, values)
        noise = np.where(better, np.sqrt(squares / left), noise)
    return Smoothed(values * spread + middle, noise * spread)


def _penalty(rows: int) -> Float[np.ndarray, "band time"]:
    """The upper band of the matrix of squared third differences."""
    weights = np.array([-1.0, 3.0, -3.0, 1.0])
    band = np.zeros((ORDER + 1, rows))
    for a in range(ORDER + 1):
        for b in range(a, ORDER + 1):
            band[ORDER + a - b, b : rows - ORDER + b] += weights[a] * weights[b]
    return band

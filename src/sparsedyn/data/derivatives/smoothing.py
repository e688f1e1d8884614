"""Smoothing of sampled states by as much as cross-validation calls for, and the noise that it takes away."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import solveh_banded

from .noise import NOISY

ORDER = 3
"""Differences of this order are penalized: what is left untouched are parabolas."""
FEWEST = 2 * ORDER
STRENGTHS = np.logspace(-3, 9, 25)
RATIOS = (1.0, 4.0, 16.0)
"""Noise in proportion to a state, over noise that is constant, where the state has its root mean square."""


class Smoothed(NamedTuple):
    """Smoothed states, and the standard deviation of the noise of every value."""

    states: Float[np.ndarray, "time state"]
    spread: Float[np.ndarray, "time state"]

    @property
    def noise(self) -> Float[np.ndarray, " state"]:
        """The standard deviation of the noise of every state."""
        found: np.ndarray = np.sqrt(np.mean(np.square(self.spread), axis=0))
        return found


def smoothed(states: Float[np.ndarray, "time state"]) -> Smoothed:
    """Return the states that are near the given ones and have small third differences.

    The strength of the penalty is chosen for every state by itself, and whether its noise is constant or grows with
    its size. Fewer than 6 rows are returned as they are. Source: Whittaker 1923; Craven & Wahba 1979.
    """
    if len(states) < FEWEST:
        return Smoothed(states.copy(), np.zeros(states.shape))
    # Scaled, or the squares of tiny and huge values would not be numbers.
    middle, size = states.mean(axis=0), states.std(axis=0)
    size = np.where(size > 0, size, 1.0)
    scaled = (states - middle) / size
    values, noise = _smoothed(scaled)
    spread = np.broadcast_to(noise, scaled.shape).copy()
    for j in np.flatnonzero(noise > NOISY):
        residuals = scaled[:, j] - values[:, j]
        shape = _relative(values[:, j] + middle[j] / size[j], residuals)
        # The smoothing stays: one that tolerates more where a state is large wipes out its peaks.
        spread[:, j] *= shape * np.sqrt(np.mean(np.square(residuals / shape)) / np.mean(np.square(residuals)))
    return Smoothed(values * size + middle, spread * size)


def _smoothed(
    scaled: Float[np.ndarray, "time state"],
) -> tuple[Float[np.ndarray, "time state"], Float[np.ndarray, " state"]]:
    """Return smoothed columns and their noise."""
    rows, columns = scaled.shape
    penalty = _penalty(rows)
    waves = (2 - 2 * np.cos(np.pi * np.arange(rows) / rows)) ** ORDER
    best = np.full(columns, np.inf)
    values, noise = scaled.copy(), np.zeros(columns)
    for strength in STRENGTHS:
        # Degrees of freedom by the waves on a circle, whose penalties are known.
        left = rows - np.sum(1 / (1 + strength * waves))
        if left < 0.02 * rows:
            continue
        band = strength * penalty
        band[-1] += 1.0
        found = solveh_banded(band, scaled, check_finite=False)
        squares = np.sum(np.square(found - scaled), axis=0)
        score = rows * squares / left**2
        better = score < best
        best = np.where(better, score, best)
        values = np.where(better, found, values)
        noise = np.where(better, np.sqrt(squares / left), noise)
    return values, noise


def _relative(values: Float[np.ndarray, " time"], residuals: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Return the relative size of the noise of every value, of geometric mean one; ones where it seems constant.

    By the likelihood of residuals: it may grow with the size of the values, more or less in proportion.
    """
    rms, rows = np.sqrt(np.mean(np.square(values))), len(values)
    shapes = [np.sqrt(1 + np.square(ratio * values / rms)) for ratio in RATIOS if rms > 0]
    shapes = [np.ones(rows), *(shape / np.exp(np.mean(np.log(shape))) for shape in shapes)]
    costs = [
        rows * np.log(np.mean(np.square(residuals / shape))) + np.log(rows) * (k > 0) for k, shape in enumerate(shapes)
    ]
    return shapes[int(np.argmin(costs))]


def _penalty(rows: int) -> Float[np.ndarray, "band time"]:
    """The upper band of the matrix of squared third differences."""
    weights = np.array([-1.0, 3.0, -3.0, 1.0])
    band = np.zeros((ORDER + 1, rows))
    for a in range(ORDER + 1):
        for b in range(a, ORDER + 1):
            band[ORDER + a - b, b : rows - ORDER + b] += weights[a] * weights[b]
    return band

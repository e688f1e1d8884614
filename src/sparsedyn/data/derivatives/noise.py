"""How noisy sampled states are, estimated by their differences."""

from collections.abc import Sequence
from math import comb

import numpy as np

NOISY = 5e-4
"""Noise, as a share of a variable's standard deviation, from which on derivatives need smoothing."""


def white_noise(series: Sequence[np.ndarray] | np.ndarray, order: int) -> np.ndarray:
    """Return the standard deviation of white noise in every column of series (time, column), from differences.

    Those of a high `order` are small where series are smooth, and have `comb(2 order, order)` times the variance of the
    noise. Series of no more rows than that are left out; without any longer one there is no noise, a zero.
    """
    differences = [np.diff(values, order, axis=0) for values in series]
    together = np.concatenate(differences)
    if not len(together):
        return np.zeros(together.shape[1])
    noise: np.ndarray = np.sqrt(np.mean(np.square(together), axis=0) / comb(2 * order, order))
    return noise


def is_noisy(series: Sequence[np.ndarray] | np.ndarray, order: int) -> bool:
    """Return whether the noise of any column, by differences of this order, matters for its derivative."""
    return bool(np.any(white_noise(series, order) > NOISY * np.concatenate(series).std(axis=0)))

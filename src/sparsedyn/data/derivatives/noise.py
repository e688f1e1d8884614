"""How noisy sampled states are, estimated by their differences."""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

NOISY = 5e-4
"""Noise, as a share of a variable's standard deviation, from which on derivatives need smoothing."""


def white_noise(
    series: Sequence[np.ndarray] | np.ndarray, order: int, times: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Return the standard deviation of white noise in every column of series (time, column), from differences.

    Those of a high `order` are small where series are smooth; they are scaled so that they have the variance of the
    noise. At irregular `times` they are divided differences. Series of no more rows than the order are left out;
    without any longer one there is no noise, a zero.
    """
    if times is None:
        differences = [np.diff(values, order, axis=0) / np.sqrt(comb(2 * order, order)) for values in series]
    else:
        differences = [_divided(values, order, time) for values, time in zip(series, times, strict=True)]
    together = np.concatenate(differences)
    if not len(together):
        return np.zeros(together.shape[1])
    noise: np.ndarray = np.sqrt(np.mean(np.square(together), axis=0))
    return noise


def _divided(values: np.ndarray, order: int, time: np.ndarray) -> np.ndarray:
    """Divided differences, scaled to pass white noise on with the variance that it has."""
    if len(values) <= order:
        return values[:0]
    places = sliding_window_view(time, order + 1)
    apart = places[:, :, None] - places[:, None, :]
    apart[:, range(order + 1), range(order + 1)] = 1.0
    # Relative to the widest, so that products neither vanish nor overflow.
    weights = 1 / np.prod(apart / np.ptp(places, axis=1)[:, None, None], axis=2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    found: np.ndarray = np.einsum("ij,icj->ic", weights, sliding_window_view(values, order + 1, axis=0))
    return found


def is_noisy(series: Sequence[np.ndarray] | np.ndarray, order: int, times: Sequence[np.ndarray] | None = None) -> bool:
    """Return whether the noise of any column, by differences of this order, matters for its derivative."""
    return bool(np.any(white_noise(series, order, times) > NOISY * np.concatenate(series).std(axis=0)))

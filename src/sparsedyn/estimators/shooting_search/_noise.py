"""How noise varies with the size of a state: constant, in proportion, or between; the data's differences tell."""

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data.derivatives import smoothed

ORDER = 4
"""Differences of this order are noise where rows are not too far apart, however large or small a state is."""
RATIOS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
"""Noise in proportion to a state, over noise that is constant, where the state has its root mean square."""
PROPORTIONAL = 16.0
"""Ratio from which on a state of one sign is smoothed by its logarithm."""


class Noise(NamedTuple):
    """Smoothed values of a state per trajectory; how their noise varies, of geometric mean one; and its scale."""

    smooth: list[Float[np.ndarray, " row"]]
    shapes: list[Float[np.ndarray, " row"]]
    scale: float


def noise_of(series: Sequence[Float[np.ndarray, " row"]], smooth: Sequence[Float[np.ndarray, " row"]]) -> Noise:
    """Return the noise of one state in several trajectories, by the likelihood of its differences.

    Where it is in proportion to a state of one sign, its logarithm has constant noise and is smoothed instead.
    """
    ratio, shapes = _likeliest(series, smooth)
    together = np.concatenate(list(series))
    if ratio >= PROPORTIONAL and (np.all(together > 0) or np.all(together < 0)):
        sign = np.sign(together[0])
        logarithms = [smoothed(np.log(np.abs(x))[:, None]).states[:, 0] for x in series]
        smooth = [sign * np.exp(one) for one in logarithms]
        ratio, shapes = _likeliest(series, smooth)
    typical = np.exp(np.mean(np.log(np.concatenate(shapes))))
    shapes = [one / typical for one in shapes]
    left = np.concatenate([(x - s) / w for x, s, w in zip(series, smooth, shapes, strict=True)])
    return Noise(list(smooth), shapes, float(np.sqrt(np.mean(np.square(left)))))


def _likeliest(
    series: Sequence[Float[np.ndarray, " row"]], smooth: Sequence[Float[np.ndarray, " row"]]
) -> tuple[float, list[Float[np.ndarray, " row"]]]:
    weights = np.asarray([comb(ORDER, k) ** 2 for k in range(ORDER + 1)]) / comb(2 * ORDER, ORDER)
    size = np.sqrt(np.mean(np.square(np.concatenate(list(smooth)))))
    larger = [np.maximum(np.abs(x), np.abs(s)) for x, s in zip(series, smooth, strict=True)]
    around = [_around(one) / size if size > 0 else np.zeros_like(one) for one in larger]
    long = [k for k, x in enumerate(series) if len(x) > ORDER]
    if not long:
        return 0.0, [np.ones_like(x) for x in series]
    differences = np.concatenate([np.diff(series[k], ORDER) for k in long])
    best, found = np.inf, 0.0
    for ratio in RATIOS:
        spreads = np.concatenate([np.convolve(1 + np.square(ratio * around[k]), weights, "valid") for k in long])
        cost = _cost(differences, spreads, ratio)
        if cost < best:
            best, found = cost, ratio
    return found, [np.sqrt(1 + np.square(found * one)) for one in around]


def shapes_of(
    series: Sequence[Float[np.ndarray, " row"]], fitted: Sequence[Float[np.ndarray, " row"]]
) -> list[Float[np.ndarray, " row"]]:
    """Return how the noise of one state varies, by the likelihood of what a model leaves of it.

    The model's states do not have the noise of the measured ones: rows are not believed less for an error that makes
    them larger, which would bias what is fitted.
    """
    size = np.sqrt(np.mean(np.square(np.concatenate(list(fitted)))))
    around = np.concatenate([_around(one) / size if size > 0 else np.zeros_like(one) for one in fitted])
    left = np.concatenate([x - m for x, m in zip(series, fitted, strict=True)])
    costs = []
    for ratio in RATIOS:
        costs.append(_cost(left, 1 + np.square(ratio * around), ratio))
    shapes = np.sqrt(1 + np.square(RATIOS[int(np.argmin(costs))] * around))
    shapes /= np.exp(np.mean(np.log(shapes)))
    return np.split(shapes, np.cumsum([len(x) for x in series])[:-1])


def _cost(errors: Float[np.ndarray, " row"], spreads: Float[np.ndarray, " row"], ratio: float) -> float:
    """The criterion of variances in proportion to these, a ratio that is not zero being a further constant."""
    mean = max(float(np.mean(np.square(errors) / spreads)), 1e-300)
    cost = float(np.sum(np.log(spreads))) + len(spreads) * np.log(mean)
    return float(cost + np.log(len(spreads)) * (ratio > 0))


def _around(x: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """Root mean squares of a value and its neighbours: where a state crosses zero is not known exactly."""
    padded = np.pad(np.square(x), 1, mode="edge")
    found: np.ndarray = np.sqrt(np.convolve(padded, np.full(3, 1 / 3), "valid"))
    return found

"""Smooth fits of a target: polynomials of columns or of their logarithms, and their gradients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float
from numpy.polynomial.chebyshev import chebvander
from scipy.linalg import solve

HIGHEST = 8
SHARE = 0.33
"""Terms of a surrogate, at most, as a share of the rows."""


@dataclass(frozen=True)
class Surrogate:
    """A smooth fit: its gradient by the coordinates at the rows, and its mean squared error."""

    gradient: Float[np.ndarray, "row coordinate"]
    error: float
    terms: int


def smooth(
    coordinates: np.ndarray, target: np.ndarray, weight: np.ndarray, waves: np.ndarray | None = None
) -> Surrogate:
    """Fit a polynomial of as high a degree as the rows allow, and one times waves of the columns `waves`."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    middle, half = (high + low) / 2, np.maximum((high - low) / 2, 1e-300)
    count = coordinates.shape[1]
    turning = np.flatnonzero(waves) if waves is not None else np.zeros(0, int)
    most = SHARE * len(target)
    powers = _degrees(count, most)
    sizes = [int(np.sum(powers.sum(axis=1) <= degree)) for degree in range(powers.sum(axis=1).max() + 1)]
    beside = [_degrees(count, (most - len(powers)) / (2 * len(turning))) for _ in turning]

    def basis(points: np.ndarray) -> np.ndarray:
        scaled = (points - middle) / half
        parts = [_monomial_table(scaled, powers)]
        for place, own in zip(turning, beside, strict=True):
            table = _monomial_table(scaled, own)
            parts += [table * np.sin(points[:, [place]]), table * np.cos(points[:, [place]])]
        return np.concatenate(parts, axis=1)

    design = basis(coordinates)
    normal, right = _normal_equations(design, target, weight)
    if not len(turning):
        # The lowest degree that is hardly worse: with noise, gradients of others are noise.
        total = float(np.sum(np.square(target * weight)))
        errors = []
        for size in sizes:
            part = solve(normal[:size, :size], right[:size], assume_a="pos")
            errors.append(max(total - float(part @ right[:size]), 1e-12 * total) / max(len(target) - size, 1))
        chosen = next(size for size, error in zip(sizes, errors, strict=True) if error <= 1.1 * min(errors))
        if errors[-1] <= 1e-9 * total / len(target):
            chosen = sizes[-1]
        powers, design = powers[:chosen], design[:, :chosen]
        normal, right = normal[:chosen, :chosen], right[:chosen]
    fit = solve(normal, right, assume_a="pos")
    rest = weight * (target - design @ fit)
    gradient = np.empty_like(coordinates)
    for i in range(count):
        step = np.zeros(count)
        step[i] = 1e-5 * half[i]
        gradient[:, i] = (basis(coordinates + step) - basis(coordinates - step)) @ fit / (2 * step[i])
    return Surrogate(gradient, float(rest @ rest) / max(len(target) - design.shape[1], 1), design.shape[1])


def apart(
    coordinates: np.ndarray, target: np.ndarray, weight: np.ndarray, groups: Sequence[Sequence[int]]
) -> tuple[Float[np.ndarray, "group row"], float]:
    """Fit a sum of polynomials, one of each group of coordinates; return their values, and the mean squared error.

    The error is infinite where there are too few rows for a term of every group.
    """
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    scaled = (2 * coordinates - high - low) / np.maximum(high - low, 1e-300)
    most = SHARE * len(target) / len(groups)
    # The constant is the first group's alone.
    degrees = [_degrees(len(group), most)[place > 0 :] for place, group in enumerate(groups)]
    if not all(map(len, degrees)):
        return np.zeros((len(groups), len(target))), np.inf
    parts = [_monomial_table(scaled[:, list(group)], own) for group, own in zip(groups, degrees, strict=True)]
    design = np.concatenate(parts, axis=1)
    fit = solve(*_normal_equations(design, target, weight), assume_a="pos")
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    values = np.stack([part @ own for part, own in zip(parts, np.split(fit, ends), strict=True)])
    rest = weight * (target - values.sum(axis=0))
    return values, float(rest @ rest) / max(len(target) - len(fit), 1)


def _normal_equations(design: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix and the right-hand side of weighted least squares, with a trace of a ridge.

    Chebyshev polynomials are nearly orthogonal: their normal equations are fine, and a tenth of the work.
    """
    weighted = design * weight[:, None]
    normal = weighted.T @ weighted
    normal += 1e-13 * np.trace(normal) / len(normal) * np.eye(len(normal))
    return normal, weighted.T @ (target * weight)


def _degrees(count: int, most: float) -> np.ndarray:
    terms: list[tuple[int, ...]] = [()]
    for degree in range(1, HIGHEST + 1 if count > 1 else 13):
        more = list(combinations_with_replacement(range(count), degree))
        if len(terms) + len(more) > most:
            break
        terms += more
    return np.asarray([[term.count(i) for i in range(count)] for term in terms])


def _monomial_table(scaled: np.ndarray, powers: np.ndarray) -> np.ndarray:
    table = chebvander(scaled, powers.max())
    return np.prod(table[:, np.arange(powers.shape[1])[None], powers], axis=2)


@dataclass(frozen=True)
class Fit:
    """A surrogate of a target or of its logarithm, whichever it suits better, and its slopes by columns' logarithms."""

    log: bool
    target: np.ndarray
    weight: np.ndarray
    surrogate: Surrogate
    slopes: np.ndarray


def targets(y: np.ndarray) -> Iterator[tuple[bool, np.ndarray, np.ndarray]]:
    """Yield what surrogates are fitted to, the target or its logarithm: whether it is the latter, and weights."""
    size = np.sqrt(np.mean(y**2)) or 1.0
    yield False, y / size, np.ones_like(y)
    if (y > 0).all() or (y < 0).all():
        yield True, np.log(np.abs(y)), np.clip(np.abs(y) / size, 0.02, 5.0)


def coordinates_of(x: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Coordinates of smooth fits, which of them are logarithms, and which come with waves."""
    positive = np.asarray((x > 0).all(axis=0))
    turning = (np.ptp(x, axis=0) > 2.5) & (np.abs(x).max(axis=0) < 30)
    choices: list[np.ndarray] = [positive, positive & ~turning]
    for logs in choices if (positive & turning).any() else choices[:1]:
        yield np.where(logs, np.log(np.maximum(x, 1e-300)), x), logs, turning & ~logs


def suited(x: np.ndarray, y: np.ndarray, trust: np.ndarray) -> Fit:
    """Return the best of the surrogates of a target and of its logarithm in columns and their logarithms."""
    fits = []
    for log, target, own in targets(y):
        weight = own * trust
        for coordinates, logs, waves in coordinates_of(x):
            surrogate = smooth(coordinates, target, weight, waves)
            slopes = np.where(logs, surrogate.gradient, surrogate.gradient * x)
            fits.append(Fit(log, target, weight, surrogate, slopes))
    return min(fits, key=lambda fit: fit.surrogate.error)

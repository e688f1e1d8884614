"""Cubic smoothing splines of many columns at once, their smoothing chosen by generalized cross-validation.

As `scipy.interpolate.make_smoothing_spline`, which takes one column after the other and factorizes anew for every trial
value of the smoothing. One decomposition of the penalty serves all columns and values (Green and Silverman 1994,
Nonparametric Regression and Generalized Linear Models, sections 2.3 and 3.2).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import BSpline, CubicSpline, make_smoothing_spline
from scipy.linalg import eigh, solveh_banded

MOST_ROWS = 1000
"""Above, the decomposition, cubic in the rows, costs more than taking columns one by one."""
TOLERANCE = 1e-5
GOLDEN = (np.sqrt(5) - 1) / 2


class Penalty(NamedTuple):
    """The integral of squared second derivatives as a quadratic form of the values at the knots, decomposed."""

    sizes: Float[np.ndarray, " row"]
    directions: Float[np.ndarray, "row row"]


def smoothing_spline(
    times: Float[np.ndarray, " row"], values: Float[np.ndarray, "row column"]
) -> CubicSpline | BSpline:
    """Return natural cubic splines of all columns, each as smooth as cross-validation wants it."""
    if len(times) > MOST_ROWS:
        return make_smoothing_spline(times, values)
    penalty = _penalty(times)
    turned = penalty.directions.T @ values
    kept = 1 / (1 + penalty.sizes[:, None] * _smoothing(penalty.sizes, turned))
    return CubicSpline(times, penalty.directions @ (kept * turned), bc_type="natural")


def _penalty(times: Float[np.ndarray, " row"]) -> Penalty:
    steps = np.diff(times)
    bends = np.zeros((len(times) - 2, len(times)))
    at = np.arange(len(bends))
    bends[at, at], bends[at, at + 2] = 1 / steps[:-1], 1 / steps[1:]
    bends[at, at + 1] = -bends[at, at] - bends[at, at + 2]
    hats = np.stack([np.concatenate([[0.0], steps[1:-1] / 6]), (steps[:-1] + steps[1:]) / 3])
    sizes, directions = eigh(bends.T @ solveh_banded(hats, bends))
    # Straight lines cost nothing.
    sizes[:2] = 0.0
    return Penalty(sizes, directions)


def _smoothing(
    sizes: Float[np.ndarray, " row"], turned: Float[np.ndarray, "row column"]
) -> Float[np.ndarray, " column"]:
    """Return the smoothing of every column that minimizes the criterion, by golden sections up to the rows' number."""
    rows = len(sizes)

    def criterion(smoothing: Float[np.ndarray, " column"]) -> Float[np.ndarray, " column"]:
        lost = 1 - 1 / (1 + sizes[:, None] * smoothing)
        return np.mean(np.square(lost * turned), axis=0) / np.square(lost.mean(axis=0))

    low, high = np.zeros(turned.shape[1]), np.full(turned.shape[1], float(rows))
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = criterion(left), criterion(right)
    for _ in range(int(np.ceil(np.log(TOLERANCE / rows) / np.log(GOLDEN)))):
        lower = at_left < at_right
        low, high = np.where(lower, low, left), np.where(lower, right, high)
        new = np.where(lower, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        found = criterion(new)
        left, right = np.where(lower, new, right), np.where(lower, left, new)
        at_left, at_right = np.where(lower, found, at_right), np.where(lower, at_left, found)
    return (low + high) / 2

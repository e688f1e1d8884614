"""Splines through series of one length: values with their first and second derivatives."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline, make_interp_spline, make_smoothing_spline

from ..errors import DataError
from .choice import resolved

FEWEST = 5


class Splined(NamedTuple):
    """Values and their first and second derivatives."""

    value: Float[np.ndarray, "trajectory time column"]
    first: Float[np.ndarray, "trajectory time column"]
    second: Float[np.ndarray, "trajectory time column"]


def splined(
    values: Float[np.ndarray, "trajectory time column"], dt: float, order: int, method: str = "auto"
) -> Splined:
    """Return derivatives by splines through every column, good up to the derivative of this order.

    `method` is `spline` (cubic, for second derivatives quintic, through all values), `smoothing-spline`, whose values
    replace the given ones, or `auto`, by how noisy the values look. Raises `DataError` for fewer than 5 rows.
    """
    if values.shape[1] < FEWEST:
        raise DataError(
            f"x: expected at least {FEWEST} rows a trajectory to estimate derivatives; got {values.shape[1]}. Give "
            "longer trajectories, or x_dot."
        )
    smooth = resolved(method, values) == "smoothing-spline"
    return Splined(*(np.stack(parts) for parts in zip(*(_one(x, dt, order, smooth) for x in values), strict=True)))


def _one(values: Float[np.ndarray, "time column"], dt: float, order: int, smooth: bool) -> Splined:
    rows = np.arange(len(values), dtype=np.float64)
    if smooth:
        splines = [make_smoothing_spline(rows, column) for column in values.T]
        return Splined(*(np.stack([s(rows, nu=n) for s in splines], axis=1) / dt**n for n in range(3)))
    spline = CubicSpline(rows, values) if order == 1 else make_interp_spline(rows, values, k=5)
    return Splined(*(spline(rows, nu=n) / dt**n for n in range(3)))

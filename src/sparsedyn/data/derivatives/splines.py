"""Splines through series of one length: values with their first and second derivatives."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline, make_interp_spline

from ..errors import DataError
from .choice import resolved
from .smoothing_splines import smoothing_spline

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
    rows = np.arange(values.shape[1], dtype=np.float64)
    columns = np.moveaxis(values, 1, 0).reshape(len(rows), -1)
    if smooth:
        spline = smoothing_spline(rows, columns)
    else:
        spline = CubicSpline(rows, columns) if order == 1 else make_interp_spline(rows, columns, k=5)
    found = (spline(rows, nu=n) / dt**n for n in range(3))
    return Splined(*(np.moveaxis(one.reshape(len(rows), len(values), -1), 0, 1) for one in found))

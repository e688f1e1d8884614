"""Trajectories on a regular grid: states interpolated, inputs held."""

from typing import NamedTuple, SupportsFloat

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import CubicSpline, PchipInterpolator

from .clock import sampling_time
from .errors import DataError

MOST = 20_000_000
"""Rows that a trajectory may get."""
METHODS = ("pchip", "cubic", "linear")


class Resampled(NamedTuple):
    """Times, states and inputs of one trajectory."""

    time: Float64[np.ndarray, " row"]
    states: Float64[np.ndarray, "row state"]
    inputs: Float64[np.ndarray, "row input"]


def resampled(
    time: Float64[np.ndarray, " _time"],
    states: Float64[np.ndarray, "_time _state"],
    inputs: Float64[np.ndarray, "_time _input"],
    dt: SupportsFloat,
    method: str,
) -> Resampled:
    """Return one trajectory at times `dt` apart, from its first row on.

    States are interpolated by `pchip` (cubic pieces that overshoot nowhere), `cubic` (a spline) or `linear` pieces; the
    input is that of the last row at or before.

    **Raises:** `DataError` for an unknown method, and for a `dt` that leaves fewer than two rows or makes too many.
    """
    if method not in METHODS:
        raise DataError(f"method={method!r}: expected one of {', '.join(METHODS)}.")
    step = sampling_time(dt)
    span = float(time[-1] - time[0])
    if not step <= span * (1 + 1e-9) or span / step > MOST:
        raise DataError(
            f"dt={step:g}: a trajectory lasts {span:g} s, of which that leaves no step or makes over {MOST:,} rows. "
            "Give another dt."
        )
    at = time[0] + step * np.arange(int(np.floor(span / step * (1 + 1e-12) + 1e-9)) + 1)
    at[-1] = min(at[-1], time[-1])
    if method == "linear" or len(time) < 3:
        found = np.stack([np.interp(at, time, column) for column in states.T], axis=1)
    else:
        found = (PchipInterpolator if method == "pchip" else CubicSpline)(time, states)(at)
    rows = np.searchsorted(time, at + 1e-9 * step, side="right") - 1
    return Resampled(at, found, inputs[rows])

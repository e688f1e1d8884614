"""Derivatives of sampled states: each function returns the rows that have one, and the derivatives there.

`dt` is the sample time, or, of all methods but `savgol`, the time of every row.
"""

import inspect
from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import CubicSpline, make_smoothing_spline
from scipy.signal import savgol_filter

from ..errors import DataError, closest, listing
from .smoothing_splines import smoothing_spline as cross_validated

States = Float64[np.ndarray, "time state"]
Slopes = Float64[np.ndarray, "row state"]
Clock = float | np.floating | Float64[np.ndarray, " time"]
"""A sample time, or the times of rows that are not regular."""


def times_of(states: States, dt: Clock) -> Float64[np.ndarray, " time"]:
    """Return the time of every row."""
    return np.asarray(dt, dtype=np.float64) if np.ndim(dt) else np.arange(len(states)) * float(dt)


def forward(states: States, dt: Clock) -> tuple[slice, Slopes]:
    """(x[k + 1] - x[k]) / dt, first order: the slope that an Euler step from row k needs to hit row k + 1."""
    steps = np.diff(times_of(states, dt))[:, None] if np.ndim(dt) else dt
    return slice(0, -1), np.diff(states, axis=0) / steps


def central(states: States, dt: Clock) -> tuple[slice, Slopes]:
    """(x[k + 1] - x[k - 1]) / (2 dt) on the inner rows, second order; not where a held input jumps.

    At irregular times it is the slope of the parabola through three rows.
    """
    _need(states, 3, "central")
    if np.ndim(dt):
        return slice(1, -1), np.gradient(states, times_of(states, dt), axis=0)[1:-1]
    return slice(1, -1), (states[2:] - states[:-2]) / (2 * dt)


def savgol(states: States, dt: Clock, *, window: int = 11, order: int = 3) -> tuple[slice, Slopes]:
    """Slope of the least-squares polynomial over `window` rows, on the rows that have half a window on each
    side.

    Savitzky and Golay (1964), as in `scipy.signal.savgol_filter`. For a fixed window the error falls with dt
    to the power `order` when that is even, `order` + 1 when odd.
    """
    if np.ndim(dt):
        raise DataError("savgol: expected regular times; got irregular ones. Resample them, or use 'spline'.")
    if window != int(window) or window % 2 == 0 or window < 3:
        raise DataError(f"savgol: window={window}; an odd number of rows, 3 or more, is expected.")
    if order != int(order) or not 1 <= order < window:
        raise DataError(f"savgol: order={order}; a whole number from 1 to window - 1 = {window - 1} is expected.")
    _need(states, window, f"savgol with window={window}")
    half = window // 2
    slopes = savgol_filter(states, window, order, deriv=1, delta=float(dt), axis=0)
    return slice(half, len(states) - half), slopes[half : len(states) - half]


def spline(states: States, dt: Clock) -> tuple[slice, Slopes]:
    """Slope of the cubic spline through all rows (not-a-knot), third order at the ends, fourth inside."""
    _need(states, 4, "spline")
    time = times_of(states, dt)
    return slice(0, len(states)), CubicSpline(time, states)(time, 1)


def smoothing_spline(states: States, dt: Clock, *, smoothing: float | None = None) -> tuple[slice, Slopes]:
    """Slope of the cubic smoothing spline; `smoothing` weighs curvature, None chooses it by cross-validation.

    As `scipy.interpolate.make_smoothing_spline`, in units of (median) rows: the weight does not depend on dt.
    """
    _need(states, 5, "smoothing-spline")
    if smoothing is not None and not smoothing >= 0:
        raise DataError(f"smoothing-spline: smoothing={smoothing}; a number of at least 0, or None, is expected.")
    step = float(np.median(np.diff(times_of(states, dt))))
    rows = times_of(states, dt) / step
    fit = cross_validated(rows, states) if smoothing is None else make_smoothing_spline(rows, states, lam=smoothing)
    return slice(0, len(states)), fit(rows, nu=1) / step


Derivative = Callable[..., tuple[slice, np.ndarray]]
DERIVATIVES: dict[str, Derivative] = {
    "forward": forward,
    "central": central,
    "savgol": savgol,
    "spline": spline,
    "smoothing-spline": smoothing_spline,
}

FOLLOWING = "following"
"""The name, to `samples`, of the states of the next row: what a map gives, in the place of derivatives."""


def following(states: States, dt: float) -> tuple[slice, Slopes]:
    """x[k + 1], the state of the next row."""
    return slice(0, -1), states[1:]


def choose(method: str, options: Iterable[str]) -> Derivative:
    """Return the method of this name; an unknown name, or an option it does not have, raises `DataError`."""
    if method == FOLLOWING:
        return following
    if method not in DERIVATIVES:
        raise DataError(
            f"derivative method {method!r} is unknown.{closest(method, list(DERIVATIVES))} The methods are: "
            f"{listing(DERIVATIVES)}."
        )
    function = DERIVATIVES[method]
    accepted = [name for name in inspect.signature(function).parameters if name not in ("states", "dt")]
    for name in options:
        if name not in accepted:
            raise DataError(
                f"derivative method {method!r} has no option {name!r}.{closest(name, accepted)} Its options "
                f"are: {listing(accepted)}."
            )
    return function


def _need(states: np.ndarray, rows: int, method: str) -> None:
    if len(states) < rows:
        raise DataError(
            f"{len(states)} rows are too few for the derivative method {method}, which needs at least "
            f"{rows}; use longer trajectories or another method, for example 'forward'."
        )

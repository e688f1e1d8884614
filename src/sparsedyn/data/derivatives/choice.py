"""How states are differentiated: a method by its name, or `auto`, by how noisy the states look."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..errors import DataError
from .methods import DERIVATIVES, Clock
from .noise import is_noisy
from .polynomials import filtered, windows

States = Float[np.ndarray, "_time _state"]

AUTO = "auto"
LOCAL = "local-polynomials"
DIFFERENCES = 3
"""Order of the differences by which noise is estimated."""
FINE_DIFFERENCES = 6
"""The same for local polynomials, whose windows need the size of the noise: higher ones see less of the states."""


class Differentiated(NamedTuple):
    """The rows that have a derivative, and the states, smoothed where the method smooths, and derivatives there."""

    rows: slice
    states: Float[np.ndarray, "row state"]
    slopes: Float[np.ndarray, "row state"]


Differentiator = Callable[[States, Clock], Differentiated]
"""From states and a sample time, or times, to derivatives; a trajectory too short for the method has no rows."""


def resolved(
    method: str,
    series: Sequence[States] | np.ndarray,
    *,
    noisy: str = "smoothing-spline",
    times: Sequence[np.ndarray] | None = None,
) -> str:
    """Return the name of a method: for `auto`, `spline` where series are smooth, and `noisy` where they are not."""
    if method != AUTO:
        return method
    order = FINE_DIFFERENCES if noisy == LOCAL or times is not None else DIFFERENCES
    return noisy if is_noisy(series, order, times) else "spline"


def differentiator(method: str, series: Sequence[States], times: Sequence[np.ndarray] | None = None) -> Differentiator:
    """Return how to differentiate states like those of `series`: one of `DERIVATIVES`, or `auto`.

    For `auto` it is a spline where states are smooth, and where they look noisy local polynomials over windows that
    suit the noise of each state; of columns after these, such as velocities, the windows are the same in turn. At
    irregular `times` a smoothing spline takes the place of local polynomials.
    """
    if times is not None:
        return _plain(resolved(method, series, times=times))
    chosen = resolved(method, series, noisy=LOCAL)
    return _local_polynomials(series) if chosen == LOCAL else _plain(chosen)


def _plain(method: str) -> Differentiator:
    function = DERIVATIVES[method]

    def plain(states: States, dt: Clock) -> Differentiated:
        try:
            rows, slopes = function(states, dt)
        except DataError:  # too short for the method: other trajectories may do
            return Differentiated(slice(0, 0), states[:0], states[:0])
        return Differentiated(rows, states[rows], slopes)

    return plain


def _local_polynomials(series: Sequence[States]) -> Differentiator:
    # Lazily: the weak form never needs the windows.
    widths = cache(lambda: windows(series, FINE_DIFFERENCES))

    def smooth(states: States, dt: Clock) -> Differentiated:
        return Differentiated(*filtered(states, np.resize(widths(), states.shape[1]), float(dt)))

    return smooth

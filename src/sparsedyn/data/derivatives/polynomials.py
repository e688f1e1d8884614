"""Local polynomials, which smooth states and differentiate them, over windows that suit the noise of every state."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import savgol_filter

from .noise import white_noise

States = Float[np.ndarray, "_time _state"]

WINDOWS = (7, 9, 11, 15, 19, 25, 31, 41, 51, 61, 81)
DEGREE = 4


def windows(series: Sequence[States], differences: int) -> Int[np.ndarray, " state"]:
    """Return for each state the window of least estimated error: residuals, and noise let through.

    The noise is estimated by differences of that order. Source: Mallows 1973.
    """
    variance = np.square(white_noise(series, differences))
    longest = int(np.median([len(states) for states in series])) // 2
    usable = [width for width in WINDOWS if width <= longest] or [WINDOWS[0]]
    return np.asarray(usable)[np.argmin([_risk(series, width, variance) for width in usable], axis=0)]


def filtered(
    states: States, widths: Int[np.ndarray, " state"], dt: float
) -> tuple[slice, Float[np.ndarray, "row state"], Float[np.ndarray, "row state"]]:
    """Return the rows that have half a window on each side, and the smoothed states and derivatives there.

    Source: Savitzky & Golay 1964.
    """
    half = int(widths.max()) // 2
    if len(states) <= 2 * half:
        return slice(0, 0), states[:0], states[:0]
    rows = slice(half, len(states) - half)
    values, slopes = (
        np.stack([_filtered(x, int(width), order, dt) for x, width in zip(states.T, widths, strict=True)], axis=1)[rows]
        for order in (0, 1)
    )
    return rows, values, slopes


def _filtered(values: np.ndarray, width: int, order: int = 0, dt: float = 1.0) -> np.ndarray:
    """Savitzky and Golay's filter along time; half a window at either end is not to be used."""
    # Polynomials fitted to the ends, which are cut off, would take most of the time.
    found: np.ndarray = savgol_filter(values, width, DEGREE, deriv=order, delta=dt, axis=0, mode="nearest")
    return found


def _risk(series: Sequence[States], width: int, variance: Float[np.ndarray, " state"]) -> Float[np.ndarray, " state"]:
    half = width // 2
    unit = np.zeros(width)
    unit[half] = 1.0
    own = _filtered(unit, width)[half]
    long = [x for x in series if len(x) > width]
    if not long:
        return np.full(len(variance), np.inf)
    residuals = np.concatenate([(_filtered(x, width) - x)[half:-half] for x in long])
    return np.mean(np.square(residuals), axis=0) + 2 * variance * own

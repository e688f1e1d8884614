"""Scores of long forecasts: RFMSE and divergence in two variants, error over time, valid time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.data import DataError

DIVERGED_ABOVE = 3.0
VALID_BELOW = 0.4
READINGS = ("absolute", "squared")


class Scores(NamedTuple):
    """Scores per forecast that is long enough: `rfmse` (NaN where diverged) and `diverged`."""

    rfmse: Float[np.ndarray, "member trajectory"]
    diverged: Bool[np.ndarray, "member trajectory"]


def deviation(
    predicted: Float[np.ndarray, "member trajectory time state"],
    truth: Float[np.ndarray, "trajectory time state"],
    std: Float[np.ndarray, " state"],
) -> Float[np.ndarray, "member trajectory time state"]:
    """Return `|prediction - truth| / std`, non-finite predictions as infinity; rows where `truth` is NaN
    (padding) stay NaN.
    """
    error = _distance(predicted, truth, std)
    error[~np.isfinite(error)] = np.inf
    error[:, np.isnan(truth)] = np.nan
    return error


def _distance(
    predicted: Float[np.ndarray, "*member trajectory time state"],
    truth: Float[np.ndarray, "trajectory time state"],
    std: Float[np.ndarray, " state"],
) -> Float[np.ndarray, "*member trajectory time state"]:
    with np.errstate(invalid="ignore", over="ignore"):
        error = predicted - truth
        np.abs(error, out=error)
        error /= std
    return error


def capped_error(
    predicted: Float[np.ndarray, "member trajectory time state"],
    truth: Float[np.ndarray, "trajectory time state"],
    std: Float[np.ndarray, " state"],
    cap: float,
) -> Float[np.ndarray, " member"]:
    """Return the mean `|prediction - truth| / std` of every member, no error being more than `cap`.

    Non-finite predictions are as far off; rows where `truth` is NaN (padding) do not count.
    """
    padding = np.isnan(truth)
    found = np.empty(len(predicted))
    # One after the other: the errors of all members are more than caches hold.
    for k, own in enumerate(predicted):
        error = _distance(own, truth, std)
        np.fmin(error, cap, out=error)
        found[k] = np.mean(error[~padding] if padding.any() else error)
    return found


def forecast_scores(
    error: Float[np.ndarray, "member trajectory time state"], horizon: int, *, reading: str = "absolute"
) -> Scores:
    """Score the first `horizon` rows (the initial one included) of every forecast that is that long.

    The RFMSE of a state is the mean over time of `e` (`absolute`, what the published code computes) or of
    `e^2` (`squared`, what the paper's text says), with `e` the error in standard deviations; that of a
    forecast is the mean over states. A forecast has diverged when the RFMSE of any state exceeds 3 or is not
    finite.

    Source: Haugstvedt et al. 2023, section III-E, and the code released with it.
    """
    if reading not in READINGS:
        raise ValueError(f"reading: expected one of {', '.join(READINGS)}; got {reading!r}.")
    rows = error.shape[2]
    if not 2 <= horizon <= rows:
        raise DataError(
            f"horizon: expected between 2 and {rows} rows (the longest trajectory); got {horizon}. Ask for "
            "shorter horizons or give longer trajectories."
        )
    long_enough = ~np.isnan(error[0, :, horizon - 1, 0])
    window = error[:, long_enough, :horizon]
    with np.errstate(invalid="ignore", over="ignore"):
        state = np.mean(window if reading == "absolute" else np.square(window), axis=2, dtype=np.float64)
        diverged = np.any(~(state <= DIVERGED_ABOVE), axis=-1)
        rfmse = np.where(diverged, np.nan, np.mean(state, axis=-1))
    return Scores(rfmse, diverged)


def skill(error: Float[np.ndarray, "member trajectory time state"]) -> Float[np.ndarray, "member trajectory"]:
    """Return one minus the RFMSE over the whole trajectory as a share of the limit of divergence; 0 where diverged.

    A perfect forecast has 1. The RFMSE is the `absolute` one of `forecast_scores`; all numbers are finite.
    """
    rows = np.sum(~np.isnan(error), axis=2)
    with np.errstate(invalid="ignore", over="ignore"):
        state = np.sum(np.where(np.isnan(error), 0.0, error), axis=2, dtype=np.float64) / rows
        diverged = np.any(~(state <= DIVERGED_ABOVE), axis=-1)
        share = np.mean(state, axis=-1) / DIVERGED_ABOVE
    return np.where(diverged, 0.0, 1.0 - share)


def error_over_time(
    error: Float[np.ndarray, "member trajectory time state"],
) -> Float[np.ndarray, "member trajectory time"]:
    """Return the error at every time, mean over states, in standard deviations."""
    with np.errstate(invalid="ignore"):
        mean: Float[np.ndarray, "member trajectory time"] = np.mean(error, axis=-1)
    return mean


def valid_time(
    error: Float[np.ndarray, "member trajectory time state"], dt: float, *, below: float = VALID_BELOW
) -> Float[np.ndarray, "member trajectory"]:
    """Return the time until the root mean square error over states first exceeds `below` standard deviations.

    A forecast that never does is credited with the whole length of its trajectory.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.sqrt(np.mean(np.square(error), axis=-1))
    exceeds = size > below
    length = np.sum(~np.isnan(error[..., 0]), axis=-1)
    first = np.where(exceeds.any(axis=-1), exceeds.argmax(axis=-1), length - 1)
    return first * dt


def pad(arrays: Sequence[Float[np.ndarray, "_time variable"]], fill: float) -> Float[np.ndarray, "n time variable"]:
    """Stack arrays of unequal length along a new first axis, short ones padded at the end."""
    rows = max(len(a) for a in arrays)
    out = np.full((len(arrays), rows, arrays[0].shape[1]), fill)
    for i, a in enumerate(arrays):
        out[i, : len(a)] = a
    return out

"""Time: from what the user has (numbers, dates, durations) to seconds on a regular grid."""

from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np
import pandas as pd
from jaxtyping import Float64

from .checks import number_array
from .errors import DataError, in_all, trajectory_place

# Steps may differ from the sampling time by this share of it.
TOLERANCE = 1e-3


def sampling_time(dt: SupportsFloat) -> float:
    """Return `dt` as a float; anything but a positive finite number raises `DataError`."""
    try:
        step = float(dt)
    except (TypeError, ValueError) as error:
        raise DataError(f"dt is {dt!r}; a positive number of seconds is expected, for example dt=0.1.") from error
    if not (np.isfinite(step) and step > 0):
        raise DataError(f"dt is {step}; a positive, finite number of seconds is expected, for example dt=0.1.")
    return step


def seconds_per_row(
    dt: SupportsFloat | None, time: Any, lengths: Sequence[int], labels: Sequence[str]
) -> tuple[tuple[Float64[np.ndarray, " _time"], ...], float]:
    """Return the time of every row per trajectory and the sampling time, from exactly one of `dt` and `time`.

    With `dt`, time counts from 0. Raises `DataError` when both or neither are given, and as `measured_times`.
    """
    if (dt is None) == (time is None):
        given = "neither is given" if dt is None else "both are given"
        raise DataError(f"exactly one of dt (the sampling time) and time (of every row) is needed; {given}.")
    if dt is None:
        return measured_times(time, lengths, labels)
    step = sampling_time(dt)
    return tuple(np.arange(length, dtype=np.float64) * step for length in lengths), step


def measured_times(
    time: Any, lengths: Sequence[int], labels: Sequence[str]
) -> tuple[tuple[Float64[np.ndarray, " _time"], ...], float]:
    """Turn recorded times into seconds per trajectory and their common sampling time.

    `time` is one array (time,), shared by all trajectories, or one per trajectory. Numbers stay as they are;
    dates become seconds since the first row of their trajectory; durations become seconds. Times that are
    missing, do not increase, are irregular by more than 0.1 % of the step, or differ in step between
    trajectories raise `DataError`.
    """
    columns = _one_per_trajectory(time, lengths, labels)
    times, steps = [], []
    for i, (column, length) in enumerate(zip(columns, lengths, strict=True)):
        place = trajectory_place(labels, i)
        values, resolution = seconds(column, place)
        if values.shape != (length,):
            raise DataError(
                f"time of {place} has shape {values.shape}, its states have {length} rows; expected is one "
                f"time per row, shape ({length},), and states (time, state); if they are turned, give .T."
            )
        steps.append(_step(values, resolution, place))
        if abs(steps[i] - steps[0]) > TOLERANCE * steps[0] + 2 * resolution:
            raise DataError(
                f"{place} has the sampling time {steps[i]:.6g}, {trajectory_place(labels, 0)} "
                f"{steps[0]:.6g}; all trajectories must share one. Resample them to a common step, or use "
                "them separately."
            )
        times.append(values)
    # Twelve digits: enough for any clock, and 0.1 is then 0.1 and not 0.09999999999999999.
    return tuple(times), float(f"{steps[0]:.12g}")


def same_times(one: Any, other: Any) -> bool:
    """Return whether two lists of times, numbers or dates in any form, are the same, row by row, up to rounding."""
    first, second = (_comparable(np.asarray(times)) for times in (one, other))
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.dtype.kind != "f":
        return bool(np.array_equal(first, second))
    step = np.median(np.abs(np.diff(first))) if len(first) > 1 else 0.0
    return bool(np.allclose(first, second, rtol=1e-9, atol=TOLERANCE * step))


def _comparable(times: np.ndarray) -> np.ndarray:
    if times.dtype.kind in "OUT":
        times = _dates(times, "x or u")
    if times.dtype.kind in "mM":
        return times.astype(f"{times.dtype.kind}8[ns]")
    return times.astype(np.float64) if times.dtype.kind in "biuf" else times


def _one_per_trajectory(time: Any, lengths: Sequence[int], labels: Sequence[str]) -> list[Any]:
    shared = not isinstance(time, list | tuple) or not time or np.ndim(time[0]) == 0
    columns = [time] if shared else list(time)
    if shared and np.ndim(time) == 2:
        columns = list(np.asarray(time))
    elif shared:
        if len(set(lengths)) > 1:
            raise DataError(
                f"time is one array, but the trajectories have different lengths ({min(lengths)} to "
                f"{max(lengths)} rows); give a list with one time array per trajectory, or dt= instead."
            )
        columns = [time] * len(labels)
    if len(columns) != len(labels):
        raise DataError(
            f"time holds {len(columns)} arrays, but there are {len(labels)} trajectories; give one per trajectory."
        )
    return columns


def seconds(values: object, place: str) -> tuple[Float64[np.ndarray, "..."], float]:
    """Return seconds, of dates those since the first, and the rounding error of one stamp in its own precision."""
    array = np.asarray(values)
    if array.dtype.kind in "OUT":
        array = _dates(array, place)
    if array.dtype.kind in "mM":
        if np.isnat(array).any():
            raise DataError(
                f"time of {place}, row {int(np.isnat(array).argmax())}: a missing date; every row needs its "
                "time. Fill it in or remove the row."
            )
        elapsed = array - array[:1] if array.dtype.kind == "M" else array
        return elapsed.astype("timedelta64[ns]").astype(np.float64) / 1e9, 0.0
    seconds = number_array(array, f"time of {place}")
    bad = ~np.isfinite(seconds)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"time of {place}, row {row}: {seconds[row]}; every row needs a finite time. Fill it in or remove the row."
        )
    exact = array.dtype.kind != "f" or array.size == 0
    return seconds, 0.0 if exact else float(np.spacing(np.abs(array).max()))


def _dates(array: np.ndarray, place: str) -> np.ndarray:
    kind = pd.api.types.infer_dtype(array.tolist())
    if kind in ("timedelta", "timedelta64"):
        return pd.to_timedelta(array).to_numpy()
    if kind not in ("string", "datetime", "datetime64", "date"):
        return array
    series = pd.Series(array.tolist())
    dates = pd.to_datetime(series, utc=True, format="ISO8601", errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        raise DataError(
            f"time of {place}, row {row}: {series[row]!r}; numbers (seconds) or dates such as '2024-05-31 "
            "12:00:00.5' are expected."
        )
    return dates.dt.tz_localize(None).to_numpy()


def _step(time: np.ndarray, resolution: float, place: str) -> float:
    steps = np.diff(time)
    if (steps <= 0).any():
        row = int((steps <= 0).argmax()) + 1
        now, before = f"{time[row]:.10g}", f"{time[row - 1]:.10g}"
        problem = f"{now}, earlier than the {before} of the row before"
        if steps[row - 1] == 0:
            problem = f"the same time as the row before ({now})"
        raise DataError(
            f"time of {place}, row {row}: {problem}; time must increase. Sort the rows by time and remove "
            "duplicates; if the rows hold several trajectories one after another, pass them as a list of "
            "arrays or, for a table, name the column that tells them apart with trajectory=."
        )
    usual = float(np.median(steps))
    odd = np.abs(steps - usual) > TOLERANCE * usual + 2 * resolution
    if odd.any():
        row = int(odd.argmax()) + 1
        raise DataError(
            f"time of {place}, row {row}: irregular, a step of {steps[row - 1]:.6g} (from "
            f"{time[row - 1]:.10g} to {time[row]:.10g}) where {usual:.6g} is usual{in_all(int(odd.sum()))}. "
            "Resample to a regular grid (numpy.interp) or cut the trajectory at the gap; if the sampling is "
            "regular and only the time stamps are rounded, pass dt= instead of the time."
        )
    return float((time[-1] - time[0]) / len(steps))

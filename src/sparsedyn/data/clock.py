"""Time: from what the user has (numbers, dates, durations) to seconds, and how far apart they are."""

from collections.abc import Sequence
from typing import Any, NamedTuple, SupportsFloat

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int

from .checks import number_array
from .errors import DataError, in_all, trajectory_place

# Steps may differ from the sampling time by this share of it.
TOLERANCE = 1e-3
DAY, HALF = 86_400.0, 0.5
"""Seconds of a day; by what share of it a step back may miss one, for a clock that passed midnight."""
GAP = 1.5
"""A step of so many usual ones is a gap."""


def sampling_time(dt: SupportsFloat) -> float:
    """Return `dt` as a float; anything but a positive finite number raises `DataError`."""
    try:
        step = float(dt)
    except (TypeError, ValueError) as error:
        raise DataError(f"dt is {dt!r}; a positive number of seconds is expected, for example dt=0.1.") from error
    if not (np.isfinite(step) and step > 0):
        raise DataError(f"dt is {step}; a positive, finite number of seconds is expected, for example dt=0.1.")
    return step


class Stamps(NamedTuple):
    """Times of one trajectory in seconds, the rounding error of one of them, and as they were given, for messages."""

    seconds: Float64[np.ndarray, " _time"]
    resolution: float
    given: np.ndarray

    def shown(self, row: int) -> str:
        """Write the time of a row."""
        value = self.given[row]
        if self.given.dtype.kind in "biuf":
            return f"{value:.10g}"
        kinds = {"M": pd.Timestamp, "m": pd.Timedelta}
        return str(kinds.get(self.given.dtype.kind, lambda same: same)(value))

    def rows(self, kept: np.ndarray | slice) -> "Stamps":
        """Return some of the rows."""
        return self._replace(seconds=self.seconds[kept], given=self.given[kept])

    def gaps(self) -> Int[np.ndarray, " _gap"]:
        """Return the steps, by the row that they start from, that stand out of steps that are otherwise much alike.

        Where half of all steps are within a quarter of the median, a step stands out that is at least one and a half
        times the median of all and of the six around it. Times that are random, or those of a solver, have no gaps.
        """
        steps = np.diff(self.seconds)
        if len(steps) < 2:
            return np.empty(0, dtype=int)
        usual = float(np.median(steps))
        if np.mean(np.abs(steps - usual) <= usual / 4) < 1 / 2:
            return np.empty(0, dtype=int)
        long = np.flatnonzero(steps >= GAP * usual * (1 - TOLERANCE) - 2 * self.resolution)
        return np.array([i for i in long.tolist() if steps[i] >= GAP * (1 - TOLERANCE) * _around(steps, i)], dtype=int)


def _around(steps: np.ndarray, i: int) -> float:
    return float(np.median(np.concatenate([steps[max(0, i - 3) : i], steps[i + 1 : i + 4]])))


def stamps_per_row(dt: SupportsFloat | None, time: Any, lengths: Sequence[int], labels: Sequence[str]) -> list[Stamps]:
    """Return the time of every row per trajectory, from exactly one of `dt` and `time`; with `dt`, it counts from 0.

    `time` is one array (time,), shared by all trajectories, or one per trajectory. Numbers stay as they are; dates
    become seconds since the first row of their trajectory; durations become seconds.

    **Raises:** `DataError` when both or neither are given, and for times that are missing or not one per row.
    """
    if (dt is None) == (time is None):
        given = "neither is given" if dt is None else "both are given"
        raise DataError(f"exactly one of dt (the sampling time) and time (of every row) is needed; {given}.")
    if dt is not None:
        step = sampling_time(dt)
        times = [np.arange(length, dtype=np.float64) * step for length in lengths]
        return [Stamps(seconds, 0.0, seconds) for seconds in times]
    found = []
    for i, (column, length) in enumerate(zip(_one_per_trajectory(time, lengths, labels), lengths, strict=True)):
        place = trajectory_place(labels, i)
        values, resolution = seconds(column, place)
        if values.shape != (length,):
            raise DataError(
                f"time of {place} has shape {values.shape}, its states have {length} rows; expected is one "
                f"time per row, shape ({length},), and states (time, state); if they are turned, give .T."
            )
        found.append(Stamps(values, resolution, np.asarray(column)))
    return found


class Spacing(NamedTuple):
    """The sample time, the median step where times are irregular, and whether they are regular to 0.1 %."""

    dt: float
    regular: bool


def spacing(times: Sequence[Stamps], labels: Sequence[str], *, keep: bool = False) -> Spacing:
    """Return how far apart the rows of all trajectories are.

    **Raises:** `DataError` for times that do not increase; for gaps, unless they are to be kept; and for regular
    trajectories of different sample times.
    """
    for i, stamps in enumerate(times):
        _check_order(stamps, trajectory_place(labels, i))
        if not keep:
            _check_gaps(stamps, trajectory_place(labels, i))
    steps = [float((t.seconds[-1] - t.seconds[0]) / (len(t.seconds) - 1)) for t in times]
    if not all(_is_regular(t) for t in times):
        return Spacing(float(np.median(np.concatenate([np.diff(t.seconds) for t in times]))), regular=False)
    for i, step in enumerate(steps):
        if abs(step - steps[0]) > TOLERANCE * steps[0] + 2 * times[i].resolution:
            raise DataError(
                f"{trajectory_place(labels, i)} has the sampling time {step:.6g}, {trajectory_place(labels, 0)} "
                f"{steps[0]:.6g}; all trajectories must share one. Resample them to a common step, or use "
                "them separately."
            )
    # Twelve digits: enough for any clock, and 0.1 is then 0.1 and not 0.09999999999999999.
    return Spacing(float(f"{steps[0]:.12g}"), regular=True)


def regular_step(time: Any, lengths: Sequence[int], labels: Sequence[str]) -> float:
    """Return the sample time of regular times; `DataError` for others, and as `spacing`."""
    found = spacing(stamps_per_row(None, time, lengths, labels), labels)
    if not found.regular:
        raise DataError("t: expected regular times; got irregular ones. Interpolate to a regular grid first.")
    return found.dt


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


def _check_order(stamps: Stamps, place: str) -> None:
    steps = np.diff(stamps.seconds)
    if not (steps <= 0).any():
        return
    row = int((steps <= 0).argmax()) + 1
    now, before = stamps.shown(row), stamps.shown(row - 1)
    problem = f"{now}, earlier than the {before} of the row before"
    fix = "Sort the rows by time, with restarts='sort' (--restarts sort)"
    merge = ""
    if stamps.given.dtype.kind == "m" and abs(steps[row - 1] + DAY - np.median(np.abs(steps))) <= HALF * DAY:
        # Sorted, the rows after midnight would come first.
        fix = "If the clock passed midnight there, give its date as well, as time='date,clock' (--time date,clock), or "
        fix += "give dt= (--dt SECONDS) instead of the time"
    elif steps[row - 1] == 0:
        problem = f"the same time as the row before ({now})"
        fix = "Sort the rows by time and remove duplicates"
        merge = "make one row of those of one time with duplicates='mean' (--duplicates mean)"
    if _is_local(stamps) and -3600 <= steps[row - 1] <= 0:
        zone = (
            "if this is the hour that the end of summer time repeats, say where the clock stood with "
            "time_zone='Europe/Berlin', say (--time-zone Europe/Berlin)"
        )
        # Rows of two hours of one name are none to be merged.
        merge = "; else ".join([zone, merge] if merge else [zone])
    fix += f"; {merge}" if merge else ""
    count = in_all(int((steps <= 0).sum()))
    raise DataError(
        f"time of {place}, row {row}: {problem}{count}; time must increase. {fix}; if the rows "
        "hold several trajectories one after another, name the column that tells them apart with trajectory= "
        "(--trajectory NAME), or begin another wherever times go back with restarts='cut' (--restarts cut)."
    )


def _check_gaps(stamps: Stamps, place: str) -> None:
    gaps = stamps.gaps()
    if not len(gaps):
        return
    steps = np.diff(stamps.seconds)
    usual, row = float(np.median(steps)), int(gaps[0]) + 1
    summer = ""
    if _is_local(stamps) and abs(steps[row - 1] - usual - 3600) <= TOLERANCE * usual:
        summer = (
            " If summer time began there, say where the clock stood: time_zone='Europe/Berlin', say (--time-zone "
            "Europe/Berlin)."
        )
    raise DataError(
        f"time of {place}, row {row}: irregular, a step of {steps[row - 1]:.6g} (from {stamps.shown(row - 1)} to "
        f"{stamps.shown(row)}) where {usual:.6g} is usual{in_all(len(gaps))}.{summer} Cut the trajectory at gaps with "
        "gaps='cut' (--gaps cut), take times as they stand with gaps='keep' (--gaps keep); if the sampling is regular "
        "and only the time stamps are not, pass dt= (--dt SECONDS) instead of the time."
    )


def _is_regular(stamps: Stamps) -> bool:
    steps = np.diff(stamps.seconds)
    usual = float(np.median(steps))
    return bool(np.all(np.abs(steps - usual) <= TOLERANCE * usual + 2 * stamps.resolution))


def _is_local(stamps: Stamps) -> bool:
    """Whether these are dates, which may be those of a clock that is set twice a year."""
    return stamps.given.dtype.kind not in "biufm"

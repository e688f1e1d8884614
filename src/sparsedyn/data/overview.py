"""What a table holds, before anything is fitted to it: columns, times, gaps, dead and stuck sensors, correlations."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from .clipping import Clipped, clipping
from .clock import Stamps
from .errors import DataError
from .long import pivoted, tag_and_value
from .options import ReadOptions
from .rising import RUN, restarts
from .sensors import code_of, outliers, rolled_over, stuck
from .stamps import joined, times_of, unit_named
from .tables import Table, time_columns
from .units import time_unit_after, time_unit_in

TIME_NAMES = re.compile(r"t\b|(?i:time|date|datetime|timestamp|zeit|datum|uhrzeit|zeitstempel|temps|fecha|clock)\b")
DAY = r"\d{1,4}([./-])\d{1,2}\1\d{1,4}\.?"
PARTS = re.compile(r"[_ .-]")
TIME_OF_DAY = r"(?i:\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?)"
ALIKE = 0.95
"""Correlation from which on two columns tell much the same."""
EVEN = "rises evenly, as times and counters do"
MOSTLY = 0.9
"""Share of rows with a time of their own in a file of one trajectory."""
DAY_SECONDS, HOUR_SECONDS = 86_400.0, 3_600.0


@dataclass(frozen=True)
class ColumnSummary:
    """One column: what it holds, its unit, what is odd about it, and whether it is mostly `held` from row to row."""

    name: str
    kind: str
    unit: str
    missing: int
    distinct: int
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None
    deviation: float | None = None
    held: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimeSummary:
    """The times of the rows: their column, first and last, the usual step in seconds, and what is odd about them."""

    column: str
    first: str
    last: str
    step: float | None
    regular: bool
    gaps: int
    duplicates: int
    backward: int
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overview:
    """What a table holds. `seconds` are the times of the rows, where there are any, and `frame` the table itself."""

    rows: int
    columns: tuple[ColumnSummary, ...]
    time: TimeSummary | None
    trajectory: str | None
    trajectories: int
    correlated: tuple[tuple[str, str, float], ...]
    frame: pd.DataFrame = field(repr=False, compare=False)
    seconds: Float[np.ndarray, " row"] | None = field(repr=False, compare=False)

    @property
    def dated(self) -> bool:
        """Whether times are dates."""
        return any(c.kind == "dates" for c in self.columns if self.time and c.name == self.time.column)

    @property
    def states(self) -> tuple[str, ...]:
        """Columns of numbers that change from row to row, which states do."""
        return tuple(c.name for c in self._variables if not c.held)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns of numbers that mostly repeat the row before, which held inputs do."""
        return tuple(c.name for c in self._variables if c.held)

    @property
    def _variables(self) -> list[ColumnSummary]:
        roles = {self.trajectory, self.time and self.time.column}
        odd = {"constant", EVEN}
        return [c for c in self.columns if c.kind == "numbers" and c.name not in roles and not odd & set(c.findings)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the table itself, as JSON values."""
        plain = {name: value for name, value in self.__dict__.items() if name not in ("frame", "seconds")}
        columns, time = [asdict(c) for c in self.columns], self.time and asdict(self.time)
        return {**plain, "columns": columns, "time": time, "states": self.states, "inputs": self.inputs}


def overview(
    frame: pd.DataFrame | Table,
    time: str | None = None,
    trajectory: str | None = None,
    *,
    units: Mapping[str, str] | None = None,
    options: ReadOptions | None = None,
) -> Overview:
    """Return what a table holds: of its columns, of its times, and which columns are much alike.

    `time` is the column of times, by default the first that is called so, or the first of dates; `trajectory` that of
    labels, by default one that changes where times start again. Nothing is changed or left out.

    **Raises:** `DataError` for columns that are not there.
    """
    table = frame if isinstance(frame, Table) else Table(frame.reset_index(drop=True), None, units or {})
    data = table.frame.set_axis([str(name) for name in table.frame.columns], axis=1)
    if options is not None and options.pivot is not None:
        index = time_columns(time, list(data.columns)) or [name for name in [_named_time(data)] if name]
        data, first = pivoted(
            data, [*index, *([trajectory] if trajectory else [])] or [str(data.columns[0])], options.pivot
        )
        table = table._replace(lines=None if table.lines is None else table.lines[first])
    data = data.apply(lambda column: column.map(_hashable) if column.dtype == object else column)
    parts = time_columns(time, list(data.columns)) or _dates_and_clock(data)
    for name in (*parts, trajectory):
        if name is not None and name not in data.columns:
            raise DataError(f"there is no column {name!r}. The columns are: {', '.join(data.columns)}.")
    if len(parts) == 2:
        data = data.assign(**{parts[0]: joined(data, parts)}).rename(columns={parts[0]: ",".join(parts)})
        data = data.drop(columns=parts[1])
    clock = ",".join(parts) or _named_time(data)
    asked, given = options or ReadOptions(), bool(time)
    seconds, when = (None, None) if clock is None else _times(data, clock, trajectory, table, asked, named=given)
    if when is not None and when.backward and trajectory is None:
        trajectory = _labels(data, seconds, clock)
        if trajectory is not None:
            seconds, when = _times(data, str(clock), trajectory, table, asked, named=given)
    begins = _begins(data, seconds, trajectory)
    columns = tuple(
        _column(data[name], table.units.get(name, ""), begins, timed=name == clock) for name in data.columns
    )
    count = 1 if trajectory is None else int(data[trajectory].nunique())
    measured = [c.name for c in columns if c.kind == "numbers" and c.name not in (clock, trajectory)]
    return Overview(len(data), columns, when, trajectory, count, _correlated(data[measured]), data, seconds)


def _hashable(value: Any) -> Any:
    """Lists and the like in cells are shown as text."""
    return value if isinstance(value, str | float | int) or value is None or value.__hash__ else str(value)


def _dates_and_clock(data: pd.DataFrame) -> list[str]:
    """Return the columns of days and of clock times, where there is one of each."""
    texts = {name: data[name].dropna() for name in data.columns if data[name].dtype.kind in "OUT"}
    texts = {name: column.astype(str).str.strip() for name, column in texts.items() if len(column)}
    days = [name for name, column in texts.items() if column.str.fullmatch(DAY).all()]
    clocks = [name for name, column in texts.items() if column.str.fullmatch(TIME_OF_DAY).all()]
    return [days[0], clocks[0]] if len(days) == len(clocks) == 1 else []


def _named_time(data: pd.DataFrame) -> str | None:
    for name in data.columns:
        if TIME_NAMES.match(name):
            return name
    likely = [name for name in data.columns if data[name].dtype.kind == "M"]
    likely += [name for name in data.columns if time_unit_in(name) and _mostly_rises(data[name])]
    likely += [name for name in data.columns if time_unit_after(name) and TIME_NAMES.match(PARTS.split(name)[0])]
    likely += [name for name in data.columns if data[name].dtype.kind in "OUT" and _dated(data[name])]
    return next(iter(likely), next((name for name in data.columns if restarts(data[name]) is not None), None))


def _dated(column: pd.Series) -> bool:
    texts = column.dropna()
    return len(texts) > 0 and bool(texts.astype(str).str.strip().str.match(DAY).all())


def _mostly_rises(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and bool(np.mean(np.diff(column.to_numpy(np.float64)) > 0) > 0.9)


def _times(
    data: pd.DataFrame, clock: str, trajectory: str | None, table: Table, options: ReadOptions, *, named: bool
) -> tuple[np.ndarray | None, TimeSummary]:
    """Return the times of all rows in seconds, and what is to be said of them; `None` where they cannot be read."""
    column = data[clock]
    if not len(column):
        return None, TimeSummary(clock, "", "", None, False, 0, 0, 0, ("no rows",))
    first, last = (str(column.iloc[row]) if len(column) else "" for row in (0, -1))
    try:
        stamps = times_of(column.reset_index(drop=True), options, table.units.get(clock, ""), table.lines)
        kind = stamps.dtype.kind
        plain = kind not in "mM"
        if not plain:
            stamps = (stamps - stamps[0]).astype("timedelta64[ns]").astype(np.float64) / 1e9
        seconds = stamps.astype(np.float64)
    except (DataError, ValueError, TypeError) as error:
        return None, TimeSummary(clock, first, last, None, False, 0, 0, 0, (str(error),))
    if not np.isfinite(seconds).all():
        return None, TimeSummary(clock, first, last, None, False, 0, 0, 0, ("some times are missing",))
    runs = [np.arange(len(seconds))]
    newest = trajectory is None and _newest_first(seconds)
    if newest:
        runs = [runs[0][::-1]]
    if trajectory is not None:
        codes = pd.factorize(data[trajectory])[0]
        runs = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    steps = np.concatenate([np.diff(seconds[rows]) for rows in runs]) if runs else np.empty(0)
    if not len(steps):
        return seconds, TimeSummary(clock, first, last, None, True, 0, 0, 0)
    gaps = [Stamps(seconds[rows], 0.0, seconds[rows]).gaps() for rows in runs]
    usual = float(np.median(steps))
    regular = bool(np.all(np.abs(steps - usual) <= 1e-3 * usual))
    duplicates, backward = int((steps == 0).sum()), int((steps < 0).sum())
    guessed = plain and not named and not (TIME_NAMES.match(clock) or time_unit_in(clock) or time_unit_after(clock))
    findings = [f"{clock} {EVEN}, and is taken for time: if it counts rows, --dt SECONDS"] if guessed else []
    unit = "" if options.time_unit or options.date_format else unit_named(clock, table.units.get(clock, ""))
    findings += [unit] if unit and plain else []
    long = "" if trajectory is not None else tag_and_value(data, clock, seconds)
    if long:
        tag = shlex.quote(long.partition("=")[0])
        findings = [
            f"a row per {tag} and time: --pivot {shlex.quote(long)}, or --trajectory {tag} for runs side by side"
        ]
        return seconds, TimeSummary(clock, first, last, None, False, 0, 0, 0, tuple(findings))
    if count := sum(map(len, gaps)):
        row = next(rows[g[0]] for rows, g in zip(runs, gaps, strict=True) if len(g))
        findings.append(f"{_count(count, 'gap')}, the first after row {row}: --gaps cut")
    if newest:
        findings.append("rows stand newest first: --restarts sort")
    # A zone settles which pass of the hour a row is in.
    local_dates = kind == "M" and options.time_zone is None
    if duplicates:
        repeated = _count(duplicates, "row")
        local = "--time-zone if the end of summer time repeats the hour, else " if local_dates else ""
        findings.append(f"{repeated} of the time of the row before: {local}--duplicates mean")
    if backward:
        what = _backward(seconds, clock_only=kind == "m", dates=local_dates)
        if data.duplicated().any() and seconds[1:][np.diff(seconds) < 0].min() > seconds[0]:
            what = "rows come again: --restarts sort --duplicates first"
        why = (trajectory is None and what) or "several trajectories (--trajectory, or --restarts cut)"
        findings.append(f"{_count(backward, 'step')} backward: {why}")
    if not regular and not (count or duplicates or backward):
        findings.append(f"irregular, steps from {steps.min():.4g} to {steps.max():.4g} s: --resample {usual:.4g}")
    return seconds, TimeSummary(clock, first, last, usual, regular, count, duplicates, backward, tuple(findings))


def _backward(seconds: np.ndarray, *, clock_only: bool, dates: bool) -> str:
    """Return why times step backward: a clock passes midnight, or rows are shuffled; empty for other reasons."""
    steps = np.diff(seconds)
    back, usual = steps[steps < 0], float(np.median(np.abs(steps)))
    if clock_only and (np.abs(back + DAY_SECONDS - usual) <= usual / 2).all():
        return "the clock passes midnight and has no date: add a column of dates, --time DATE,CLOCK"
    if dates and (back >= -HOUR_SECONDS).all():
        return "the hour that the end of summer time repeats (--time-zone), or several trajectories (--trajectory)"
    distinct = len(np.unique(seconds)) / len(seconds)
    shuffled = distinct == 1 or (distinct > MOSTLY and len(back) > len(steps) / 4)
    return "rows are shuffled: --restarts sort" if shuffled else ""


def _newest_first(seconds: np.ndarray) -> bool:
    steps = np.diff(seconds)
    return len(steps) > 0 and bool((steps <= 0).all() and (steps < 0).any())


def _labels(data: pd.DataFrame, seconds: np.ndarray | None, clock: str | None) -> str | None:
    """Return the column that changes exactly where times start again."""
    assert seconds is not None
    backward = np.diff(seconds) < 0
    if backward.mean() > 1 / RUN:
        return None
    for name in data.columns:
        codes = pd.factorize(data[name])[0]
        if name != clock and np.array_equal(np.diff(codes) != 0, backward):
            return str(name)
    return None


def _begins(data: pd.DataFrame, seconds: np.ndarray | None, trajectory: str | None) -> np.ndarray:
    """Return the rows at which another run begins: with another label, or where times go back."""
    if trajectory is not None:
        return np.flatnonzero(np.diff(pd.factorize(data[trajectory])[0])) + 1
    return np.empty(0, dtype=int) if seconds is None else np.flatnonzero(np.diff(seconds) < 0) + 1


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _column(column: pd.Series, unit: str, begins: np.ndarray, *, timed: bool) -> ColumnSummary:
    missing, distinct = int(column.isna().sum()), int(column.nunique())
    name = str(column.name)
    if missing == len(column):
        return ColumnSummary(name, "empty", unit, missing, 0, findings=("empty",))
    if column.dtype.kind == "M" or (timed and not pd.api.types.is_numeric_dtype(column)):
        return ColumnSummary(name, "dates", unit, missing, distinct)
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        examples = ", ".join(map(str, column.dropna().unique()[:3]))
        switch = () if distinct != 2 else (_switch(column),)
        return ColumnSummary(name, "text", unit, missing, distinct, findings=(f"text: {examples}", *switch))
    runs = [run[np.isfinite(run)] for run in np.split(column.to_numpy(dtype=np.float64, na_value=np.nan), begins)]
    known = np.concatenate(runs)
    if not len(known):
        return ColumnSummary(name, "numbers", unit, missing, distinct, findings=("no finite value",))
    held = len(known) > 2 and bool(np.mean(np.diff(known) == 0) > 1 / 2)
    ends = Clipped() if held else clipping([known])
    even = not timed and restarts(column) is not None
    findings = (
        ((EVEN,) if even else ())
        + _odd(name, runs, ends)
        + _cut_off(ends)
        + ((f"{missing} missing",) if missing else ())
    )
    figures = (float(known.min()), float(known.mean()), float(known.max()), float(known.std()))
    return ColumnSummary(name, "numbers", unit, missing, distinct, *figures, held, findings)


def _switch(column: pd.Series) -> str:
    one, other = (shlex.quote(str(text)) for text in column.dropna().unique()[:2])
    return f"as numbers: --true {one} --false {other}"


def _odd(name: str, runs: Sequence[np.ndarray], ends: Clipped) -> tuple[str, ...]:
    """Say whether a sensor is dead, was stuck within its range, or has spikes."""
    known = np.concatenate(runs)
    if np.ptp(known) == 0:
        return ("constant",)
    found = [
        f"stuck for {one.last - one.first + 1} rows from row {one.first}"
        for one in stuck([known])
        if one.value not in (ends.floor, ends.ceiling)
    ][:1]
    if around := rolled_over(runs):
        found.append(f"goes round {_count(around.times, 'time')}: --unwrap {shlex.quote(name)}={around.period:.10g}")
    if code := code_of([known]):
        found.append(
            f"{code.value:.10g} in {_count(code.times, 'row')}, as a code for missing values: "
            f"--missing {code.value:.10g} --gaps cut"
        )
    elif spikes := outliers([known]):
        found.append(f"{_count(len(spikes), 'outlier')}, the first {spikes[0].value:.4g} in row {spikes[0].row}")
    return tuple(found)


def _cut_off(ends: Clipped) -> tuple[str, ...]:
    """Say whether a sensor is at the end of its range."""
    pairs = ((ends.below, "least", ends.floor), (ends.above, "greatest", ends.ceiling))
    return tuple(
        f"cut off at its {what} value {value:.6g} in {_count(count, 'row')}" for count, what, value in pairs if count
    )


def _correlated(data: pd.DataFrame) -> tuple[tuple[str, str, float], ...]:
    varied = [name for name in data.columns if data[name].nunique() > 1]
    if len(varied) < 2 or len(data) < 3:
        return ()
    matrix = data[varied].astype(np.float64).corr().to_numpy()
    pairs = [(i, j) for i in range(len(varied)) for j in range(i) if abs(matrix[i, j]) >= ALIKE]
    return tuple((varied[j], varied[i], float(matrix[i, j])) for i, j in pairs)

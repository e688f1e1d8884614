"""How a file is to be read where it does not say so itself: one object for `read` and for every command."""

import codecs
import shlex
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from .errors import DataError, closest, listing

TEXT, TIME, CELLS, ROWS, GRID = "text", "time", "cells", "rows", "grid"
"""What an option is about: how text becomes cells, a column times, what is missing is filled, rows become trajectories,
and trajectories regular."""
FILL = ("refuse", "hold", "thin")
GAPS = ("refuse", "cut", "keep")
DUPLICATES = ("refuse", "first", "last", "mean")
RESTARTS = ("refuse", "cut", "sort")

PRESETS: dict[str, dict[str, Any]] = {
    "excel-de": {"separator": ";", "decimal": ",", "encoding": "cp1252", "day_first": True},
}
"""What programs write, by name. `excel-de`: spreadsheets in German, and in most of Europe."""

SEPARATORS = {"tab": "\t", "\\t": "\t", "space": "whitespace", " ": "whitespace", "blank": "whitespace"}
"""Other ways to write a separator."""
TIME_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
TIME_UNITS["year"] = 365.25 * TIME_UNITS["d"]
"""Units of numbers that are times, in seconds."""
EXCEL = "excel"
"""The unit of dates as spreadsheets keep them: days since the end of 1899."""


def _option(default: Any, about: str, flag: str) -> Any:
    return field(default=default, metadata={"about": about, "flag": flag})


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a file does not say about itself. Nothing is guessed where two readings are possible.

    **Of text files**

    - `separator`: what stands between cells: a character, `"tab"`, `"whitespace"` (any number of blanks), or `"fixed"`
        (columns of fixed width); by default a comma, a semicolon or a tab, whichever the column names have most of.
    - `decimal`, `thousands`: the marks in numbers, by default a point and none.
    - `encoding`: of files that are not UTF-8, such as `"cp1252"`.
    - `header`: whether there are column names; without, columns are chosen by position (0, 1, ...) or as x1, x2, ...
    - `skip_rows`: lines above the column names that are not part of the table.
    - `skip_footer`: lines at the end that are not part of the table.
    - `units_row`: whether the row below the column names holds their units.
    - `cell_units`: whether cells hold a number and its unit, `21.5 °C`; the unit becomes that of the column.
    - `missing`: texts that stand for a missing value, besides empty cells, NA, NaN and null;
        `read` takes a comma separated text as well.
    - `true`, `false`: texts that stand for 1 and 0, besides True and False.

    **Of times**

    - `date_format`: of dates, as `strptime` has it, `"%d.%m.%y %H:%M"`; by default ISO 8601, or day, month and year
        where the rows leave one reading.
    - `day_first`: whether 01/02/2024 is the first of February.
    - `time_zone`: in which dates without an offset were recorded, `"Europe/Berlin"`. In the hour that the end of summer
        time repeats, the order of the rows decides. Without it dates are taken as they stand.
    - `time_unit`: of numbers that are times: one of ns, us, ms, s, min, h, d, year (365.25 days), or excel for dates as
        spreadsheets keep them, days since the end of 1899; by default that of the units row or of the column name
        (`t [h]`, or `hours`), else seconds.

    **Of rows**

    - `pivot`: columns of tags and of their values, `"tag=value"`, of a table with a row per tag and time: every tag
        becomes a column. States and inputs are then tags.
    - `fill`: what happens to missing cells of inputs: `"refuse"` leaves them to `gaps`, `"hold"` gives them the value
        before, as of inputs that are logged less often than states, or on change; rows in which no state was measured
        are left out then, and so are those before the first value of an input. `"thin"` holds inputs, too, and leaves
        out rows in which any state is missing, so that the state that is logged most seldom sets the sample time.
    - `unwrap`: columns that go round, as counters that overflow and angles do, with their period: `"encoder=65536"`;
        several as one comma separated text, or a mapping.
    - `restarts`: what happens where times go back: `"refuse"` raises, `"cut"` begins another trajectory there, for runs
        that stand below one another without a column of labels; `"sort"` puts rows in the order of their times.
    - `gaps`: what happens where rows or cells are missing: `"refuse"` raises, `"cut"` ends the trajectory there and
        begins another, labelled with a number, and says how many rows were lost; `"keep"` takes times as they stand.
    - `duplicates`: what happens to rows of one time: `"refuse"` raises, `"first"`, `"last"`, `"mean"` make one row.
    - `resample`: a sample time in seconds to interpolate to, as `Trajectories.resample` does.

    `named` says which options `given` was given, also those that are as they are by default: see `over`.

    **Raises:** `DataError` for values that mean nothing.
    """

    separator: str | None = _option(None, TEXT, "--separator")
    decimal: str = _option(".", TEXT, "--decimal")
    thousands: str | None = _option(None, TEXT, "--thousands")
    encoding: str | None = _option(None, TEXT, "--encoding")
    header: bool = _option(True, TEXT, "--no-header")
    skip_rows: int = _option(0, TEXT, "--skip-rows")
    skip_footer: int = _option(0, TEXT, "--skip-footer")
    units_row: bool = _option(False, TEXT, "--units-row")
    cell_units: bool = _option(False, TEXT, "--cell-units")
    missing: tuple[str, ...] = _option((), TEXT, "--missing")
    true: tuple[str, ...] = _option((), TEXT, "--true")
    false: tuple[str, ...] = _option((), TEXT, "--false")
    date_format: str | None = _option(None, TIME, "--date-format")
    day_first: bool | None = _option(None, TIME, "--day-first")
    time_zone: str | None = _option(None, TIME, "--time-zone")
    time_unit: str | None = _option(None, TIME, "--time-unit")
    pivot: str | None = _option(None, CELLS, "--pivot")
    fill: str = _option("refuse", CELLS, "--fill")
    unwrap: tuple[str, ...] = _option((), CELLS, "--unwrap")
    restarts: str = _option("refuse", ROWS, "--restarts")
    gaps: str = _option("refuse", ROWS, "--gaps")
    duplicates: str = _option("refuse", ROWS, "--duplicates")
    resample: float | None = _option(None, GRID, "--resample")
    named: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.separator is not None:
            object.__setattr__(self, "separator", SEPARATORS.get(self.separator, self.separator))
            if len(self.separator) != 1 and self.separator not in ("whitespace", "fixed"):
                raise _wrong("separator", self.separator, "one character, tab, whitespace or fixed")
        if self.decimal not in (".", ","):
            raise _wrong("decimal", self.decimal, "'.' or ','")
        if self.thousands is not None and (len(self.thousands) != 1 or self.thousands == self.decimal):
            raise _wrong("thousands", self.thousands, "one character other than the decimal mark")
        if self.decimal == self.separator:
            raise _wrong("separator", self.separator, "another character than the decimal mark")
        for name in ("skip_rows", "skip_footer"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise _wrong(name, count, "a number of lines of at least 0")
        if self.time_unit is not None and self.time_unit not in (*TIME_UNITS, EXCEL):
            raise _wrong("time_unit", self.time_unit, "one of " + ", ".join((*TIME_UNITS, EXCEL)))
        for name, known in (("gaps", GAPS), ("duplicates", DUPLICATES), ("fill", FILL), ("restarts", RESTARTS)):
            if getattr(self, name) not in known:
                raise _wrong(name, getattr(self, name), "one of " + ", ".join(known))
        self.periods()
        if self.pivot is not None and not all(self.pivot.partition("=")):
            raise _wrong("pivot", self.pivot, "columns of tags and values, such as 'tag=value'")
        if self.time_zone is not None:
            _check_zone(self.time_zone)
        if self.encoding is not None:
            _check_encoding(self.encoding)

    @classmethod
    def given(cls, like: str | None = None, **options: Any) -> "ReadOptions":
        """Return the options of these names, over those of the preset `like`; `DataError` for unknown names."""
        known = [option.name for option in _options()]
        for name in options:
            if name not in known:
                raise DataError(
                    f"there is no option {name!r}.{closest(name, known)} The options are: {listing([*known, 'like'])}."
                )
        if like is not None and like not in PRESETS:
            raise _wrong("like", like, f"one of {listing(PRESETS)}")
        options |= {name: _texts(options[name]) for name in ("missing", "true", "false", "unwrap") if name in options}
        chosen = {**(PRESETS[like] if like else {}), **options}
        return cls(**chosen, named=frozenset(chosen))

    def periods(self) -> dict[str, float]:
        """Return the periods of columns that go round, by their names; `DataError` for others than positive numbers."""
        found = {}
        for text in self.unwrap:
            name, _, period = text.rpartition("=")
            try:
                found[name] = float(period)
            except ValueError:
                found[name] = 0.0
            if not name or not 0 < found[name] < float("inf"):
                raise _wrong("unwrap", text, "a column and its period, such as 'angle=360'")
        return found

    def changed(self, about: str | None = None) -> dict[str, Any]:
        """Return the options that are not what they are by default, of one kind or of all."""
        return {
            option.name: getattr(self, option.name)
            for option in _options()
            if getattr(self, option.name) != option.default and about in (None, option.metadata["about"])
        }

    def over(self, other: "ReadOptions") -> "ReadOptions":
        """Return `other` with the options that are changed or `named` here in place of its own."""
        own = {name: getattr(self, name) for name in sorted({*self.changed(), *self.named})}
        return replace(other, **own, named=self.named | other.named)

    def written(self) -> str:
        """Return the options that are changed, as they are written in Python and on the command line."""
        changed = self.changed()
        python = ", ".join(f"{name}={_plain(value)!r}" for name, value in changed.items())
        return f"{python} ({flags(changed)})"


def flags(changed: Mapping[str, Any]) -> str:
    """Return options as they are typed on the command line."""
    typed = {option.name: option.metadata["flag"] for option in _options()}
    pieces = []
    for name, value in changed.items():
        if isinstance(value, bool):
            plain = value or not typed[name].startswith("--day")
            pieces.append(typed[name] if plain else "--month-first")
        else:
            pieces.append(f"{typed[name]} {shlex.quote(str(_plain(value)).replace(chr(9), 'tab'))}")
    return " ".join(pieces)


def _options() -> list[Field[Any]]:
    return [option for option in fields(ReadOptions) if "flag" in option.metadata]


def _plain(value: Any) -> Any:
    return ",".join(value) if isinstance(value, tuple) else value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(f"{name}={period}" for name, period in value.items())
    if isinstance(value, str):
        return tuple(text.strip() for text in value.split(",") if text.strip())
    return tuple(str(text).strip() for text in value)


def _wrong(name: str, came: object, expected: str) -> DataError:
    return DataError(f"{name}={came!r}: expected {expected}.")


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _wrong("time_zone", name, "the name of a time zone, such as 'Europe/Berlin' or 'UTC'") from error


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise _wrong("encoding", name, "a text encoding, such as 'cp1252', 'latin-1' or 'utf-16'") from error

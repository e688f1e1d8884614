"""Time stamps as files have them, texts or numbers, to dates and seconds by stated rules."""

import re
import warnings

import numpy as np
import pandas as pd

from sparsedyn._warnings import SparsedynWarning

from .errors import DataError, in_all
from .options import EXCEL, TIME_UNITS, ReadOptions
from .units import in_brackets, time_unit_after, time_unit_in

ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7, "JST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours east of UTC by abbreviations that mean one zone; CST, IST, BST and the like mean several."""
ZONE = re.compile(r"^(?P<stamp>.*\d)\s*(?P<zone>[A-Z]{1,5})$")
NUMERIC = re.compile(
    r"^(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})\.?(?:(?:[ T]+|,\s*)(?P<clock>.*))?$"
)
CLOCK = re.compile(r"^(?:\d+ days?,? )?\d{1,3}:\d{2}:\d{2}(?:[.,]\d+)?$")
MONTHS = tuple(
    f"{day}{clock}"
    for day in ("%d-%b-%y", "%d-%b-%Y", "%d %b %y", "%d %b %Y", "%b %d, %Y", "%d/%b/%Y")
    for clock in (" %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "")
)
"""Formats with the name of a month that are proposed, where they read all rows."""
OFFSET = re.compile(r"\d\s*(?:Z|[+-]\d{2}(?::?\d{2})?)$")
SERIALS = (20_000.0, 80_000.0)
"""Days of spreadsheets from 1954 to 2119."""
EPOCHS = {"ns": 1e17, "us": 1e14, "ms": 1e11}
"""Numbers from which on these units are meant as time since 1970."""
LAST = 9e9
"""Seconds since 1970 that dates reach."""
DIGITS = re.compile(r"(?:%[YmdHMSyj])+")
"""Formats of digits without anything between them."""
CALENDARS = (("%Y%m%d", 1.9e7, 2.1e7), ("%Y%m%d%H%M", 1.9e11, 2.1e11), ("%Y%m%d%H%M%S", 1.9e13, 2.1e13))
"""Formats of dates that are written as numbers, and between which numbers these are."""
DATED = re.compile(r"date|datum|fecha|timestamp", re.IGNORECASE)
NO_DATE = "numbers (seconds) or dates such as '2024-05-31 12:00:00.5' are expected"


def times_of(column: pd.Series, options: ReadOptions, unit: str, lines: np.ndarray | None) -> np.ndarray:
    """Return a column of times as seconds, dates (UTC, or as they stand), or durations.

    `unit` is that of the file for numbers, where `options` say none; `lines` are those of the file, for messages.

    **Raises:** `DataError`, naming the row, for texts that are no dates and for dates that can be read in two ways.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    if column.dtype.kind == "M":
        return _zoned(column, options, lines).to_numpy()
    if column.dtype.kind == "m":
        return column.to_numpy()
    if pd.api.types.is_complex_dtype(column):
        raise DataError(f"column {column.name!r} holds complex numbers; {NO_DATE}.")
    if pd.api.types.is_numeric_dtype(column):
        if options.date_format is not None:
            return _of_texts(_digits(column, options.date_format), options, lines)
        if options.time_unit == EXCEL:
            return _zoned(_of_serials(column, lines), options, lines).to_numpy()
        known = options.time_unit or unit_of(str(column.name), unit)
        scale = TIME_UNITS[known or "s"]
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if options.time_unit is None and not (unit or in_brackets(str(column.name))):
            check_calendar(values, f"column {column.name!r}")
        if not known:
            check_epoch(values, f"column {column.name!r}")
            _check_serials(values, str(column.name))
        largest = float(np.abs(values).max(initial=0.0))
        if known in EPOCHS and largest >= EPOCHS[known] and largest * scale <= LAST:
            return _since_1970(column, scale)
        return values if scale == 1.0 else values * scale
    texts = column.astype(object).where(column.notna(), "")
    if len(texts) and all(isinstance(text, str) for text in texts):
        return _of_texts(texts.str.strip(), options, lines)
    return column.to_numpy()


def unit_of(name: str, unit: str = "") -> str:
    """Return the unit of a column of numbers that are times: that of the file, or of the name; empty for neither."""
    said = unit or in_brackets(name)
    return said if said in TIME_UNITS else time_unit_in(said or name) or ("" if said else time_unit_after(name))


def unit_named(name: str, unit: str = "") -> str:
    """Return what is to be said where the name of a column of times is its unit, or ends in it; else nothing."""
    found = "" if unit or in_brackets(name) else time_unit_in(name) or time_unit_after(name)
    if found in ("", "s"):
        return ""
    scale = f"{TIME_UNITS[found]:.10g} s"
    return f"{name} is read in the unit of its name, {scale}: time_unit='s' (--time-unit s) for seconds"


def say_unit(column: pd.Series, unit: str = "", *, stacklevel: int = 5) -> None:
    """Warn where numbers are converted to seconds because of the column's name."""
    if pd.api.types.is_numeric_dtype(column) and (text := unit_named(str(column.name), unit)):
        warnings.warn(f"Column {text}.", SparsedynWarning, stacklevel=stacklevel)


def joined(frame: pd.DataFrame, names: list[str]) -> pd.Series:
    """Return a column of times, or one of dates and one of clock times as one column of texts."""
    if len(names) == 1:
        return frame[names[0]]
    date, clock = (frame[name] for name in names)
    days = date.dt.strftime("%Y-%m-%d") if date.dtype.kind == "M" else date.astype("string")
    times = clock.astype("string").str.replace(r"^0 days ", "", regex=True)
    found = (days.str.strip() + " " + times.str.strip()).astype(object)
    return pd.Series(found, name=",".join(names))


def _of_serials(column: pd.Series, lines: np.ndarray | None) -> pd.Series:
    """Return dates of spreadsheets, days since the end of 1899, to the millisecond."""
    values = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index, name=column.name)
    odd = ~values.between(*SERIALS)
    _check(values.astype(str), odd, "no date of a spreadsheet, which are numbers of days such as 45292.5", lines)
    dates = pd.Timestamp("1899-12-30") + pd.to_timedelta(np.round(values * 86_400_000), unit="ms")
    return pd.Series(dates, index=column.index, name=column.name)


def _check_serials(values: np.ndarray, name: str) -> None:
    """Raise `DataError` for numbers that a column of dates may have as days of a spreadsheet."""
    known = values[np.isfinite(values)]
    if not len(known) or not SERIALS[0] <= known.min() <= known.max() <= SERIALS[1]:
        return
    parts_of_days = (known % 1 != 0).any() and np.median(np.diff(np.unique(known))) < 1
    if DATED.search(name) or parts_of_days:
        day = pd.Timestamp("1899-12-30") + pd.Timedelta(days=float(known[0]))
        raise DataError(
            f"column {name!r}: {known[0]:.10g} may be seconds, or {day:%Y-%m-%d} as spreadsheets keep dates. Say which "
            "with time_unit='excel' (--time-unit excel) or time_unit='s' (--time-unit s)."
        )


def _since_1970(column: pd.Series, scale: float) -> np.ndarray:
    """Return dates of numbers since 1970, to the nanosecond; as seconds, large numbers would lose their last digits."""
    each = round(scale * 1e9)
    if pd.api.types.is_integer_dtype(column):
        return (column.to_numpy(dtype=np.int64) * each).astype("datetime64[ns]")
    values = column.to_numpy(dtype=np.float64)
    whole = np.floor(values)
    return (whole.astype(np.int64) * each + np.round((values - whole) * each).astype(np.int64)).astype("datetime64[ns]")


def _digits(column: pd.Series, form: str) -> pd.Series:
    """Return whole numbers as the digits that they were, with the zeros in front that a format of digits has.

    **Raises:** `DataError` for other numbers: 12.1 may have been 12.10.
    """
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = np.flatnonzero(values % 1 > 0)
    if len(odd):
        place = f"column {column.name!r}, row {int(column.index[odd[0]])}"
        raise DataError(
            f"{place}: the number {float(values[odd[0]])!r}, whose last digits may be lost; for the format {form!r} "
            "texts or whole numbers are expected. Give the column as texts."
        )
    width = len(pd.Timestamp("2000-11-11 11:11:11").strftime(form)) if DIGITS.fullmatch(form) else 0
    texts = ["" if np.isnan(value) else f"{value:.0f}".zfill(width) for value in values.tolist()]
    return pd.Series(texts, index=column.index, name=column.name, dtype=object)


def check_calendar(values: np.ndarray, place: str) -> None:
    """Raise `DataError` for numbers all of which are days, or days and clock times, written as digits: 20240531."""
    known = values[np.isfinite(values)]
    if len(known) < 2 or (known % 1 != 0).any():
        return
    for form, least, most in CALENDARS:
        if not least <= known.min() <= known.max() <= most:
            continue
        dates = pd.to_datetime(pd.Series([f"{value:.0f}" for value in known]), format=form, errors="coerce")
        if dates.notna().all():
            raise DataError(
                f"{place}: {known[0]:.0f} may be a number of seconds, or {dates[0]} written as digits. Say which with "
                f"date_format={form!r} (--date-format {form!r}) or time_unit='s' (--time-unit s)."
            )


def check_epoch(values: np.ndarray, place: str) -> None:
    """Raise `DataError` for numbers that would be thousands of years as seconds, but are dates as milliseconds."""
    known = np.abs(values[np.isfinite(values)])
    largest = float(np.max(known, initial=0.0))
    if largest > 9e18:
        return  # no date either
    for unit, least in EPOCHS.items():
        if largest >= least:
            raise DataError(
                f"{place}: {largest:.16g} seconds are {largest / 3.15e7:.0f} years; as {unit} since 1970 it is "
                f"{pd.Timestamp(int(largest), unit=unit):%Y-%m-%d}. Say the unit with "
                f"time_unit='{unit}' (--time-unit {unit}), or time_unit='s' (--time-unit s) for seconds."
            )


def _of_texts(texts: pd.Series, options: ReadOptions, lines: np.ndarray | None) -> np.ndarray:
    if options.date_format is not None:
        dates = pd.to_datetime(texts, format=options.date_format, errors="coerce", utc="%z" in options.date_format)
        _check(texts, dates.isna(), f"no date of the format {options.date_format!r}", lines)
        if isinstance(dates.dtype, pd.DatetimeTZDtype):
            return dates.dt.tz_localize(None).to_numpy()
        return _zoned(dates, options, lines).to_numpy()
    given = texts
    _check(given, texts == "", f"empty; {NO_DATE}", lines)
    if texts.str.fullmatch(CLOCK).all():
        return pd.to_timedelta(texts.str.replace(r", (?=\d)", " ", regex=True).str.replace(",", ".")).to_numpy()
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    if numbers.any():
        # Mostly numbers and some text: the text is the mistake, not the numbers that are no dates.
        _check(texts, ~numbers, "text, where other rows have numbers; a number is expected", lines)
    # What is put together from parts has no name: messages show what was given.
    texts = _without_zone_names(texts, lines)
    texts.name = given.name
    if (parts := texts.str.extract(NUMERIC))["a"].notna().all():
        texts = _year_first(texts, parts, options, lines)
        texts.name = given.name
    dates = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    if dates.isna().all() and texts.str.contains("[A-Za-z]{3}", regex=True).all():
        dates = pd.to_datetime(texts, format=_guessed(texts.iloc[0]), errors="coerce", utc=True)
    if dates.isna().any():
        fits = [one for one in MONTHS if pd.to_datetime(texts, format=one, errors="coerce").notna().all()]
        form = f"date_format={fits[0]!r} (--date-format {fits[0]!r})" if fits else "date_format= (--date-format)"
        _check(given, dates.isna(), f"no date that can be read; {NO_DATE}. Others need {form}", lines)
    offset = texts.str.contains(OFFSET, regex=True) & (texts.str.len() > len("2024-05-31"))
    if offset.all():
        return dates.dt.tz_localize(None).to_numpy()
    if offset.any():
        _check(given, ~offset, "no offset from UTC, where other rows have one; give every row one", lines)
    dates.name = given.name
    return _zoned(dates.dt.tz_localize(None), options, lines).to_numpy()


def _guessed(text: str) -> str:
    """Return the format of a date with the name of a month, which has one reading."""
    from pandas.tseries.api import guess_datetime_format

    return guess_datetime_format(text) or "ISO8601"


def _without_zone_names(texts: pd.Series, lines: np.ndarray | None) -> pd.Series:
    parts = texts.str.extract(ZONE)
    named = parts["zone"].notna() & ~parts["zone"].isin(["Z", "AM", "PM"])
    if not named.any():
        return texts
    hours = parts["zone"].map(ZONES)
    _check(
        texts, named & hours.isna(), f"a zone that is none of {', '.join(ZONES)}, or means several. Write offsets such "
        "as +02:00 instead, or remove the names and give time_zone= (--time-zone)", lines,
    )  # fmt: skip
    offsets = hours.map(lambda hour: "" if np.isnan(hour) else f"{int(hour):+03d}:00")
    return texts.where(~named, parts["stamp"].str.strip() + offsets)


def _year_first(texts: pd.Series, parts: pd.DataFrame, options: ReadOptions, lines: np.ndarray | None) -> pd.Series:
    """Return dates of three numbers in the order of ISO 8601."""
    clock = parts["clock"].fillna("").str.replace(",", ".").str.strip()
    twelve = clock.str.contains(r"[ap]\.?m\.?$", case=False, regex=True)
    if twelve.any():
        hours = pd.to_datetime(clock.str.upper(), format="%I:%M:%S %p", errors="coerce")
        hours = hours.fillna(pd.to_datetime(clock.str.upper(), format="%I:%M %p", errors="coerce"))
        _check(texts, hours.isna(), "no time of day that can be read; give date_format= (--date-format)", lines)
        clock = hours.dt.strftime("%H:%M:%S")
    clock = clock.str.replace(r"^(\d):", r"0\1:", regex=True)
    a, b, c = (parts[name] for name in "abc")
    if (a.str.len() == 4).all():
        year, month, day = a, b, c
    else:
        _check(texts, c.str.len() != 4, "a year of other than four digits; give date_format= (--date-format)", lines)
        first, second = a.astype(int), b.astype(int)
        if options.day_first is None and not ((first > 12).any() or (second > 12).any()):
            raise DataError(
                f"{_place(texts, 0, lines)}: {texts.iloc[0]!r} may be day {first.iloc[0]} of month {second.iloc[0]} or "
                f"month {first.iloc[0]}, day {second.iloc[0]}, and no row tells. Say which with day_first=True "
                "(--day-first) or day_first=False (--month-first)."
            )
        day_first = bool((first > 12).any()) if options.day_first is None else options.day_first
        year, month, day = (c, b, a) if day_first else (c, a, b)
        order = "day first" if day_first else "month first"
        _check(texts, month.astype(int) > 12, f"no date where others have the {order}; give day_first=", lines)
    day, month = day.str.zfill(2), month.str.zfill(2)
    return year + "-" + month + "-" + day + clock.where(clock == "", " " + clock)


def _zoned(dates: pd.Series, options: ReadOptions, lines: np.ndarray | None) -> pd.Series:
    """Return local dates as UTC, where their zone is known; as they stand where it is not.

    Where the clock shows an hour twice, a row is in that hour which is nearer to the usual step after the row before.
    """
    if options.time_zone is None:
        return dates

    def utc(summer: bool) -> pd.Series:
        shape = np.full(len(dates), summer)
        known = dates.dt.tz_localize(options.time_zone, ambiguous=shape, nonexistent="NaT")
        return known.dt.tz_convert("UTC").dt.tz_localize(None)

    first, second = utc(True), utc(False)
    never = first.isna() & dates.notna()
    _check(dates.astype(str), never, f"a local time that {options.time_zone} never has; write offsets", lines)
    twice = np.flatnonzero((first != second).to_numpy() & dates.notna().to_numpy())
    if not len(twice):
        return first
    at_start = pd.Series(np.arange(len(dates)) == (0 if twice[0] == 0 else -1), index=dates.index)
    unknown = f"a local time that {options.time_zone} has twice, and no row before tells which; write offsets"
    _check(dates.astype(str), at_start, unknown, lines)
    early, late = (part.to_numpy().astype("datetime64[ns]").astype(np.int64) for part in (first, second))
    usual = float(np.median(np.diff(early)))
    for row in twice:
        steps = np.array([early[row], late[row]]) - early[row - 1]
        later = steps[0] < 0 or abs(steps[1] - usual) < abs(steps[0] - usual)
        early[row] = late[row] if later else early[row]
    return pd.Series(early.astype("datetime64[ns]"), index=dates.index, name=dates.name)


def _check(texts: pd.Series, bad: pd.Series, what: str, lines: np.ndarray | None) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise DataError(f"{_place(texts, row, lines)}: {texts.iloc[row]!r}: {what}{in_all(int(bad.sum()))}.")


def _place(column: pd.Series, row: int, lines: np.ndarray | None) -> str:
    number = int(column.index[row])
    return f"column {column.name!r}, row {number}" + ("" if lines is None else f" (line {lines[number]} of the file)")

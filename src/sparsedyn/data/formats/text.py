"""Tables in text files: lines of cells under a row of names, read with pandas and converted by stated rules."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..errors import DataError
from ..options import ReadOptions
from ..tables import Table
from ..units import unit_in

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "-nan", "<NA>")
TRUE, FALSE = ("True", "true", "TRUE"), ("False", "false", "FALSE")

QUOTED = re.compile(r'"[^"]*"')
"""Marks within quotes separate nothing."""
UNIT_OF_CELL = re.compile(r"^\s*(?P<number>[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\W\d_]\S*|[%°‰]\S*)\s*$")
MORE = 1000
"""Cells beyond the last column that a line may have, all empty."""


class Head(NamedTuple):
    """What stands above the first row: comment lines, names and units of columns, the separator, the next line."""

    comments: list[str]
    names: list[str]
    units: list[str]
    separator: str
    next: int


def decoded(content: bytes, encoding: str | None) -> str:
    """Return the text of a file: UTF-8, what a byte-order mark says, or else the encoding that is given.

    **Raises:** `DataError` naming the line for bytes that are none of these.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    if encoding is None:
        raise DataError(f"line {line} is no UTF-8 text; save the file as CSV in UTF-8, or say its encoding.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"line {line} is no {encoding} text either ({error.reason}); give another encoding.") from error


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them; `splitlines` would take other characters for ends as well."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def rows_of(content: bytes, options: ReadOptions) -> list[str]:
    """Return the lines of a file but those that are below its table."""
    lines = lines_of(decoded(content, options.encoding))
    return lines[: max(0, len(lines) - options.skip_footer)]


def head_of(lines: Sequence[str], options: ReadOptions) -> Head:
    """Return what stands above the first row.

    Empty lines and lines that begin with # are passed over; a first line such as `sep=;` names the separator.

    **Raises:** `DataError` for a file without names, and for numbers in their place.
    """
    start, named = options.skip_rows, None
    if len(lines) > start and lines[start].lower().startswith("sep=") and len(lines[start].strip()) <= len("sep=;"):
        named, start = lines[start][4:5], start + 1
    comments = []
    while start < len(lines) and (not lines[start].strip(" ,;\t") or lines[start].startswith(("#", '"#'))):
        if lines[start].startswith(("#", '"#')):
            comments.append(lines[start])
        start += 1
    if start == len(lines):
        raise DataError("the file has no row of column names; the first row must hold the names of the columns.")
    separator = options.separator or named or max(",;\t", key=QUOTED.sub("", lines[start]).count)
    first = cells_of(lines[start], separator)
    numbers = all(_is_number(cell, options) for cell in first if cell) and any(first)
    if not options.header:
        return Head(comments, [f"x{i + 1}" for i in range(len(first))], [""] * len(first), separator, start)
    if numbers:
        raise DataError(
            f"line {start + 1}, the first row, holds numbers ({first[0]!r}, ...) where the names of the columns are "
            "expected; put a row of column names above it (rows that start with '#' are comments), or say that there "
            "is none with header=False (--no-header) and choose columns by position."
        )
    while first and not first[-1]:
        first.pop()  # a separator at the end of the line makes no column
    units = [unit_in(name) for name in first]
    if options.units_row:
        below = cells_of(lines[start + 1], separator) if start + 1 < len(lines) else []
        units = [unit.strip("[]() ") for unit in (*below, *first)][: len(first)]
    return Head(comments, first, units, separator, start + 1 + options.units_row)


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without the blanks around them."""
    if separator in ("whitespace", "fixed"):
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def table_of(
    lines: Sequence[str],
    head: Head,
    options: ReadOptions,
    wanted: Sequence[str] | None = None,
    texts: Sequence[str] = (),
) -> Table:
    """Return the columns of a text file, or those `wanted`: numbers where a column has nothing else, else its text.

    Lines without any cell are left out, and empty cells beyond the last column. `texts` are columns that stay text.

    **Raises:** `DataError` for lines with more cells than there are columns.
    """
    cells, numbers = _cells(lines, head)
    units = list(head.units)
    if options.cell_units:
        for i in range(len(head.names)):
            cells[i], unit = without_unit(cells[i])
            units[i] = unit or units[i]
    places = [i for i, name in enumerate(head.names) if wanted is None or name in wanted]
    converted = {
        i: cells[i].mask(cells[i] == "", None) if head.names[i] in texts else _converted(cells[i], options)
        for i in places
    }
    names = [head.names[i] for i in places]
    frame = pd.DataFrame(converted).set_axis(names, axis=1)
    return Table(frame, numbers, {head.names[i]: units[i] for i in places})


def without_unit(column: pd.Series) -> tuple[pd.Series, str]:
    """Return cells without the unit that follows every number of a column, and that unit; as they are for others."""
    parts = column.str.extract(UNIT_OF_CELL)
    found = parts["unit"].dropna().unique()
    numbers = parts["number"].notna()
    if len(found) != 1 or not numbers.any():
        return column, ""
    return parts["number"].where(numbers, column), str(found[0])


def _cells(lines: Sequence[str], head: Head) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all cells as text, and the line that each row stands on."""
    width = len(head.names)
    body = "\n".join(lines[head.next :])
    if not body.strip():
        return pd.DataFrame({i: pd.Series(dtype=str) for i in range(width)}), np.empty(0, dtype=int)
    shared: dict[str, Any] = {"header": None, "dtype": str, "na_filter": False, "skip_blank_lines": False}
    try:
        if head.separator == "fixed":
            frame = pd.read_fwf(io.StringIO(body), **shared)
        else:
            separator = r"\s+" if head.separator == "whitespace" else head.separator
            # As many columns as the longest line has: separators at the ends of lines make empty cells.
            widest = max(line.count(head.separator) for line in lines[head.next :]) + 1 if len(separator) == 1 else 0
            names = range(min(max(width, widest), width + MORE) + 1)
            frame = pd.read_csv(io.StringIO(body), sep=separator, names=names, index_col=False, **shared)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise DataError(_odd_line(lines, head) or f"the lines cannot be read ({error}).") from error
    frame = frame.reindex(columns=range(max(width, frame.shape[1]))).fillna("")
    numbers = np.arange(len(frame)) + head.next + 1
    filled = (frame != "").to_numpy()
    if filled[:, width:].any():
        raise DataError(_odd_line(lines, head) or "a line has more cells than there are column names.")
    kept = filled.any(axis=1)
    return frame.loc[kept, range(width)].reset_index(drop=True), numbers[kept]


def _odd_line(lines: Sequence[str], head: Head) -> str | None:
    """Name the first line that has more cells than there are column names."""
    for number, line in enumerate(lines[head.next :], start=head.next + 1):
        if len(cells_of(line, head.separator)) > len(head.names) and cells_of(line, head.separator)[-1]:
            return (
                f"line {number} has {len(cells_of(line, head.separator))} cells, but there are {len(head.names)} "
                "column names; every row needs one cell per column."
            )
    return None


def _converted(column: pd.Series, options: ReadOptions) -> pd.Series:
    """Return a column as numbers, with NaN for what is missing; as text where anything else is in it."""
    column = column.str.strip()
    missing = column.isin((*MISSING, *options.missing))
    true, false = column.isin((*TRUE, *options.true)), column.isin((*FALSE, *options.false))
    plain = column[~(missing | true | false)]
    if options.thousands:
        plain = plain.str.replace(options.thousands, "", regex=False)
    if options.decimal == ",":
        plain = plain.where(~plain.str.contains(".", regex=False), "x").str.replace(",", ".", regex=False)
    values = pd.Series(np.where(true, 1.0, np.where(false, 0.0, np.nan)), index=column.index)
    try:
        # Python's own conversion keeps every digit; underscores, which it would pass over, are no numbers here.
        values[plain.index] = plain.where(~plain.str.contains("_", regex=False), "x").to_numpy(object).astype(float)
    except ValueError:
        return column.mask(missing, None)
    # A number that stands for a missing value may be written in several ways, -9999 and -9999.0.
    codes = [float(text) for text in options.missing if _is_number(text, options)]
    return values.mask(values.isin(codes), np.nan) if codes else values


def _is_number(text: str, options: ReadOptions) -> bool:
    try:
        float(text.replace(",", ".") if options.decimal == "," else text)
    except ValueError:
        return False
    return True

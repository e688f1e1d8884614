"""Tables in text files: lines of cells under a row of names, read with pandas and converted by stated rules."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from ..budget import check_numbers
from ..errors import DataError
from ..options import ReadOptions
from ..tables import Table
from ..units import unit_in
from .lines import BLOCK, TextFile

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "-nan", "<NA>")
TRUE, FALSE = ("True", "true", "TRUE"), ("False", "false", "FALSE")

QUOTED = re.compile(r'"[^"]*"')
"""Marks within quotes separate nothing."""
FORTRAN = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))[dD]([+-]?\d+)$")
"""Numbers as Fortran writes those of double precision, 1.0D+02."""
UNIT_OF_CELL = re.compile(r"^\s*(?P<number>[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\W\d_]\S*|[%°‰]\S*)\s*$")
OTHER_MARKS = " (not with the marks that are stated)"
MORE = 1000
"""Cells beyond the last column that a line may have, all empty."""
WIDEST = 20_000
"""Columns, at most."""
TALLEST = 20
"""Lines that a cell goes over, at most."""


class Head(NamedTuple):
    """What stands above the first row: comment lines, names and units of columns, the separator, the next line."""

    comments: list[str]
    names: list[str]
    units: list[str]
    separator: str
    next: int


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
    text, below = whole_line(lines, start)
    separator = options.separator or named or max(",;\t", key=QUOTED.sub("", text).count)
    first = cells_of(text, separator)
    if len(first) > WIDEST:
        raise DataError(
            f"line {start + 1}, the first row, has {len(first)} columns; expected at most {WIDEST}. Convert the table "
            "to .npz, or write a row per sample where it has a column per sample."
        )
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
    if options.units_row and below < len(lines):
        text, below = whole_line(lines, below)
        said = [unit.strip("[]() ") for unit in cells_of(text, separator)]
        units = [one or other for one, other in zip_longest(said[: len(first)], units, fillvalue="")]
    return Head(comments, first, units, separator, below)


def whole_line(lines: Sequence[str], start: int) -> tuple[str, int]:
    """Return a line with those that a cell within quotes goes on in, put together by blanks; and the next place."""
    marks = lines[start].count('"')
    for end in range(start + 1, min(start + TALLEST, len(lines)) if marks % 2 else 0):
        marks += lines[end].count('"')
        if marks % 2 == 0:
            parts = (line.strip() for line in lines[start : end + 1])
            return " ".join(part for part in parts if part), end + 1
    return lines[start], start + 1


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without the blanks around them."""
    if separator in ("whitespace", "fixed"):
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error as error:
        raise DataError(f"the line that begins with {line[:40]!r} cannot be divided into cells ({error}).") from error


def table_of(
    file: TextFile,
    head: Head,
    options: ReadOptions,
    wanted: Sequence[str] | None = None,
    texts: Sequence[str] = (),
    side_by_side: Sequence[tuple[str, ...]] = (),
) -> Table:
    """Return the columns of a text file, or those `wanted`: numbers where a column has nothing else, else its text.

    Lines without any cell are left out, and empty cells beyond the last column. `texts` are columns that stay text,
    `side_by_side` the names of those that become blocks of the table.

    **Raises:** `DataError` for lines with more cells than there are columns.
    """
    places = [i for i, name in enumerate(head.names) if wanted is None or name in wanted]
    rows = max(0, file.size - options.skip_footer - head.next)
    check_numbers(rows, len(places) + 1, claimed=f"{rows} lines of {len(places)} columns")
    blocks = {names: np.empty((rows, len(names))) for names in side_by_side}
    rooms = {name: block[:, k] for names, block in blocks.items() for k, name in enumerate(names)}
    columns = {i: _Column(rows, rooms.get(head.names[i]), label=head.names[i] in texts) for i in places}
    rows, lines = _fill(columns, file, head, options)
    if late := {i: column for i, column in columns.items() if column.late}:
        for column in late.values():
            column.again()
        _fill(late, file, head, options)
    units = {i: (*columns[i].units, head.units[i])[0] for i in places}
    of_numbers = {head.names[i] for i, column in columns.items() if column.numbers is not None}
    frame = pd.DataFrame({i: columns.pop(i).values(rows) for i in places}, copy=False)
    names = [head.names[i] for i in places]
    numbers = np.concatenate(lines) if lines else np.empty(0, np.int32)
    whole = {names: block[:rows] for names, block in blocks.items() if of_numbers.issuperset(names)}
    return Table(frame.set_axis(names, axis=1), numbers, {head.names[i]: unit for i, unit in units.items()}, whole)


class _Column:
    """A column that comes some rows at a time: numbers, in one array for all, until there is anything else."""

    def __init__(self, rows: int, room: np.ndarray | None = None, *, label: bool):
        self.rows, self.label, self.room = rows, label, room
        self.numbers: np.ndarray | None = None
        self.texts: list[pd.Series] | None = [] if label else None
        self.units: set[str] = set()
        self.late = False
        """Whether texts came after rows whose texts are gone by then."""

    def add(self, cells: pd.Series, start: int, options: ReadOptions) -> None:
        """Take the cells of rows from `start` on."""
        if options.cell_units and not self.late:
            cells, unit = without_unit(cells)
            self.units |= {unit} - {""}
            self.late = len(self.units) > 1
        if self.texts is None:
            values = _converted(cells, options)
            if values.dtype == np.float64:
                if self.numbers is None:
                    self.numbers = np.empty(self.rows) if self.room is None else self.room
                self.numbers[start : start + len(values)] = values
                return
            self.numbers, self.texts, self.late = None, [], self.late or start > 0
        texts = cells.mask(cells == "", None) if self.label else _masked(cells, options)
        # Labels come again and again: each is kept once.
        self.texts.append(texts.astype("category") if self.label else texts)

    def again(self) -> None:
        """Begin again, with texts as they are, units and all."""
        self.texts, self.units = [], set()

    def values(self, rows: int) -> np.ndarray | pd.Series:
        """Return the whole column."""
        if self.texts and self.label:
            return pd.Series(union_categoricals(self.texts))
        if self.texts:
            return pd.concat(self.texts, ignore_index=True)
        return np.empty(0) if self.numbers is None else self.numbers[:rows]


def _fill(
    columns: Mapping[int, _Column], file: TextFile, head: Head, options: ReadOptions
) -> tuple[int, list[np.ndarray]]:
    """Read columns, some lines at a time, and return how many rows there are and the lines they stand on."""
    rows, lines = 0, []
    # The widths of columns that are not divided by anything show over all lines.
    size = math.inf if head.separator == "fixed" else BLOCK
    for first, block in file.blocks(head.next, file.size - options.skip_footer, size):
        cells, numbers = _cells(block, first, head)
        for i, column in columns.items():
            column.add(cells[i], rows, options)
        rows += len(cells)
        lines.append(numbers)
    return rows, lines


def without_unit(column: pd.Series) -> tuple[pd.Series, str]:
    """Return cells without the unit that follows every number of a column, and that unit; as they are for others."""
    parts = column.where(~column.str.strip().str.fullmatch(FORTRAN), "").str.extract(UNIT_OF_CELL)
    found = parts["unit"].dropna().unique()
    numbers = parts["number"].notna()
    if len(found) != 1 or not numbers.any():
        return column, ""
    return parts["number"].where(numbers, column), str(found[0])


def _cells(lines: Sequence[str], first: int, head: Head) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all cells of some lines as text, and the line that each row stands on; `first` is the place of the first.

    **Raises:** `DataError` for lines with more cells than there are columns.
    """
    width = len(head.names)
    body = "\n".join(lines)
    if not body.strip():
        return pd.DataFrame({i: pd.Series(dtype=str) for i in range(width)}), np.empty(0, dtype=np.int32)
    shared: dict[str, Any] = {"header": None, "dtype": str, "na_filter": False, "skip_blank_lines": False}
    try:
        if head.separator == "fixed":
            frame = pd.read_fwf(io.StringIO(body), **shared)
        else:
            separator = r"\s+" if head.separator == "whitespace" else head.separator
            # As many columns as the longest line has: separators at the ends of lines make empty cells.
            widest = max(line.count(head.separator) for line in lines) + 1 if len(separator) == 1 else 0
            names = range(min(max(width, widest), width + MORE) + 1)
            frame = pd.read_csv(io.StringIO(body), sep=separator, names=names, index_col=False, **shared)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise DataError(_odd_line(lines, first, head) or f"the lines cannot be read ({error}).") from error
    frame = frame.reindex(columns=range(max(width, frame.shape[1]))).fillna("")
    numbers = np.arange(first + 1, first + 1 + len(frame), dtype=np.int32 if first < 2**31 - BLOCK else np.int64)
    filled = (frame != "").to_numpy()
    if filled[:, width:].any():
        raise DataError(_odd_line(lines, first, head) or "a line has more cells than there are column names.")
    kept = filled.any(axis=1)
    return frame.loc[kept, range(width)].reset_index(drop=True), numbers[kept]


def _odd_line(lines: Sequence[str], first: int, head: Head) -> str | None:
    """Name the first line that has more cells than there are column names."""
    for number, line in enumerate(lines, start=first + 1):
        cells = cells_of(line, head.separator)
        if len(cells) > len(head.names) and cells[-1]:
            return (
                f"line {number} has {len(cells)} cells, but there are {len(head.names)} "
                "column names; every row needs one cell per column."
            )
    return None


def _converted(column: pd.Series, options: ReadOptions) -> pd.Series:
    """Return a column as numbers, with NaN for what is missing; as text where anything else is in it."""
    column = column.str.strip()
    missing = column.isin((*MISSING, *options.missing))
    true, false = column.isin((*TRUE, *options.true)), column.isin((*FALSE, *options.false))
    plain = column[~(missing | true | false)]
    plain = _with_points(plain, options)
    values = pd.Series(np.where(true, 1.0, np.where(false, 0.0, np.nan)), index=column.index)
    numbers = _floats(plain)
    if numbers is None and plain.str.fullmatch(FORTRAN).any():
        numbers = _floats(plain.str.replace(FORTRAN, r"\1e\2", regex=True))
    if numbers is None:
        return _masked(column, options)
    values[plain.index] = numbers
    # A number that stands for a missing value may be written in several ways, -9999 and -9999.0.
    codes = [float(text) for text in options.missing if _is_number(text, options)]
    return values.mask(values.isin(codes), np.nan) if codes else values


def _with_points(plain: pd.Series, options: ReadOptions) -> pd.Series:
    """Return numbers as Python writes them, and what cannot be one as x."""
    if options.thousands:
        # 1.5 is not fifteen: a mark has two or three digits before the next, and three behind the last.
        mark, grouped = re.escape(options.thousands), plain.str.contains(options.thousands, regex=False)
        whole = rf"[+-]?\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:[^\d{mark}][^{mark}]*)?"
        plain = plain.where(~grouped | plain.str.fullmatch(whole), "x")
        plain = plain.str.replace(options.thousands, "", regex=False)
    if options.decimal == ",":
        plain = plain.where(~plain.str.contains(".", regex=False), "x").str.replace(",", ".", regex=False)
    return plain


def _floats(texts: pd.Series) -> np.ndarray | None:
    """Return texts as numbers, all digits kept; None where one is no number."""
    try:
        # Python's own conversion keeps every digit; underscores, which it would pass over, are no numbers here.
        return texts.where(~texts.str.contains("_", regex=False), "x").to_numpy(object).astype(float)
    except ValueError:
        return None


def _masked(column: pd.Series, options: ReadOptions) -> pd.Series:
    """Return a column of texts without those that stand for missing values; what are numbers are written with a point.

    What would be another number without the stated marks says so, and is none.
    """
    column = column.str.strip()
    gone = column.isin((*MISSING, *options.missing))
    if options.decimal == "," or options.thousands:
        plain = _with_points(column, options)
        fine = pd.to_numeric(plain, errors="coerce").notna()
        other = ~fine & pd.to_numeric(column, errors="coerce").notna()
        column = column.mask(fine, plain).mask(other, column + OTHER_MARKS)
    return column.mask(gone, None)


def _is_number(text: str, options: ReadOptions) -> bool:
    try:
        float(text.replace(",", ".") if options.decimal == "," else text)
    except ValueError:
        return False
    return True

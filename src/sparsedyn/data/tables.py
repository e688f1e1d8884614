"""Tables (one row per sample, one column per variable) to trajectories."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, SupportsFloat

import numpy as np
import pandas as pd

from .checks import not_finite
from .errors import DataError, in_all, listing
from .filling import held
from .long import pivoted
from .names import check_choice, check_known
from .options import ROWS, ReadOptions
from .runs import check_labels, warn_stacked
from .stamps import joined, say_unit, times_of

SELDOM = 0.1
"""Share of complete rows that are followed by one, below which a state is logged less often than others."""


class Columns(NamedTuple):
    """Which columns of a file or table play which role; the arguments of `read`."""

    states: str | Sequence[str | int] | None = None
    inputs: str | Sequence[str | int] | None = None
    time: str | int | None = None
    trajectory: str | int | None = None
    dt: SupportsFloat | None = None


class Table(NamedTuple):
    """Columns as a file has them; the line of every row, if it is a file of lines; and units, where it says some.

    `blocks` are columns of numbers, by their names, that stand side by side in one array, of which `frame` has views.
    """

    frame: pd.DataFrame
    lines: np.ndarray | None = None
    units: Mapping[str, str] = {}
    blocks: Mapping[tuple[str, ...], np.ndarray] = {}

    def numbers(self, name: str) -> np.ndarray:
        """Return a column as float64; text and gaps raise `DataError` naming the row."""
        return number_column(self.frame[name], self.lines)


def with_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the named levels of its index as columns at the end, where no column has the name.

    **Raises:** `DataError` for anything but a `DataFrame`.
    """
    if not isinstance(frame, pd.DataFrame):
        advice = "Give frame.to_frame()." if isinstance(frame, pd.Series) else "Make one of it with pandas.DataFrame."
        raise DataError(f"the table: expected a pandas.DataFrame; got {type(frame).__name__}. {advice}")
    known = set(map(str, frame.columns))
    levels = {name: k for k, name in enumerate(frame.index.names) if name is not None and str(name) not in known}
    if frame.columns.nlevels > 1 or not levels:
        return frame
    return frame.assign(**{str(name): frame.index.get_level_values(k) for name, k in levels.items()})


def listed(columns: str | Sequence[str | int] | None, known: Sequence[str] = ()) -> list[str]:
    """Return column names as a list; a text is one known name or a comma separated list of names."""
    if columns is None:
        return []
    if isinstance(columns, str):
        names = [columns] if columns in known else columns.split(",")
        return [name.strip() for name in names]
    return [str(name) for name in columns]


def time_columns(time: str | int | None, known: Sequence[str]) -> list[str]:
    """Return the column of times, or that of dates and that of clock times, written `Date,Time`."""
    if time is None:
        return []
    names = listed(str(time), known)
    return names if len(names) == 2 else [str(time)]


def asked_columns(columns: Columns, known: Sequence[str]) -> list[str]:
    """Return every column that is needed, checked: it exists and has one role only.

    **Raises:** `DataError` for missing states, unknown names, double roles, `dt` and `time` both or neither
    given.
    """
    states, inputs = listed(columns.states, known), listed(columns.inputs, known)
    if not states:
        raise DataError(
            "which columns are states is not said; name them with states= (--states), the inputs with inputs= "
            "(--inputs), the time with time= (--time), or give dt= (--dt), and, for several trajectories, trajectory= "
            "(--trajectory). The columns are: "
            f"{listing(known)}."
        )
    if (columns.dt is None) == (columns.time is None):
        given = "neither is given" if columns.dt is None else "both are given"
        raise DataError(
            f"exactly one of time= (--time), a column, and dt= (--dt), the sampling time in seconds, is needed; "
            f"{given}. The columns are: {listing(known)}."
        )
    check_choice(states, inputs, known)
    wanted = [*states, *inputs]
    roles = {
        "time": time_columns(columns.time, known),
        "trajectory": [] if columns.trajectory is None else [str(columns.trajectory)],
    }
    for role, names in roles.items():
        for name in names:
            check_known([name], known)
            if name in wanted:
                raise DataError(
                    f"column {name!r} is the {role} and also listed as a state, an input or another "
                    "role; a column has one role. Take it out of one of them."
                )
            wanted.append(name)
    for name in wanted:
        if known.count(name) > 1:
            raise DataError(
                f"column {name!r} is there {known.count(name)} times; rename the columns so that they differ."
            )
    return wanted


def arguments(table: Table, columns: Columns, options: ReadOptions) -> dict[str, Any]:
    """Return the arguments of `Trajectories` for the chosen columns of a table.

    **Raises:** `DataError` as `asked_columns`, and for text, gaps and empty tables.
    """
    frame = table.frame.set_axis([str(name) for name in table.frame.columns], axis=1).reset_index(drop=True)
    if options.pivot is not None:
        index = time_columns(columns.time, list(frame.columns))
        index += [] if columns.trajectory is None else [str(columns.trajectory)]
        if not index:
            raise DataError("pivot: expected a column of times as well, time= (--time); got none.")
        frame, first = pivoted(frame, index, options.pivot)
        table = table._replace(lines=None if table.lines is None else table.lines[first], blocks={})
    known = list(frame.columns)
    used = asked_columns(columns, known)
    if not len(frame):
        raise DataError("there are no rows below the column names; at least 2 rows per trajectory are needed.")
    states, inputs = listed(columns.states, known), listed(columns.inputs, known)
    alone = columns.time is None and columns.trajectory is None
    cells = {name: frame[name] for name in (*states, *inputs)}
    # Columns go as they are copied to their places: a large table is not there twice.
    frame, lines, units = frame if alone else frame[_distinct(columns, known)], table.lines, table.units
    blocks = dict(table.blocks)
    del table
    filled = options.fill != "refuse"
    x = _numbers(cells, states, lines, blocks.pop(tuple(states), np.empty((len(frame), 0))))
    u = _numbers(cells, inputs, lines, blocks.pop(tuple(inputs), np.empty((len(frame), 0))))
    if options.fill != "thin":
        _check_seldom(states, x)
    if not (options.gaps == "cut" or filled):
        _check_complete(x, states, lines)
        _check_complete(u, inputs, lines)
    if filled and (inputs or options.fill == "thin"):
        runs = None if columns.trajectory is None else frame[str(columns.trajectory)]
        values, kept = held(np.hstack([x, u]), len(states), runs, [*states, *inputs], thin=options.fill == "thin")
        x, u = values[kept, : len(states)], values[kept, len(states) :]
        frame, lines = frame[kept].reset_index(drop=True), None if lines is None else lines[kept]
    if not len(frame):
        raise DataError("no row has a state and all inputs; at least 2 rows per trajectory are needed.")
    rows, labels = groups(frame, columns.trajectory, lines)
    column = None if columns.time is None else joined(frame, time_columns(columns.time, known))
    if columns.trajectory is not None and not all(isinstance(own, slice) for own in rows):
        check_labels(frame[str(columns.trajectory)], column)
    elif alone:
        warn_stacked(frame, used)
    _unwrap(x, u, [*states, *inputs], options, rows)
    time = None
    if column is not None:
        unit = units.get(str(columns.time), "")
        if options.time_unit is None and options.date_format is None:
            say_unit(column, unit)
        time = [times_of(column.iloc[part], options, unit, lines) for part in rows]
    return {
        "states": _parts(x, rows),
        "inputs": _parts(u, rows),
        "dt": columns.dt,
        "time": time,
        "state_names": states,
        "input_names": inputs,
        "state_units": [units.get(name, "") for name in states],
        "input_units": [units.get(name, "") for name in inputs],
        "labels": labels,
        **options.changed(ROWS),
    }


def _distinct(columns: Columns, known: Sequence[str]) -> list[str]:
    """Return the columns of times and labels."""
    return [*time_columns(columns.time, known), *([] if columns.trajectory is None else [str(columns.trajectory)])]


def together(columns: Columns, known: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the columns that are best read into one array each: states, and inputs."""
    both = (tuple(listed(asked, known)) for asked in (columns.states, columns.inputs))
    return [names for names in both if names]


def _numbers(
    cells: dict[str, pd.Series], names: Sequence[str], lines: np.ndarray | None, block: np.ndarray
) -> np.ndarray:
    """Take columns out of `cells` into one array, the `block` if they stand there, with NaN for what is missing."""
    made = block if block.shape[1] == len(names) else np.empty((len(block), len(names)))
    for i, name in enumerate(names):
        values = number_column(cells.pop(name), lines, missing=True)
        if made is not block:
            made[:, i] = values
    return made


def _check_complete(values: np.ndarray, names: Sequence[str], lines: np.ndarray | None) -> None:
    """Raise `DataError` for the first column in which a number is missing."""
    for i, name in enumerate(names):
        if np.isnan(values[:, i]).any():
            number_column(pd.Series(values[:, i], name=name), lines)


Rows = slice | np.ndarray
"""The rows of a trajectory, a slice where they stand together."""


def _parts(values: np.ndarray, rows: Sequence[Rows]) -> list[np.ndarray]:
    """Return the rows of every trajectory, which nothing writes to any more; they are copied only where interleaved."""
    whole: object = values
    while isinstance(whole, np.ndarray):
        whole.flags.writeable = False
        whole = whole.base
    parts = [values[own] for own in rows]
    for part in parts:
        part.flags.writeable = False
    return parts


def _check_seldom(names: Sequence[str], states: np.ndarray) -> None:
    """Raise `DataError` where a state is measured so seldom that between cuts hardly a row would be left."""
    gone = np.isnan(states)
    whole = ~gone.any(axis=1)
    follow = int((whole[1:] & whole[:-1]).sum())
    if gone.any() and whole.sum() > 1 and follow < SELDOM * whole.sum():
        column = int(gone.sum(axis=0).argmax())
        raise DataError(
            f"column {names[column]!r}: missing in {int(gone[:, column].sum())} of {len(gone)} rows, as if "
            "logged less often than other states. Keep the rows in which all states were measured with fill='thin' "
            "(--fill thin), or take it for an input, with fill='hold' (--fill hold)."
        )


def _unwrap(x: np.ndarray, u: np.ndarray, names: Sequence[str], options: ReadOptions, runs: Sequence[Rows]) -> None:
    """Unwind columns that go round, in their places."""
    for name, period in options.periods().items():
        check_known([name], names)
        place = list(names).index(name)
        values, column = (x, place) if place < x.shape[1] else (u, place - x.shape[1])
        for own in runs:
            rows = np.arange(len(values))[own]
            known = rows[np.isfinite(values[rows, column])]
            values[known, column] = np.unwrap(values[known, column], period=period)


def number_column(column: pd.Series, lines: np.ndarray | None = None, *, missing: bool = False) -> np.ndarray:
    """Return a column as float64; text, and gaps unless they may be `missing`, raise `DataError` naming the row."""
    place = f"column {column.name!r}"
    dated = column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype | pd.DatetimeTZDtype)
    if dated or pd.api.types.is_complex_dtype(column):
        raise DataError(f"{place} holds {column.dtype} values; numbers are expected. Choose a number column.")
    values = _floats(column)
    text = np.asarray(column.notna()) & np.isnan(values)
    bad = text | np.isinf(values) if missing else ~np.isfinite(values)
    if bad.any():
        row = int((text if text.any() else bad).argmax())
        where = f"{place}, {_row(row, lines)}"
        if text[row]:
            raise DataError(
                f"{where}: the text {column.iloc[row]!r}{in_all(int(text.sum()))}; a number is expected. "
                f"Correct or remove it{_comma_advice(str(column.iloc[row]))}."
            )
        raise DataError(f"{where}: {not_finite(values[row], int(bad.sum()))}")
    return values


def _floats(column: pd.Series) -> np.ndarray:
    """Return what reads as a number, and NaN for anything else."""
    if not pd.api.types.is_numeric_dtype(column):
        try:
            found = pd.to_numeric(column.astype(object), errors="coerce")
        except OverflowError:
            found = column
        plain = pd.api.types.is_numeric_dtype(found) and not pd.api.types.is_complex_dtype(found)
        column = found if plain else pd.Series([_float(value) for value in column])
    values: np.ndarray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _row(row: int, lines: np.ndarray | None) -> str:
    return f"row {row}" + ("" if lines is None else f" (line {lines[row]} of the file)")


def _comma_advice(text: str) -> str:
    head, comma, tail = text.strip().lstrip("+-").partition(",")
    return "; decimals are written with a point" if comma and (head + tail).isdigit() else ""


def groups(
    frame: pd.DataFrame, trajectory: str | int | None, lines: np.ndarray | None = None
) -> tuple[list[Rows], list[str] | None]:
    """Return the rows of every trajectory, and the labels as they appear.

    Where all rows of every trajectory stand together, one further column is there for it and no more.
    """
    if trajectory is None:
        return [slice(0, len(frame))], None
    try:
        codes, found = pd.factorize(frame[str(trajectory)])
    except TypeError as error:
        raise DataError(f"column {str(trajectory)!r}: expected numbers or texts as labels; got others.") from error
    empty = codes < 0
    for blank in (i for i, label in enumerate(found) if str(label) == ""):
        empty |= codes == blank
    if empty.any():
        raise DataError(
            f"column {str(trajectory)!r}, {_row(int(empty.argmax()), lines)}: no "
            f"trajectory{in_all(int(empty.sum()))}; every row needs one. Fill it in or remove the row."
        )
    ends = np.cumsum(np.bincount(codes)).tolist()
    rows: list[Rows] = [slice(*own) for own in pairwise([0, *ends])]
    if not (codes[1:] >= codes[:-1]).all():
        # A stable sort keeps the order of the rows within each trajectory.
        order = np.argsort(codes, kind="stable")
        rows = [order[own] for own in rows]
    return rows, [_label(label) for label in found]


def _label(value: Any) -> str:
    # Identifiers that went through a float column should still read 3, not 3.0.
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()

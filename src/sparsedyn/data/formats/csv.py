"""CSV: any table with one row of column names; files written here say more in rows that start with '#'.

    # sparsedyn trajectories,1
    # dt,10.0
    # attr,seed,7
    # role,time,state,state,input
    # unit,s,kg,degC,A
    trajectory,time,x1,x2,u1
    0,0.0,3000.0,950.0,140000.0

A spreadsheet shows role and unit above their columns and keeps these rows when it saves the file. Attributes
are JSON. Any other leading row that starts with '#' is a comment.
"""

import csv
import io
import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from ..description import FORMAT, VERSION
from ..errors import DataError
from ..names import check_distinct
from ..tables import Columns, Table, arguments, asked_columns, listed
from ..trajectories import Trajectories
from .own_table import restore_table


class Head(NamedTuple):
    """What stands above the numbers: comment rows, column names, the separator, where the numbers start."""

    comments: list[list[str]]
    names: list[str]
    delimiter: str
    offset: int
    first_line: int


def to_bytes(data: Trajectories) -> bytes:
    """Write the described head and one row per sample; numbers are written with all their digits."""
    text = io.StringIO()
    head = csv.writer(text, lineterminator="\n")
    head.writerow([f"# {FORMAT}", VERSION])
    head.writerow(["# dt", repr(data.dt)])
    for key, value in data.attrs.items():
        head.writerow(["# attr", key, json.dumps(value)])
    head.writerow(["# role", "time", *["state"] * len(data.state_names), *["input"] * len(data.input_names)])
    head.writerow(["# unit", "s", *data.state_units, *data.input_units])
    frame = data.to_pandas()
    head.writerow(frame.columns)
    body = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pc.write_csv(table, body, pc.WriteOptions(include_header=False))
    return text.getvalue().encode() + bytes(body.getvalue())


def from_bytes(content: bytes, columns: Columns) -> Trajectories:
    """Read a file written by `to_bytes`, or columns of any other (comma, semicolon or tab separated)."""
    head = _head(content)
    if head.comments and head.comments[0][0] == f"# {FORMAT}":
        description = _own_description(head)
        known = Columns(description["state_names"], description["input_names"], "time", "trajectory")
        frame = _frame(content, head, known)
        return restore_table(frame, description, columns, head.first_line)
    return Trajectories(**arguments(_frame(content, head, columns), columns, head.first_line))


def table(content: bytes) -> Table:
    """Read all columns, whatever they hold: numbers where a column has nothing else, else text."""
    head = _head(content)
    check_distinct(head.names, "the column names")
    try:
        return Table(_read(content, head, head.names, {}), head.first_line)
    except pa.ArrowInvalid as error:
        raise DataError(_not_csv(content, head, error)) from error


def _head(content: bytes) -> Head:
    lines: list[str] = []
    offset = len(b"\xef\xbb\xbf") if content.startswith(b"\xef\xbb\xbf") else 0
    while offset < len(content):
        end = content.find(b"\n", offset)
        end = len(content) if end < 0 else end
        try:
            line = content[offset:end].decode().rstrip("\r")
        except UnicodeDecodeError as error:
            raise DataError(f"line {len(lines) + 1} is no UTF-8 text; save the file as CSV in UTF-8.") from error
        lines.append(line)
        offset = end + 1
        if line.strip(" ,;\t") and not line.startswith(("#", '"#')):
            break
    else:
        raise DataError("the file has no row of column names; the first row must hold the names of the columns.")
    delimiter = max(",;\t", key=line.count)
    rows = list(csv.reader([line for line in lines if line.strip()], delimiter=delimiter))
    names = [name.strip() for name in rows[-1]]
    if all(_is_number(name) for name in names):
        raise DataError(
            f"line {len(lines)}, the first row, holds numbers ({names[0]!r}, ...) where the names of the "
            "columns are expected; put a row of column names above it (rows that start with '#' are "
            "comments)."
        )
    comments = [row for row in rows[:-1] if row[0].startswith("#")]
    return Head(comments, names, delimiter, offset, len(lines) + 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _own_description(head: Head) -> dict[str, Any]:
    said: dict[str, list[str]] = {row[0].removeprefix("# "): row[1:] for row in head.comments}
    try:
        version, dt = int(said[FORMAT][0]), float(said["dt"][0])
        roles = dict(zip(head.names[1:], said["role"], strict=False))
        units = dict(zip(head.names[1:], said["unit"], strict=False))
        attrs = {row[1]: json.loads(row[2]) for row in head.comments if row[0] == "# attr"}
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(
            f"the rows that start with '#' are damaged ({type(error).__name__}: {error}); write the file "
            "again, or remove these rows and name the columns with states=, inputs=, time=, trajectory=."
        ) from error
    states = [name for name, role in roles.items() if role == "state"]
    inputs = [name for name, role in roles.items() if role == "input"]
    return {
        "version": version,
        "dt": dt,
        "state_names": states,
        "input_names": inputs,
        "state_units": [units.get(name, "") for name in states],
        "input_units": [units.get(name, "") for name in inputs],
        "attrs": attrs,
    }


def _frame(content: bytes, head: Head, columns: Columns) -> pd.DataFrame:
    """Read the needed columns only; numbers that do not read as numbers come back as text, for a message."""
    wanted = list(dict.fromkeys(asked_columns(columns, head.names)))
    numbers = [*listed(columns.states, head.names), *listed(columns.inputs, head.names)]
    types = {name: pa.float64() for name in numbers}
    if columns.trajectory is not None:
        # Identifiers are texts: 007 stays 007.
        types[str(columns.trajectory)] = pa.string()
    try:
        try:
            return _read(content, head, wanted, types)
        except pa.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise
            return _read(content, head, wanted, dict.fromkeys(wanted, pa.string()))
    except pa.ArrowInvalid as error:
        raise DataError(_not_csv(content, head, error)) from error


def _read(content: bytes, head: Head, wanted: list[str], types: dict[str, pa.DataType]) -> pd.DataFrame:
    body = pa.py_buffer(content).slice(head.offset)
    if not body.size:
        return pd.DataFrame({name: np.empty(0) for name in wanted})
    # Where all is text, for a message, an empty cell is still a missing value.
    all_text = all(kind == pa.string() for kind in types.values())
    table = pc.read_csv(
        pa.BufferReader(body),
        pc.ReadOptions(column_names=head.names),
        pc.ParseOptions(delimiter=head.delimiter),
        pc.ConvertOptions(column_types=types, include_columns=wanted, strings_can_be_null=all_text),
    )
    return table.to_pandas()


def _not_csv(content: bytes, head: Head, error: Exception) -> str:
    return _bad_row(content, head) or f"it is no readable CSV file ({error}); save it as CSV in UTF-8."


def _bad_row(content: bytes, head: Head) -> str | None:
    """Name the first line that has another number of cells than there are column names."""
    lines = content[head.offset :].decode(errors="replace").splitlines()
    for number, cells in enumerate(csv.reader(lines, delimiter=head.delimiter), start=head.first_line):
        if cells and len(cells) != len(head.names):
            return (
                f"line {number} has {len(cells)} cells, but there are {len(head.names)} column names; every "
                "row needs one cell per column."
            )
    return None

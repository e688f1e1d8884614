"""CSV: any table with one row of column names; files written here say more in rows that start with '#'.

    # sparsedyn trajectories,1
    # dt,10.0
    # attr,seed,7
    # role,time,state,state,input
    # unit,s,kg,degC,A
    trajectory,time,x1,x2,u1
    0,0.0,3000.0,950.0,140000.0

Names, units and labels that a spreadsheet would take for formulas have an apostrophe before them.
A spreadsheet shows role and unit above their columns and keeps these rows when it saves the file. Attributes
are JSON. Any other leading row that starts with '#' is a comment.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from ..budget import parsed_json
from ..description import FORMAT, VERSION
from ..errors import DataError
from ..options import ReadOptions
from ..spreadsheets import as_named, inert
from ..tables import Columns, Table, arguments, asked_columns, time_columns, together
from ..trajectories import Trajectories
from .lines import BEGINNING, BLOCK, TextFile, text_file
from .own_table import own_columns, restore_table
from .positions import name_positions
from .text import Head, cells_of, head_of, table_of


def to_bytes(data: Trajectories) -> bytes:
    """Write the described head and one row per sample; numbers are written with all their digits."""
    text = io.StringIO()
    head = csv.writer(text, lineterminator="\n")
    head.writerow([f"# {FORMAT}", VERSION])
    head.writerow(["# dt", repr(data.dt)])
    for key, value in data.attrs.items():
        head.writerow(["# attr", inert(key), json.dumps(value)])
    head.writerow(["# role", "time", *["state"] * len(data.state_names), *["input"] * len(data.input_names)])
    head.writerow(["# unit", "s", *map(inert, (*data.state_units, *data.input_units))])
    frame = data.to_pandas()
    head.writerow(map(inert, frame.columns))
    frame["trajectory"] = frame["trajectory"].map({label: inert(label) for label in data.labels})
    body = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pc.write_csv(table, body, pc.WriteOptions(include_header=False))
    return text.getvalue().encode() + bytes(body.getvalue())


def from_file(path: Path, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read a file written by `to_bytes`, or columns of any other text file."""
    file = text_file(path, options.encoding)
    if file.first().lstrip('"').startswith(f"# {FORMAT}"):
        plain = ReadOptions()
        head = _head(file, plain)
        head = head._replace(names=[as_named(name) for name in head.names])
        description = _own_description([cells_of(line, ",") for line in head.comments], head.names)
        own = own_columns(description)
        blocks = together(own, head.names)
        found = arguments(table_of(file, head, plain, None, ("trajectory",), blocks), own, plain)
        found["labels"] = [as_named(label) for label in found["labels"]]
        return restore_table(found, description, columns)
    head = _head(file, options)
    if not options.header:
        names, columns = name_positions(len(head.names), columns)
        head = head._replace(names=names)
    wanted = head.names if options.pivot else asked_columns(columns, head.names)
    if columns.time is None and columns.trajectory is None:
        wanted = head.names  # those that are not asked for may tell of runs
    texts = [] if columns.trajectory is None else [str(columns.trajectory)]
    if options.date_format is not None and not options.pivot:
        texts += time_columns(columns.time, head.names)  # as numbers, 12.10 would be 12.1
    blocks = [] if options.pivot else together(columns, head.names)
    return Trajectories(**arguments(table_of(file, head, options, wanted, texts, blocks), columns, options))


def table(path: Path, options: ReadOptions) -> Table:
    """Read all columns, whatever they hold: numbers where a column has nothing else, else text."""
    file = text_file(path, options.encoding)
    head = _head(file, options)
    twice, times = Counter(head.names).most_common(1)[0]
    if times > 1:
        raise DataError(
            f"the column names: {twice!r} is there {times} times. Rename the columns, or choose "
            f"them by position: header=False, skip_rows={head.next} (--no-header --skip-rows {head.next})."
        )
    return table_of(file, head, options)


def _head(file: TextFile, options: ReadOptions) -> Head:
    """Return what stands above the first row, which mostly is within the first lines."""
    for size in (BLOCK, BEGINNING):
        lines = file.beginning(size)
        last = size == BEGINNING or len(lines) == file.size
        try:
            head = head_of(lines[: max(0, file.size - options.skip_footer)], options)
        except DataError:
            if last:
                raise
            continue
        if last or head.next < len(lines):
            return head
    raise AssertionError


def _own_description(comments: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Sequence[str]] = {row[0].removeprefix("# "): row[1:] for row in comments}
    try:
        version, dt = int(said[FORMAT][0]), float(said["dt"][0])
        roles = dict(zip(names[1:], said["role"], strict=False))
        units = dict(zip(names[1:], map(as_named, said["unit"]), strict=False))
        attrs = {as_named(row[1]): parsed_json(row[2]) for row in comments if row[0] == "# attr"}
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

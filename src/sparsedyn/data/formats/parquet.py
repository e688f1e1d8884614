"""Parquet: one row per sample, the description as JSON in the metadata of the file."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..budget import check_memory, check_numbers, parsed_json
from ..description import FORMAT
from ..errors import DataError
from ..names import check_distinct
from ..options import ReadOptions
from ..tables import Columns, Table, arguments, asked_columns, together
from ..trajectories import Trajectories, described
from .own_table import own_columns, restore_table

KEY = b"sparsedyn"
ROWS, FEW = 1_000_000, 1_000
"""Rows that are read at a time of a column of numbers, and of one of texts or lists, which may be of any length."""


def to_bytes(data: Trajectories) -> bytes:
    """Write the columns trajectory, time, states, inputs, and the description."""
    table = pa.Table.from_pandas(data.to_pandas(), preserve_index=False)
    table = table.replace_schema_metadata({KEY: json.dumps(described(data)).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def from_file(path: Path, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read a file written by `to_bytes`, or the chosen columns of any other."""
    with opened(path) as file:
        names: list[str] = file.schema_arrow.names
        description = _own_description(file.schema_arrow.metadata or {})
        if description is not None:
            own = own_columns(description)
            found = arguments(_table(file, names, together(own, names)), own, ReadOptions())
            return restore_table(found, description, columns)
        wanted = names if options.pivot else asked_columns(columns, names)
        if columns.time is None and columns.trajectory is None:
            wanted = names  # those that are not asked for may tell of runs
        blocks = [] if options.pivot else together(columns, names)
        return Trajectories(**arguments(_table(file, wanted, blocks), columns, options))


def table(path: Path, options: ReadOptions) -> Table:
    """Read all columns, whatever they hold."""
    with opened(path) as file:
        check_distinct(file.schema_arrow.names, "the column names")
        return _table(file, file.schema_arrow.names)


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file, and raise `DataError` for what pyarrow cannot read of it."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"it is no readable Parquet file ({error}); write it again.") from error


def _table(file: pq.ParquetFile, names: Sequence[str], side_by_side: Sequence[tuple[str, ...]] = ()) -> Table:
    """Return columns, which are read one by one: only one of them is there twice. `side_by_side` become blocks."""
    rows = file.metadata.num_rows
    check_numbers(rows, len(names) + 1, claimed=f"{rows} rows of {len(names)} columns")
    blocks = {group: np.empty((rows, len(group))) for group in side_by_side}
    columns = {}
    for i, name in enumerate(names):
        column = _column(file, name)
        group = next((group for group in blocks if name in group), None)
        if group is None or column.dtype.kind not in "iuf":
            # The others of its block are columns like any other.
            blocks = {own: block for own, block in blocks.items() if own != group}
            columns[i] = column
            continue
        room = blocks[group][:, group.index(name)]
        room[:] = column
        columns[i] = pd.Series(room, copy=False)
    frame = pd.DataFrame(columns, copy=False).set_axis(list(names), axis=1)
    return Table(frame, blocks=blocks)


def _column(file: pq.ParquetFile, name: str) -> pd.Series:
    """Return a column, read some rows at a time: values that are kept once for all rows may make far more of them."""
    kind = file.schema_arrow.field(name).type
    size, parts = 0, []
    for batch in file.iter_batches(ROWS if pa.types.is_primitive(kind) else FEW, columns=[name], use_threads=False):
        parts.append(batch.column(name))
        size += parts[-1].nbytes
        check_memory(2 * size, f"{size} bytes in column {name!r}")
    column = pa.chunked_array(parts, type=kind).to_pandas()
    # pyarrow keeps what it has freed for later.
    pa.default_memory_pool().release_unused()
    return column


def _own_description(metadata: dict[bytes, bytes]) -> dict[str, Any] | None:
    if KEY not in metadata:
        return None
    try:
        description = parsed_json(metadata[KEY])
    except ValueError:
        description = None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise DataError(f"its metadata entry {KEY.decode()!r} is no description of trajectories; write it again.")
    return description

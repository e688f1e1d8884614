"""Parquet: one row per sample, the description as JSON in the metadata of the file."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..description import FORMAT
from ..errors import DataError
from ..names import check_distinct
from ..options import ReadOptions
from ..tables import Columns, Table, arguments, asked_columns
from ..trajectories import Trajectories, described
from .own_table import restore_table

KEY = b"sparsedyn"


def to_bytes(data: Trajectories) -> bytes:
    """Write the columns trajectory, time, states, inputs, and the description."""
    table = pa.Table.from_pandas(data.to_pandas(), preserve_index=False)
    table = table.replace_schema_metadata({KEY: json.dumps(described(data)).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read a file written by `to_bytes`, or the chosen columns of any other."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names: list[str] = file.schema_arrow.names
        description = _own_description(file.schema_arrow.metadata or {})
        wanted = names if description is not None or options.pivot else asked_columns(columns, names)
        if columns.time is None and columns.trajectory is None:
            wanted = names  # those that are not asked for may tell of runs
        frame = file.read(columns=wanted).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"it is no readable Parquet file ({error}); write it again.") from error
    if description is not None:
        return restore_table(Table(frame), description, columns)
    return Trajectories(**arguments(Table(frame), columns, options))


def table(content: bytes, options: ReadOptions) -> Table:
    """Read all columns, whatever they hold."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        check_distinct(file.schema_arrow.names, "the column names")
        return Table(file.read().to_pandas(ignore_metadata=True))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"it is no readable Parquet file ({error}); write it again.") from error


def _own_description(metadata: dict[bytes, bytes]) -> dict[str, Any] | None:
    if KEY not in metadata:
        return None
    try:
        description = json.loads(metadata[KEY])
    except ValueError:
        description = None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise DataError(f"its metadata entry {KEY.decode()!r} is no description of trajectories; write it again.")
    return description

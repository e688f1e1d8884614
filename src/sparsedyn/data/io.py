"""Files: the suffix decides the format; errors name the file; a file is there whole or not at all."""

import os
import shlex
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, SupportsFloat

from .budget import only_data_errors
from .errors import DataError, closest, listing
from .formats import csv, netcdf, npz, parquet
from .formats.sniff import SELDOM, sniffed
from .long import tags_among
from .options import TEXT, ReadOptions
from .overview import Overview, overview
from .streaming.folders import OnFile, Part, Source, files_of, opened, read_parts, stream_parts
from .streaming.kept import is_kept
from .streaming.stores import is_store, store_parts
from .tables import Columns, Table, listed
from .trajectories import Trajectories


class Format(NamedTuple):
    """How a kind of file is read and written."""

    from_file: Callable[[Path, Columns, ReadOptions], Trajectories]
    to_bytes: Callable[[Trajectories], bytes]


FORMATS = {
    ".csv": Format(csv.from_file, csv.to_bytes),
    ".parquet": Format(parquet.from_file, parquet.to_bytes),
    ".nc": Format(netcdf.from_file, netcdf.to_bytes),
    ".npz": Format(npz.from_file, npz.to_bytes),
}

TEXTS = (".csv", ".txt", ".tsv", ".dat")
"""Files of lines of text, all read as .csv is."""
TABLES: dict[str, Callable[[Path, ReadOptions], Table]] = {".csv": csv.table, ".parquet": parquet.table}
"""Formats of plain tables, whose rows need not be a time series."""

LOOKED: dict[str, Callable[[Path, ReadOptions], Table]] = {**TABLES, ".nc": netcdf.table, ".npz": npz.table}
"""Formats whose columns can be looked at."""


def read(
    path: str | os.PathLike[str],
    states: str | Sequence[str | int] | None = None,
    inputs: str | Sequence[str | int] | None = None,
    time: str | int | None = None,
    trajectory: str | int | None = None,
    dt: SupportsFloat | None = None,
    *,
    stream: str | os.PathLike[str] | None = None,
    on_file: OnFile | None = None,
    **options: Any,
) -> Trajectories:
    """Read trajectories from a .csv, .parquet, .nc or .npz file, a folder of such files of one kind, or a Zarr store.

    A file made by `write` needs no further arguments; `states` and `inputs` then choose among its columns.
    For any other file they name the columns (a list, or one comma separated text), `trajectory` names the
    column that tells trajectories apart (without it all rows are one trajectory), and exactly one of `time`
    (a column of seconds, dates or durations, or one of dates and one of clock times, `"Date,Time"`) and `dt` (the
    sampling time in seconds) is needed. Rows of
    different trajectories may be interleaved. An .npz file with one array (trajectory, time, variable) has no
    column names: there `states` and `inputs` are positions (0, 1, ...), or names x1, x2, ... by position.

    What else is given are `ReadOptions`: how text files are written (`separator`, `decimal`, `encoding`, ...), how
    times are (`day_first`, `time_zone`, ...), what happens at gaps (`gaps="cut"`). `like="excel-de"` is a set of them.
    Nothing is guessed: a file that needs options is refused, and the message proposes them all.

    A Zarr store has the layout of `to_xarray`, and is read some trajectories at a time (`pip install sparsedyn[zarr]`).
    The files of a folder are read in the order of their names. With `trajectory`, a trajectory with which a file ends
    may go on in the next; without, each file has its own, labelled with its name. `stream` names a folder to write the
    arrays to, file by file, and to map them from, so that all files together may be larger than memory:
    `SparseTimeStepper` then trains from there. The folder is used again as long as files and options are the same;
    `read` opens it by itself, too. `on_file` is called after every file of a folder, with how many are read and how
    many there are.

    **Raises:** `DataError`, beginning with the file, for files that cannot be read and data that cannot be
    used.
    """
    asked, columns, source = ReadOptions.given(**options), Columns(states, inputs, time, trajectory, dt), Path(path)
    if is_kept(source):
        if columns != Columns() or asked.changed() or stream is not None:
            raise DataError(f"{source}: these are arrays of trajectories, which need no options. Leave them out.")
        return opened(source, source)
    if source.is_dir() or stream is not None:
        whole = _parted(source, columns, asked, on_file or (lambda done, of: None))
        return read_parts(whole) if stream is None else stream_parts(whole, Path(stream))
    return _read_file(source, columns, asked)


def _parted(source: Path, columns: Columns, asked: ReadOptions, on_file: OnFile) -> Source:
    """Return the parts of a folder, or of a single file, which is one."""
    if is_store(source):
        parts, files = store_parts(source, columns, asked)
        return Source(source, parts, files, columns, asked, on_file)
    files = files_of(source, (*FORMATS, *TEXTS)) if source.is_dir() else [source]
    own = source.is_dir() and columns.trajectory is None
    read = [partial(_read_file, path, columns, asked) for path in files]
    parts = [Part(str(path), one, path.stem if own else "") for path, one in zip(files, read, strict=True)]
    return Source(source, parts, files, columns, asked, on_file)


def _read_file(source: Path, columns: Columns, asked: ReadOptions) -> Trajectories:
    form = FORMATS[".csv"] if source.suffix.lower() in TEXTS else _format(source)
    _check_file(source)
    try:
        _check_text(source, asked)
        with only_data_errors(f"{source.suffix} file"):
            data = form.from_file(source, columns, asked)
            return data if asked.resample is None else data.resample(asked.resample)
    except DataError as error:
        hint = _hint(source, asked, columns.time, (columns.states, columns.inputs))
        raise DataError(f"{source}: {error}{hint}") from error


def read_table(path: str | os.PathLike[str], **options: Any) -> Table:
    """Read all columns of a .csv or .parquet file as they are, in their order; no time is needed. Options as `read`.

    **Raises:** `DataError`, beginning with the file, for files that cannot be read, have no rows, or have two columns
    of one name.
    """
    source = Path(path)
    _check_one_file(source, dict.fromkeys((*TEXTS, *TABLES)))
    _check_file(source)
    asked = ReadOptions.given(**options)
    try:
        _check_text(source, asked)
        with only_data_errors(f"{source.suffix} file"):
            table = TABLES[".csv" if source.suffix.lower() in TEXTS else source.suffix.lower()](source, asked)
    except DataError as error:
        raise DataError(f"{source}: {error}{_hint(source, asked)}") from error
    if not len(table.frame):
        raise DataError(f"{source}: there are no rows below the column names.")
    return table


class Looked(NamedTuple):
    """What a file holds, the options that it was read with, and what it looks like, where it needs more than given."""

    overview: Overview
    options: ReadOptions
    hint: str


def look(
    path: str | os.PathLike[str], time: str | None = None, trajectory: str | None = None, **options: Any
) -> Looked:
    """Return what a file holds, whatever `read` says of it: text files are read with the options that they need.

    **Raises:** `DataError`, beginning with the file, where that is not enough.
    """
    asked = ReadOptions.given(**options)
    source = Path(path)
    _check_one_file(source, dict.fromkeys((*TEXTS, *LOOKED)))
    _check_file(source)
    hint = ""
    try:
        _check_text(source, asked)
        with only_data_errors(f"{source.suffix} file"):
            if source.suffix.lower() in TEXTS:
                proposed = sniffed(source, asked, time)
                asked, hint = proposed.options, proposed.hint() if proposed.found else ""
                table = csv.table(source, asked)
            else:
                table = LOOKED[source.suffix.lower()](source, asked)
            found = overview(table, time, trajectory, options=asked)
        seldom = [c.name for c in found.columns if c.kind == "numbers" and c.missing > SELDOM * found.rows]
        if asked.pivot and asked.fill == "refuse" and seldom:
            # Only the table that is made of tags shows what is logged less often.
            asked = replace(asked, fill="hold")
            hint = (
                f"{hint} Tags that are logged less often than others ({', '.join(seldom[:5])}): give fill='hold' "
                "(--fill hold) if these are inputs, fill='thin' (--fill thin) if some are states."
            ).strip()
        return Looked(found, asked, hint)
    except DataError as error:
        raise DataError(f"{source}: {error}" + (f"\n{hint}" if hint else "")) from error


def write(data: Trajectories, path: str | os.PathLike[str]) -> None:
    """Write trajectories to a .csv, .parquet, .nc or .npz file, replacing an existing one in one step.

    Everything is kept exactly: numbers bit by bit, names, units, labels, dt, attributes.

    **Raises:** `DataError` for an unknown suffix or a folder that is not there or cannot be written to.
    """
    target = Path(path)
    content = _format(target).to_bytes(data)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        advice = "" if target.parent.is_dir() else f" The folder {target.parent} does not exist; make it first."
        raise DataError(f"{target}: cannot be written ({error.strerror}).{advice}") from error


def _check_text(path: Path, options: ReadOptions) -> None:
    """Raise `DataError` for options of text files that are given for another."""
    if path.suffix.lower() not in TEXTS and (changed := options.changed(TEXT)):
        raise DataError(f"{', '.join(changed)}: these options are for {listing(TEXTS)}; leave them out.")


def _hint(
    path: Path,
    options: ReadOptions,
    time: str | int | None = None,
    asked: Sequence[str | Sequence[str | int] | None] = (),
) -> str:
    """Propose the options that a text file looks as if it needed, all at once; nothing for one that none would read."""
    with suppress(DataError), only_data_errors("table"):
        if tags := _tags(path, options, asked):
            return tags
        if path.suffix.lower() in TEXTS:
            proposed = sniffed(path, options, None if time is None else str(time))
            return f"\n{proposed.hint()}" if proposed.found else ""
    return ""


def _tags(path: Path, options: ReadOptions, asked: Sequence[str | Sequence[str | int] | None]) -> str:
    """Propose to make columns of tags where columns that are asked for are texts of another."""
    suffix = ".csv" if path.suffix.lower() in TEXTS else path.suffix.lower()
    if not asked or suffix not in TABLES or options.pivot is not None:
        return ""
    with suppress(DataError):
        frame = TABLES[suffix](path, options).frame
        known = [str(name) for name in frame.columns]
        wanted = {name for columns in asked for name in listed(columns, known)} - set(known)
        if pivot := tags_among(frame, wanted):
            give = f"give pivot={pivot!r} (--pivot {shlex.quote(pivot)})."
            return f"\nThe table has a row per tag and time: {give}"
    return ""


def _format(path: Path) -> Format:
    _check_suffix(path, FORMATS)
    return FORMATS[path.suffix.lower()]


def _check_one_file(path: Path, known: Collection[str]) -> None:
    """Raise `DataError` for a folder, which `read` alone takes, and for a file of another kind than those known."""
    if path.is_dir():
        files = sorted(file.name for file in path.iterdir() if file.suffix.lower() in known)
        fix = f"Give one of its files, {path / files[0]}, say." if files else "There is no such file in it."
        raise DataError(f"{path}: this is a folder; the path of one file is expected ({listing(known)}). {fix}")
    _check_suffix(path, known)


def _check_suffix(path: Path, known: Collection[str]) -> None:
    suffix = path.suffix.lower()
    if suffix not in known:
        what = f"the suffix {path.suffix!r} is unknown" if suffix else "the file name has no suffix"
        raise DataError(
            f"{path}: {what}; it decides the format and must be one of "
            f"{listing(known)}.{closest(suffix, list(known)) if suffix else ''} Save or convert the "
            "data to one of these."
        )


def _check_file(path: Path) -> None:
    """Raise `DataError` for what is no file that can be read, or an empty one."""
    if path.is_dir():
        raise DataError(f"{path}: this is a folder; the path of one file is expected.")
    try:
        with open(path, "rb") as file:
            begins = file.read(1)
    except FileNotFoundError as error:
        folder = path.parent
        if not folder.is_dir():
            raise DataError(f"{path}: there is no such file, and no folder {folder} either; check the path.") from error
        beside = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in FORMATS)
        raise DataError(
            f"{path}: there is no such file.{closest(path.name, beside)} Data files in that folder: {listing(beside)}."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions.") from error
    if not begins:
        raise DataError(f"{path}: the file is empty (0 bytes); write it again.")

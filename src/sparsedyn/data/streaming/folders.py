"""Folders of files that are one set of trajectories, read file by file: into memory, or to arrays on disk."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparsedyn import _memory

from ..clock import sampling_time
from ..errors import DataError, listing
from ..options import CELLS, GRID, ROWS, ReadOptions
from ..tables import Columns
from ..trajectories import Trajectories, described, restored
from .kept import FIELDS, is_kept, kept, open_kept

OnFile = Callable[[int, int], None]
"""Is told how many files are read, and how many there are."""


class Part(NamedTuple):
    """What is read at a time, a file or so: its name in messages, how it is read, and how its trajectories are called.

    `called` is put before labels where trajectories of every part are others; empty where labels are as they stand.
    """

    name: str
    read: Callable[[], Trajectories]
    called: str = ""


class Source(NamedTuple):
    """The parts of a file or folder, the files that these are made of, how they are read, and who is told."""

    path: Path
    parts: Sequence[Part]
    files: Sequence[Path]
    columns: Columns
    options: ReadOptions
    on_file: OnFile

    def identity(self) -> Any:
        """Return, as JSON values, how files are read, and a checksum of their names, sizes and times of change."""
        stats = [(path, path.stat()) for path in self.files]
        told = [[str(path.relative_to(self.path)), stat.st_size, stat.st_mtime_ns] for path, stat in stats]
        made = {
            "files": len(stats),
            "sha256": hashlib.sha256(json.dumps(told).encode()).hexdigest(),
            "columns": {name: value for name, value in self.columns._asdict().items() if value is not None},
            "options": self.options.changed(),
        }
        return json.loads(json.dumps(made, default=list))


class Piece(NamedTuple):
    """The trajectories of one file, and whether the first of them goes on from the last of the file before."""

    data: Trajectories
    goes_on: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of trajectories that begin in this file."""
        return self.data.labels[int(self.goes_on) :]


def files_of(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the data files of a folder, numbers in their names in the order of numbers.

    **Raises:** `DataError` for none, or files of several kinds.
    """
    known = sorted(suffixes)
    visible = [path for path in folder.iterdir() if path.is_file() and path.name[0] not in "._"]
    found = [path for path in visible if path.suffix.lower() in known]
    kinds = sorted({path.suffix.lower() for path in found})
    if len(kinds) != 1:
        raise DataError(
            f"{folder}: expected a file, or a folder of data files of one kind ({', '.join(known)}); this is a folder "
            f"with {'files of the kinds ' + listing(kinds) if kinds else 'none'}. Give the path of one of these."
        )
    return sorted(found, key=lambda path: [part.zfill(20) for part in re.split(r"(\d+)", path.name)])


def read_parts(source: Source) -> Trajectories:
    """Return the trajectories of all parts, in memory.

    **Raises:** `DataError` for files that do not go together, or are beyond the budget of memory.
    """
    allowed, size, found = _memory.budget(), 0, list[Piece]()
    for piece in _pieces(source):
        found.append(piece)
        size += sum(array.nbytes for name in FIELDS for array in getattr(piece.data, name))
        if size > allowed:
            raise DataError(
                f"{source.path}: {len(found)} of its {len(source.parts)} parts take {_memory.amount(size)}; the budget "
                f"of memory is {_memory.amount(allowed)}. Keep the numbers on disk, and train from there, with "
                f"stream='FOLDER' (--stream FOLDER), or set the environment variable {_memory.VARIABLE} to more."
            )
    labels = [label for piece in found for label in piece.labels]
    arrays = {name: _joined([(piece.goes_on, getattr(piece.data, name)) for piece in found]) for name in FIELDS}
    return _assembled(found[0].data, labels, arrays, source)


def stream_parts(source: Source, folder: Path) -> Trajectories:
    """Return the trajectories of all parts as arrays of `folder`, which are made unless they are there.

    **Raises:** `DataError` for files that do not go together, a folder of other data, and a full disk.
    """
    identity = source.identity()
    if not is_kept(folder):
        with kept(folder, identity) as arrays:
            first, labels = None, list[str]()
            for piece in _pieces(source):
                first = first or piece.data
                labels += piece.labels
                for i, rows in enumerate(zip(*(getattr(piece.data, name) for name in FIELDS), strict=True)):
                    arrays.add(rows, begins=i > 0 or not piece.goes_on)
            assert first is not None  # there is a file, and every file has a trajectory
            arrays.describe(described(_assembled(first, labels, arrays.mapped(), source)))
    return opened(folder, source.path, identity)


def opened(folder: Path, source: Path, identity: Any = None) -> Trajectories:
    """Return the trajectories whose arrays are in a folder, mapped; see `open_kept`."""
    description, arrays = open_kept(folder, source, identity)
    return restored(description, arrays["states"], arrays["inputs"], arrays["time"])


def _pieces(source: Source) -> Iterator[Piece]:
    """Read one part after the other, and make labels distinct.

    A label of the column `trajectory` with which a part ends and the next begins is one trajectory.
    """
    first: Trajectories | None = None
    label, end, rows, seen = "", 0.0, 0, set[str]()
    for number, part in enumerate(source.parts, start=1):
        data = part.read()
        first = first or data
        _check_alike(first, data, part.name)
        if part.called:
            labels = [part.called] if len(data) == 1 else [f"{part.called}.{own}" for own in data.labels]
            data = data._with(labels=tuple(labels))
        piece = Piece(data, bool(seen) and data.labels[0] == label)
        if again := seen.intersection(piece.labels):
            raise DataError(
                f"{part.name}: trajectory {min(again)!r} has rows in a file before, and others followed; expected rows "
                "of one label together. Sort the rows by label, or give every run a label of its own."
            )
        if piece.goes_on:
            piece = piece._replace(data=_continued(data, end, rows, source, part.name))
        yield piece
        source.on_file(number, len(source.parts))
        seen.update(data.labels)
        rows = data.lengths[-1] + (rows if piece.goes_on and len(data) == 1 else 0)
        label, end = data.labels[-1], float(piece.data.time[-1][-1])


def _continued(data: Trajectories, end: float, rows: int, source: Source, name: str) -> Trajectories:
    """Return what goes on after `rows` rows, the last at `end`, with its times."""
    place = f"{name}: trajectory {data.labels[0]!r} goes on from the file before"
    if changed := [name for about in (CELLS, ROWS, GRID) for name in source.options.changed(about)]:
        raise DataError(
            f"{place}; expected whole trajectories in every file along with {', '.join(changed)}. Divide the files so."
        )
    time = data.time[0]
    if source.columns.dt is not None:
        time = (rows + np.arange(len(time), dtype=np.float64)) * sampling_time(source.columns.dt)
    if not time[0] > end:
        raise DataError(
            f"{place}, which ends at {end:g} s; expected a later time than {time[0]:g} s. Sort the rows by time. Dates "
            "count from the first of their file, and need whole trajectories in every file."
        )
    return data._with(time=(time, *data.time[1:]))


def _check_alike(first: Trajectories, data: Trajectories, part: str) -> None:
    for name in ("state_names", "input_names", "state_units", "input_units"):
        expected, got = getattr(first, name), getattr(data, name)
        if expected != got:
            raise DataError(
                f"{part}: expected the {name} of the first file, {list(expected)}; got {list(got)}. Leave the file "
                "out, or name the columns alike."
            )


def _assembled(
    like: Trajectories, labels: list[str], arrays: dict[str, list[np.ndarray]], source: Source
) -> Trajectories:
    """Return all trajectories, of the variables of one file, checked as a whole."""
    data = Trajectories(
        arrays["states"],
        arrays["inputs"] if like.input_names else None,
        time=arrays["time"],
        gaps="keep" if source.columns.time is None or source.options.gaps != "refuse" else "refuse",
        state_names=like.state_names,
        input_names=like.input_names or None,
        state_units=like.state_units,
        input_units=like.input_units or None,
        labels=labels,
        attrs=like.attrs,
    )
    # A step that was given, or that a file of this package has, is exact; one measured from times is not.
    return data._with(dt=like.dt) if source.columns.time is None and data.regular else data


def _joined(parts: Sequence[tuple[bool, Sequence[np.ndarray]]]) -> list[np.ndarray]:
    """Return one array per trajectory."""
    runs: list[list[np.ndarray]] = []
    for goes_on, arrays in parts:
        for i, array in enumerate(arrays):
            if i or not goes_on:
                runs.append([])
            runs[-1].append(array)
    return [run[0] if len(run) == 1 else np.concatenate(run) for run in runs]

"""A folder of arrays: states, inputs and times of trajectories, one below the other, each in a NumPy file to be mapped.

`arrays.json` says what they are, of what they were made, and their SHA-256.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sparsedyn import _disk

from ..budget import only_data_errors, parsed_json
from ..errors import DataError
from .mapping import mapped

HEAD, FORMAT, VERSION = "arrays.json", "sparsedyn arrays", 1
FIELDS = ("states", "inputs", "time")
READ = 2**22
"""Bytes that are read at a time for a checksum."""


class Arrays:
    """Arrays that are being written: rows are added to the last trajectory, or begin another."""

    def __init__(self, folder: Path, files: Sequence[BinaryIO]):
        self.folder, self.files = folder, files
        self.lengths: list[int] = []
        self.widths: tuple[int, int] | None = None
        self.sums = [hashlib.sha256() for _ in FIELDS]
        self.description: dict[str, Any] = {}

    def add(self, rows: Sequence[np.ndarray], *, begins: bool) -> None:
        """Write states, inputs and times of rows that follow each other."""
        if self.widths is None:
            self.widths = rows[0].shape[1], rows[1].shape[1]
            self._write_heads()
        for file, checksum, values in zip(self.files, self.sums, rows, strict=True):
            content = np.ascontiguousarray(values, "<f8").data
            file.write(content)
            checksum.update(content)
        if begins:
            self.lengths.append(0)
        self.lengths[-1] += len(rows[0])

    def mapped(self) -> dict[str, list[np.ndarray]]:
        """Return what was written, an array per trajectory."""
        for file in self.files:
            file.seek(0)
        self._write_heads()
        for file in self.files:
            file.flush()
        return {name: _divided(_opened(self.folder / f"{name}.npy")[0], self.lengths) for name in FIELDS}

    def describe(self, description: dict[str, Any]) -> None:
        """Say what was written: the description of trajectories."""
        self.description = description

    def _write_heads(self) -> None:
        # NumPy leaves room in a header for the length to grow, so that the second is as long as the first.
        rows, (states, inputs) = sum(self.lengths), self.widths or (0, 0)
        for file, shape in zip(self.files, [(rows, states), (rows, inputs), (rows,)], strict=True):
            head = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, head)


def is_kept(folder: Path) -> bool:
    """Whether there are arrays in a folder."""
    return (folder / HEAD).is_file()


@contextmanager
def kept(folder: Path, identity: Any) -> Iterator[Arrays]:
    """Yield arrays to write, which are in `folder` when they are finished and `described`; `identity` is their source.

    **Raises:** `DataError` for a folder that has other content, and a full disk.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: expected a new folder for arrays; there is something else. Give another name.")
    try:
        with _disk.appearing(folder) as temporary:
            with ExitStack() as stack:
                files = [stack.enter_context(open(temporary / f"{name}.npy", "w+b")) for name in FIELDS]
                arrays = Arrays(temporary, files)
                yield arrays
            head = {
                "format": FORMAT,
                "version": VERSION,
                "source": identity,
                "lengths": arrays.lengths,
                "sha256": {name: one.hexdigest() for name, one in zip(FIELDS, arrays.sums, strict=True)},
                "trajectories": arrays.description,
            }
            (temporary / HEAD).write_text(json.dumps(head, indent=1))
    except OSError as error:
        raise DataError(f"{folder}: the arrays cannot be written ({error.strerror}). Name another folder.") from error


def open_kept(folder: Path, source: Path, identity: Any = None) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """Return the description of trajectories, and their arrays, mapped; with `identity`, if they were made of that.

    **Raises:** `DataError` for arrays of other data, and damaged ones.
    """
    with only_data_errors("folder of arrays"):
        head = parsed_json((folder / HEAD).read_bytes())
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise DataError(f"{folder / HEAD}: expected a description of arrays; got others. Make them again.")
        if head.get("version") != VERSION:
            raise DataError(
                f"{folder / HEAD}: expected version {VERSION}; got {head.get('version')!r}. Update the package."
            )
        if identity is not None and head["source"] != identity:
            raise DataError(
                f"{folder}: expected arrays of {source}, read in this way; these were made from other files, with "
                "other options, or the files have changed since. Give another folder, or remove this one."
            )
        return head["trajectories"], {name: _checked(folder / f"{name}.npy", name, head) for name in FIELDS}


def _checked(path: Path, name: str, head: dict[str, Any]) -> list[np.ndarray]:
    """Return a mapped array, divided, whose shape and checksum are those that the folder says it has."""
    array, offset = _opened(path)
    checksum = hashlib.sha256()
    with open(path, "rb") as file:
        file.seek(offset)
        while content := file.read(READ):
            checksum.update(content)
    if checksum.hexdigest() != head["sha256"][name] or len(array) != sum(head["lengths"]):
        raise DataError(f"{path}: its numbers are not those that were written (SHA-256). Make it again.")
    return _divided(array, head["lengths"])


def _opened(path: Path) -> tuple[np.ndarray, int]:
    """Map a NumPy file of numbers; return also where they begin."""
    with open(path, "rb") as file:
        np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if fortran or dtype != np.dtype("<f8") or len(shape) not in (1, 2):
            raise DataError(f"{path}: expected rows of float64; got {dtype} of shape {shape}. Make it again.")
        return mapped(path, shape, np.float64, file.tell()), file.tell()


def _divided(array: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    ends = np.cumsum([0, *lengths]).tolist()
    return [array[first:end] for first, end in pairwise(ends)]

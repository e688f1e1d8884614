"""Arrays in files: numbers that are there when they are asked for, and take no memory of their own."""

import mmap
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from sparsedyn._memory import amount

from ..errors import DataError


def mapping_of(array: np.ndarray) -> np.memmap | None:
    """Return the mapped file that an array is a part of; None for one in memory."""
    part: object = array
    while isinstance(part, np.ndarray):
        if isinstance(part, np.memmap) and isinstance(part.base, mmap.mmap):
            return part
        part = part.base
    return None


def folder_of(arrays: Iterable[np.ndarray]) -> Path | None:
    """Return the folder of the first mapped file that arrays are a part of; None for arrays in memory."""
    found = (mapping_of(array) for array in arrays)
    return next((Path(one.filename).parent for one in found if one is not None and one.filename is not None), None)


def mapped(file: Any, shape: tuple[int, ...], dtype: type[np.floating], offset: int = 0) -> np.ndarray:
    """Map numbers of a file, to be read only; of no columns there is nothing to map."""
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(file, dtype, mode="r", offset=offset, shape=shape)


def written(parts: Iterable[Sequence[np.ndarray]], shapes: Sequence[tuple[int, int]], folder: Path) -> list[np.ndarray]:
    """Write float32 arrays in parts, one below the other, each to a file of `folder` without a name, and map them.

    Such a file is gone when nothing maps it any more, also after a kill. **Raises:** `DataError` for a full disk.
    """
    try:
        with ExitStack() as opened:
            files = [opened.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in shapes]
            for part in parts:
                for file, values in zip(files, part, strict=True):
                    # Not through the map: a full disk would end the process there.
                    file.write(np.ascontiguousarray(values).data)
            for file in files:
                file.flush()
            return [mapped(file, shape, np.float32) for file, shape in zip(files, shapes, strict=True)]
    except OSError as error:
        size = amount(4 * sum(rows * columns for rows, columns in shapes))
        raise DataError(
            f"{folder}: expected room for {size} of scaled samples beside the data ({error.strerror}). Free some, or "
            "move the folder to another disk."
        ) from error

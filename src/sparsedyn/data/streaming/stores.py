"""Zarr stores of the layout of `Trajectories.to_xarray`, read some trajectories at a time.

What a store says of its arrays is checked before it is opened: filters have to be among those that do arithmetic, since
Zarr knows one that unpickles, and chunks have to fit into memory.
"""

import importlib.util
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from ..budget import NUMBER, check_memory, check_numbers, only_data_errors, parsed_json
from ..datasets import DIMENSIONS, from_dataset
from ..errors import DataError, listing
from ..options import ReadOptions
from ..tables import Columns
from ..trajectories import Trajectories, restored
from .folders import Part

GROUP, ARRAY = ("zarr.json", ".zgroup"), ("zarr.json", ".zarray")
"""Files that say what a folder is, in the formats 3 and 2."""
FILTERS = frozenset(
    {
        *("blosc", "bytes", "bz2", "crc32c", "delta", "gzip", "lz4", "lzma"),
        *("sharding_indexed", "shuffle", "transpose", "vlen-utf8", "zlib", "zstd"),
    }
)
PART = 64 * 10**6
"""Bytes of numbers that are read at a time, or one trajectory."""


def is_store(path: Path) -> bool:
    """Whether a folder is a Zarr store."""
    return any((path / name).is_file() for name in GROUP)


def store_parts(path: Path, columns: Columns, options: ReadOptions) -> tuple[list[Part], list[Path]]:
    """Return the parts of a store, and its files.

    **Raises:** `DataError` without Zarr, for options, and for a store that is no trajectories, or not to be opened.
    """
    if changed := options.changed():
        raise DataError(f"{path}: a Zarr store says itself how it is read; got {listing(changed)}. Leave them out.")
    try:
        with only_data_errors("Zarr store"):
            _check(path)
            if importlib.util.find_spec("zarr") is None:
                raise DataError("to read a Zarr store, install the package zarr: pip install 'sparsedyn[zarr]'.")
            with xr.open_zarr(path, chunks=None, consolidated=False) as store:
                count, rows, states = store["states"].shape
                each = NUMBER * rows * (states + store["inputs"].shape[2] + 1)
            step = max(1, PART // each)
            ranges = [(first, min(count, first + step)) for first in range(0, count, step)]
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    parts = [
        Part(f"{path}, trajectories {first} to {end - 1}", partial(_read, path, first, end, columns))
        for first, end in ranges
    ]
    return parts, sorted(file for file in path.rglob("*") if file.is_file())


def _read(path: Path, first: int, end: int, columns: Columns) -> Trajectories:
    try:
        with only_data_errors("Zarr store"), xr.open_zarr(path, chunks=None, consolidated=False) as store:
            part = store.isel(trajectory=slice(first, end))
            check_memory(2 * part.nbytes, f"{end - first} trajectories of {part.sizes['row']} rows")
            return restored(*from_dataset(part.load()), columns)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _check(path: Path) -> None:
    """Raise `DataError` for a store that lacks arrays, or has filters and chunks that are not to be tried."""
    told = [(file, parsed_json(file.read_bytes())) for name in ARRAY for file in sorted(path.glob(f"*/{name}"))]
    for file, array in told:
        name = file.parent.name
        if unknown := sorted(set(_filters(array)) - FILTERS):
            raise DataError(
                f"array {name!r}: expected filters among {listing(sorted(FILTERS))}; got {listing(unknown)}."
            )
        chunk = array.get("chunks") or array["chunk_grid"]["configuration"]["chunk_shape"]
        check_numbers(*map(int, chunk), claimed=f"chunks of {math.prod(map(int, chunk))} numbers")
        if name not in ("states", "inputs", "time"):
            check_numbers(
                *map(int, array["shape"]), claimed=f"{math.prod(map(int, array['shape']))} values of {name!r}"
            )
    missing = [name for name in DIMENSIONS if name not in {file.parent.name for file, _ in told}]
    if missing:
        raise DataError(
            f"expected the arrays {listing(DIMENSIONS)}, as to_xarray makes them; {missing[0]!r} is missing."
        )


def _filters(told: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all filters that a description of an array has, also within each other."""
    found = [told.get("compressor"), *(told.get("filters") or ()), *told.get("codecs", ())]
    found += [*told.get("index_codecs", ()), *told.get("storage_transformers", ())]
    for one in found:
        if one is not None:
            yield str(one.get("id", one.get("name")))
            yield from _filters(one.get("configuration") or {})

"""The program that takes an HDF5 file apart, in a process of its own: `python hdf5.py FILE BYTES`.

HDF5 files can make the library that reads them hang, crash, or fill the memory. Here, that ends a process of which
nothing is needed. It writes what is in the root group to its standard output: a line of JSON, and the numbers as bytes.
Without pandas, xarray and JAX it starts in a quarter of a second.
"""

import json
import math
import resource
import sys
from typing import Any, BinaryIO

import h5netcdf
import h5py
import numpy as np

SLAB = 16_000_000
"""Bytes that are read and written at a time."""
MOST = 20_000
"""Variables, attributes of one, and members of the root group, at most."""
TEXT = 56
"""Bytes of a text besides its characters."""


def main(path: str, limit: int, output: BinaryIO) -> None:
    """Write the content of a file; a refusal instead where what it claims to hold is beyond `limit` bytes."""
    try:
        with h5netcdf.File(path, "r", phony_dims="access") as file:
            entries, sources = described(file, limit)
            confine(limit)
            output.write(json.dumps({"attrs": attributes(file), "variables": entries}).encode() + b"\n")
            for source in sources:
                stream(source, output)
    except Exception as error:
        output.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}).encode() + b"\n")


def confine(limit: int) -> None:
    """Let this process take so many bytes more than it has by now."""
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + limit + 10 * SLAB, resource.RLIM_INFINITY))


def described(file: Any, limit: int) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return names, dimensions, types and attributes of variables, and where numbers of them are; texts as they are."""
    if len(file._h5group) > MOST:
        raise ValueError(f"there are {len(file._h5group)} variables and groups; expected at most {MOST}")
    total, entries, sources = 0, [], []
    for name, variable in file.variables.items():
        dataset = variable._h5ds
        link = file._h5group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink) or dataset.external or dataset.is_virtual:
            raise ValueError(f"the variable {name!r} lies in another file, which is not read")
        kind = variable.dtype.kind
        text = h5py.check_string_dtype(dataset.dtype) is not None and kind == "O"
        if not text and kind not in "biufS":
            continue
        size = TEXT if text else variable.dtype.itemsize
        total += math.prod(map(int, dataset.shape)) * size
        if total > limit:
            raise ValueError(f"claims {total} bytes up to the variable {name!r}")
        entry = {"name": name, "dims": variable.dimensions, "shape": dataset.shape, "attrs": attributes(variable)}
        entries.append(entry | ({"texts": texts(dataset)} if text else {"dtype": variable.dtype.str}))
        sources += [] if text else [dataset]
    return entries, sources


def texts(dataset: Any) -> list[str]:
    """Return texts, row by row."""
    return [one.decode("utf-8", "replace") for one in np.ravel(dataset[()]).tolist()]


def attributes(of: Any) -> dict[str, Any]:
    """Return attributes: texts, or lists of texts, as they are; numbers with their type."""
    if len(of.attrs) > MOST:
        raise ValueError(f"there are {len(of.attrs)} attributes; expected at most {MOST}")
    found: dict[str, Any] = {}
    for key, value in of.attrs.items():
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            found[key] = value
        elif np.asarray(value).dtype.kind in "biuf":
            found[key] = {"dtype": np.asarray(value).dtype.str, "values": np.asarray(value).tolist()}
        elif np.ndim(value) == 1 and all(isinstance(one, str) for one in value):
            found[key] = list(value)
    return found


def stream(dataset: Any, output: BinaryIO) -> None:
    """Write the numbers of a variable, some rows at a time."""
    if not dataset.shape:
        output.write(np.asarray(dataset[()]).tobytes())
        return
    row = max(1, int(np.prod(dataset.shape[1:])) * dataset.dtype.itemsize)
    step = max(1, SLAB // row)
    for start in range(0, dataset.shape[0], step):
        output.write(np.ascontiguousarray(dataset[start : start + step]).tobytes())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)

"""HDF5 files, taken apart by a process of its own that has limited memory and time."""

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
import xarray as xr

from sparsedyn import _memory

from ..budget import NUMBER, check_memory
from ..errors import DataError

SECONDS = "SPARSEDYN_READ_SECONDS"
"""The environment variable that sets how long reading one file may take."""
LEAST, RATE = 60.0, 10_000_000
"""Seconds that it may take where none are set, and bytes a second of which larger files have as much."""
PROGRAM = Path(__file__).with_name("hdf5.py")
HEAD = 100_000_000
"""Bytes of names, attributes and texts, at most."""


def opened(path: Path) -> xr.Dataset:
    """Return the variables of the root group of an HDF5 file, decoded by the conventions of NetCDF, in memory.

    **Raises:** `DataError` for what is none, claims more than the budget of memory, or takes too long.
    """
    check_memory(path.stat().st_size, f"{path.stat().st_size} bytes")
    seconds = allowed_seconds(path.stat().st_size)
    # -P: the folder of the program has modules of the names of Python's own, as csv.
    command = [sys.executable, "-P", str(PROGRAM), str(path), str(_memory.budget())]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        late = threading.Event()
        timer = threading.Timer(seconds, _stop, (process, late))
        timer.start()
        try:
            assert process.stdout is not None
            raw = _received(process.stdout)
        finally:
            timer.cancel()
            process.kill()
    if late.is_set():
        raise DataError(
            f"reading it took more than {seconds:.0f} s. If it is not damaged, set the environment variable {SECONDS} "
            "to more."
        )
    if raw is None:
        raise DataError("it is no readable NetCDF 4 file (HDF5 failed on it); write it again as NetCDF 4.")
    return xr.decode_cf(raw, decode_timedelta=False)


def _stop(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def allowed_seconds(size: int) -> float:
    """Return the seconds that reading a file of so many bytes may take."""
    given = os.environ.get(SECONDS, "")
    try:
        found = float(given) if given else LEAST + size / RATE
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise DataError(f"{SECONDS}={given!r}: expected a positive number of seconds.")
    return found


def _received(stream: IO[bytes]) -> xr.Dataset | None:
    """Return what the process wrote; nothing where it ended before it had written everything."""
    line = stream.readline(HEAD)
    try:
        content = json.loads(line)
    except ValueError:
        return None
    if "error" in content:
        raise DataError(f"it is no readable NetCDF 4 file ({content['error']}); write it again as NetCDF 4.")
    sizes = [NUMBER * math.prod(one["shape"]) for one in content["variables"]]
    check_memory(2 * sum(sizes), f"{len(sizes)} variables")
    variables = {}
    for one in content["variables"]:
        if "texts" in one:
            values = np.empty(len(one["texts"]), object)
            values[:] = one["texts"]
        else:
            values = np.empty(math.prod(one["shape"]), one["dtype"])
            into = memoryview(values.view(np.uint8).data)
            if stream.readinto(into) != values.nbytes:  # type: ignore[attr-defined]
                return None
        variables[one["name"]] = (one["dims"], values.reshape(one["shape"]), _attributes(one["attrs"]))
    return xr.Dataset(variables, attrs=_attributes(content["attrs"]))


def _attributes(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        key: np.asarray(value["values"], value["dtype"])[()] if isinstance(value, dict) else value
        for key, value in stored.items()
    }

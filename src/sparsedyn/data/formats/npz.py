"""NumPy archives: our own, arrays (trajectory, time, variable), or columns; pickles are refused."""

import io
import json
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from ..budget import NUMBER, check_memory, parsed_json
from ..datasets import pad, unpad
from ..description import FORMAT
from ..errors import DataError, listing
from ..options import ReadOptions
from ..tables import Columns, Table, arguments
from ..trajectories import Trajectories, described, restored
from .positions import name_positions

COPIES = 4
"""Copies of the numbers that are held at a time, at most."""
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""What reads the header of an array by the version of its format; the third is for records, which are not read."""


def to_bytes(data: Trajectories) -> bytes:
    """Write arrays states, inputs, time (padded with NaN), length, and a JSON description."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        description=np.array(json.dumps(described(data))),
        states=pad(data.states),
        inputs=pad(data.inputs),
        time=pad(data.time),
        length=np.array(data.lengths, dtype=np.int64),
    )
    return buffer.getvalue()


def from_file(path: Path, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read an archive: one written by `to_bytes`, or a foreign one.

    Foreign archives hold either one-dimensional columns of one length, or one array (trajectory, time,
    variable) or (time, variable) under any name, or two such arrays named states and inputs. A scalar named
    dt is the sampling time where none is given.
    """
    arrays = _load(path)
    own = _own_description(arrays)
    if own is not None:
        lengths = arrays["length"]
        states, inputs, time = (unpad(arrays[name], lengths) for name in ("states", "inputs", "time"))
        return restored(own, states, inputs, time, columns)
    if columns.dt is None and columns.time is None and "dt" in arrays and arrays["dt"].size == 1:
        columns = columns._replace(dt=float(arrays["dt"].item()))
    blocks = {name: array for name, array in arrays.items() if array.ndim in (2, 3)}
    if not blocks:
        return Trajectories(**arguments(Table(_column_table(arrays)), columns, options))
    return _from_blocks(blocks, columns, options)


def table(path: Path, options: ReadOptions) -> Table:
    """Read all columns; those of arrays of several axes are x1, x2, ..., with a column of trajectories."""
    arrays = _load(path)
    if _own_description(arrays) is not None:
        data = from_file(path, Columns(), options)
        names = (*data.state_names, *data.input_names)
        units = dict(zip(names, (*data.state_units, *data.input_units), strict=True))
        return Table(data.to_pandas(), None, units)
    blocks = [array for array in arrays.values() if array.ndim in (2, 3)]
    if not blocks:
        return Table(_column_table(arrays))
    if len({block.shape[:-1] for block in blocks}) > 1:
        raise DataError(f"it holds arrays of several shapes ({listing(b.shape for b in blocks)}); keep one.")
    block = np.concatenate(blocks, axis=-1)
    frame = pd.DataFrame(block.reshape(-1, block.shape[-1]), columns=[f"x{i + 1}" for i in range(block.shape[-1])])
    if block.ndim == 3:
        frame.insert(0, "trajectory", np.repeat(np.arange(block.shape[0]), block.shape[1]))
    return Table(frame)


def _load(path: Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        begins = file.read(2)
    if begins != b"PK":
        raise DataError(
            "it is no npz archive, which is a zip file of arrays as numpy.savez writes it; single arrays "
            "(.npy) and pickled Python objects are not read."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_claims(archive)
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in archive.infolist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        KeyError,
        NotImplementedError,
        ValueError,
    ) as error:
        if isinstance(error, ValueError) and "allow_pickle" in str(error):
            raise DataError(
                "it holds pickled Python objects, which could run any code and are never loaded; store "
                "plain number arrays (arrays of dtype float, not object)."
            ) from error
        raise DataError(f"it is no readable npz archive ({error}); write it again with numpy.savez.") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _check_claims(archive: zipfile.ZipFile) -> None:
    """Raise `DataError` for arrays that are beyond the budget of memory, or cut short; only their headers are read."""
    total = 0
    for member in archive.infolist():
        if not member.filename.endswith(".npy"):
            raise DataError(f"it holds {member.filename!r}, which is no array; write it again with numpy.savez.")
        with archive.open(member) as file:
            shape, _, dtype = HEADERS[np.lib.format.read_magic(file)](file)
            size = math.prod(shape) * dtype.itemsize
            if size > member.file_size - file.tell() and not dtype.hasobject:
                raise DataError(
                    f"its array {member.filename.removesuffix('.npy')!r} claims the shape {shape}, and has "
                    f"{member.file_size} bytes; it was cut short or changed. Write it again."
                )
        # Numbers become float64, whatever they are in the file.
        total += max(size, NUMBER * math.prod(shape))
    check_memory(COPIES * total, f"{len(archive.infolist())} arrays")


def _own_description(arrays: dict[str, np.ndarray]) -> dict[str, object] | None:
    text = arrays.get("description")
    if text is None or text.dtype.kind != "U" or text.ndim:
        return None
    try:
        description = parsed_json(text.item())
    except ValueError:
        return None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        return None
    missing = [name for name in ("states", "inputs", "time", "length") if name not in arrays]
    if missing:
        raise DataError(f"the archive lacks the array {missing[0]!r}; the file is damaged, write it again.")
    return description


def _column_table(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    columns = {name: array for name, array in arrays.items() if array.ndim == 1}
    lengths = {name: len(array) for name, array in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"its columns have different lengths ({lengths}); they must have one length.")
    return pd.DataFrame(columns)


def _from_blocks(blocks: dict[str, np.ndarray], columns: Columns, options: ReadOptions) -> Trajectories:
    if columns.trajectory is not None and any(block.ndim == 3 for block in blocks.values()):
        raise DataError(
            f"trajectory={columns.trajectory!r} is asked, but the first dimension of the array tells "
            "the trajectories apart; leave trajectory= out."
        )
    if set(blocks) == {"states", "inputs"}:
        widths = {"x": blocks["states"].shape[-1], "u": blocks["inputs"].shape[-1]}
        if blocks["states"].shape[:-1] != blocks["inputs"].shape[:-1]:
            raise DataError(
                f"states have shape {blocks['states'].shape}, inputs {blocks['inputs'].shape}; they must "
                "agree in all but the last dimension."
            )
        block = np.concatenate([blocks["states"], blocks["inputs"]], axis=-1)
        names = [f"{letter}{i + 1}" for letter, width in widths.items() for i in range(width)]
        if columns.states is None and columns.inputs is None:
            columns = columns._replace(states=names[: widths["x"]], inputs=names[widths["x"] :])
    elif len(blocks) == 1:
        block = next(iter(blocks.values()))
        names, columns = name_positions(block.shape[-1], columns)
    else:
        raise DataError(
            f"it holds {len(blocks)} arrays ({listing(blocks)}) and none says what it is; keep one array "
            "(trajectory, time, variable), or two named states and inputs."
        )
    frame = pd.DataFrame(block.reshape(-1, block.shape[-1]), columns=names)
    if block.ndim == 3:
        frame["trajectory"] = np.repeat(np.arange(block.shape[0]), block.shape[1])
        columns = columns._replace(trajectory="trajectory")
    return Trajectories(**arguments(Table(frame), columns, options))

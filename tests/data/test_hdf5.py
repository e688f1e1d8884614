"""NetCDF files are taken apart by a process of its own, with limited time and memory, and without JAX or pictures."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from sparsedyn.data import DataError, read
from sparsedyn.data.formats import apart


def column(path: Path, rows: int, **how: object) -> None:
    with h5py.File(path, "w") as file:
        for name in ("t", "x"):
            file.create_dataset(name, shape=(rows,), dtype="f8", **how)


def test_what_is_claimed_is_refused_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSEDYN_MEMORY", "50 MB")
    column(tmp_path / "x.nc", 10**12, chunks=(10**6,), compression="gzip")
    with pytest.raises(DataError, match="claims 8000000000000 bytes up to the variable 't'"):
        read(tmp_path / "x.nc", states=["x"], time="t")


def test_what_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "forever.py"
    program.write_text("import time\nwhile True:\n    time.sleep(1)\n")
    monkeypatch.setattr(apart, "PROGRAM", program)
    monkeypatch.setenv("SPARSEDYN_READ_SECONDS", "0.2")
    column(tmp_path / "x.nc", 3)
    with pytest.raises(DataError, match=r"more than 0 s.*SPARSEDYN_READ_SECONDS"):
        read(tmp_path / "x.nc", states=["x"], time="t")
    monkeypatch.setenv("SPARSEDYN_READ_SECONDS", "soon")
    with pytest.raises(DataError, match="SPARSEDYN_READ_SECONDS='soon': expected a positive number"):
        read(tmp_path / "x.nc", states=["x"], time="t")


@pytest.mark.parametrize("end", ["import os\nos.abort()\n", "print('{')\n", "print('{\"attrs\": {}')\n", ""])
def test_a_process_that_crashes_is_a_data_error(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "crash.py"
    program.write_text(end)
    monkeypatch.setattr(apart, "PROGRAM", program)
    column(tmp_path / "x.nc", 3)
    with pytest.raises(DataError, match="no readable NetCDF 4 file"):
        read(tmp_path / "x.nc", states=["x"], time="t")


def test_what_lies_in_other_files_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(48))
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file["t"] = np.arange(6.0)
        file.create_dataset("x", shape=(6,), dtype="f8", external=[(str(tmp_path / "secret"), 0, 48)])
    with pytest.raises(DataError, match="'x' lies in another file"):
        read(tmp_path / "x.nc", states=["x"], time="t")


def test_variables_are_those_that_xarray_reads(tmp_path: Path) -> None:
    packed = {"dtype": "int16", "scale_factor": 0.5, "add_offset": 3.0, "_FillValue": -1}
    made = xr.Dataset(
        {"x": ("time", np.arange(6) / 2), "u": ("time", np.arange(6, dtype=np.int32)), "run": ("time", list("aabbcc"))},
        {"time": np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]").astype("datetime64[ns]")},
        {"title": "a plant", "levels": [1.5, 2.5], "count": np.int32(3)},
    )
    made.to_netcdf(tmp_path / "x.nc", engine="h5netcdf", encoding={"x": packed})
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as expected:
        xr.testing.assert_identical(apart.opened(tmp_path / "x.nc"), expected.load())


def test_the_process_imports_neither_jax_nor_pictures() -> None:
    code = (
        "import runpy, sys; sys.argv = ['x', 'nothing.nc', '1000']; "
        f"runpy.run_path({str(apart.PROGRAM)!r}, run_name='__main__'); "
        "print([name for name in ('jax', 'matplotlib', 'pandas', 'xarray', 'sparsedyn') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert "FileNotFoundError" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"

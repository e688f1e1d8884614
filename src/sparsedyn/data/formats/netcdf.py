"""NetCDF 4, decoded by xarray: the layout of `Trajectories.to_xarray`, or variables over (trajectory, time)."""

import math
from pathlib import Path

import xarray as xr

from ..budget import check_numbers
from ..datasets import from_dataset
from ..description import FORMAT
from ..options import ReadOptions
from ..tables import Columns, Table, arguments, asked_columns
from ..trajectories import Trajectories, restored
from .apart import opened

COPIES = 3
"""Copies of the numbers of a table that are held at a time, at most."""


def to_bytes(data: Trajectories) -> bytes:
    """Write the dataset of `Trajectories.to_xarray`."""
    dataset = data.to_xarray()
    # Without a fill value the numbers are kept bit by bit, NaN padding included.
    plain = {name: {"_FillValue": None} for name in ("states", "inputs", "time")}
    return bytes(dataset.to_netcdf(engine="h5netcdf", encoding=plain))


def from_file(path: Path, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read a file written by `to_bytes`, or the chosen variables of any other as columns of a table."""
    dataset = opened(path)
    if dataset.attrs.get("format") == FORMAT:
        return restored(*from_dataset(dataset), columns)
    known = dict.fromkeys(str(name) for name in (*dataset.variables, *dataset.dims))
    wanted = asked_columns(columns, list(known))
    # Only what is asked: variables over other dimensions would multiply the rows.
    return Trajectories(
        **arguments(_table(dataset[[name for name in wanted if name in dataset.variables]]), columns, options)
    )


def table(path: Path, options: ReadOptions) -> Table:
    """Read all variables as columns; those over fewer dimensions are repeated."""
    dataset = opened(path)
    if dataset.attrs.get("format") == FORMAT:
        data = restored(*from_dataset(dataset))
        names = (*data.state_names, *data.input_names)
        units = dict(zip(names, (*data.state_units, *data.input_units), strict=True))
        return Table(data.to_pandas(), None, units)
    return _table(dataset)


def _table(dataset: xr.Dataset) -> Table:
    """Return variables as columns, a row for every combination of their dimensions."""
    rows, columns = math.prod(dataset.sizes.values()), len(dataset.variables)
    check_numbers(COPIES, rows, columns, claimed=f"{rows} rows of {columns} variables")
    said = {str(name): variable.attrs.get("units", "") for name, variable in dataset.variables.items()}
    units = {name: unit for name, unit in said.items() if isinstance(unit, str)}
    return Table(dataset.to_dataframe().reset_index(), None, units)

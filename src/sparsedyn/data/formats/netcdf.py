"""NetCDF 4 through xarray: the layout of `Trajectories.to_xarray`, or variables over (trajectory, time)."""

import io

import xarray as xr

from ..datasets import from_dataset
from ..description import FORMAT
from ..errors import DataError
from ..options import ReadOptions
from ..tables import Columns, Table, arguments, asked_columns
from ..trajectories import Trajectories, restored


def to_bytes(data: Trajectories) -> bytes:
    """Write the dataset of `Trajectories.to_xarray`."""
    dataset = data.to_xarray()
    # Without a fill value the numbers are kept bit by bit, NaN padding included.
    plain = {name: {"_FillValue": None} for name in ("states", "inputs", "time")}
    return bytes(dataset.to_netcdf(engine="h5netcdf", encoding=plain))


def from_bytes(content: bytes, columns: Columns, options: ReadOptions) -> Trajectories:
    """Read a file written by `to_bytes`, or the chosen variables of any other as columns of a table."""
    dataset = _opened(content)
    if dataset.attrs.get("format") == FORMAT:
        return restored(*from_dataset(dataset), columns)
    known = dict.fromkeys(str(name) for name in (*dataset.variables, *dataset.dims))
    wanted = asked_columns(columns, list(known))
    # Only what is asked: variables over other dimensions would multiply the rows.
    frame = dataset[[name for name in wanted if name in dataset.variables]].to_dataframe().reset_index()
    return Trajectories(**arguments(Table(frame), columns, options))


def table(content: bytes, options: ReadOptions) -> Table:
    """Read all variables as columns; those over fewer dimensions are repeated."""
    dataset = _opened(content)
    if dataset.attrs.get("format") == FORMAT:
        data = restored(*from_dataset(dataset))
        names = (*data.state_names, *data.input_names)
        units = dict(zip(names, (*data.state_units, *data.input_units), strict=True))
        return Table(data.to_pandas(), None, units)
    return Table(dataset.to_dataframe().reset_index())


def _opened(content: bytes) -> xr.Dataset:
    try:
        with xr.open_dataset(io.BytesIO(content), engine="h5netcdf", decode_timedelta=False) as file:
            return file.load()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"it is no readable NetCDF 4 file ({error}); write it again as NetCDF 4.") from error

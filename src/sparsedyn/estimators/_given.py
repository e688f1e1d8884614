"""Arrays, tables and datasets, whatever the user has, as arrays with the names and times that came with them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError
from sparsedyn.data.errors import closest, listing
from sparsedyn.data.options import ReadOptions
from sparsedyn.data.stamps import say_unit, times_of, unit_of
from sparsedyn.data.tables import groups, number_column

KINDS = {
    "M": "dates. Give the time since the first of them, in seconds or days",
    "m": "durations. Give them in seconds or days",
    "c": "complex ones. Complex data not supported: give real and imaginary parts as columns of their own",
}
"""What NumPy would turn into numbers without a word, by the kind of its type."""
PLAIN = int | float | np.number | bool


class Given(NamedTuple):
    """One array (time, column) per trajectory, and the names, times and labels that came with them, if any did."""

    arrays: list[np.ndarray]
    names: list[str] | None = None
    times: list[Any] | None = None
    labels: list[str] | None = None

    def chosen(self, names: Sequence[str] | None, argument: str) -> "Given":
        """Return the columns of these names; columns without names are taken as they stand, and get them."""
        if names is None:
            return self
        if self.names is None:
            return self._replace(names=list(names))
        for name in names:
            if name not in self.names:
                raise DataError(
                    f"{argument}: there is no column {name!r}.{closest(str(name), self.names)} The columns are: "
                    f"{listing(self.names)}."
                )
        places = [self.names.index(name) for name in names]
        return self._replace(arrays=[part[:, places] for part in self.arrays], names=list(names))

    def ordered(self, names: Sequence[str], place: str, suffix: str | None = None) -> "Given":
        """Return exactly the columns `names`, which may all end in `suffix`, in this order; `DataError` for others."""
        if self.names is None:
            return self
        ended = [f"{name}{suffix}" for name in names]
        wanted = ended if suffix and sorted(self.names) == sorted(ended) else list(names)
        if sorted(self.names) != sorted(wanted):
            raise DataError(
                f"{place}: expected the columns {wanted}, in any order; got {self.names}. Rename or choose columns, or "
                "give an array, whose columns are taken as they stand."
            )
        return self.chosen(wanted, place)._replace(names=list(names))


def taken(values: Any, place: str, trajectory: str | None = None, time: str | None = None) -> Given:
    """Return what was given as `place`: an array, a list of arrays, a table, a list of tables, or an xarray object.

    Every item of a list is a trajectory; one without columns is a run of one variable. Tables may have a column that
    says to which `trajectory` a row belongs, and one with its `time`, which is otherwise their index.

    **Raises:** `DataError` for anything else.
    """
    if isinstance(values, xr.Dataset):
        values = _tables(values, place)
    if isinstance(values, pd.Series):
        values = values.to_frame(values.name)
    if isinstance(values, pd.DataFrame):
        return _of_table(values, place, trajectory, time)
    for argument, column in (("trajectory", trajectory), ("t", time)):
        if column is not None:
            raise DataError(
                f"{argument}: {column!r} names a column; expected a table as {place}, got {type(values).__name__}."
            )
    if isinstance(values, xr.DataArray):
        return _of_labelled(values, place)
    if isinstance(values, list | tuple) and not all(isinstance(item, PLAIN) for item in values):
        return _of_list(values, place)
    return Given(_trajectories(values, place))


def numbers(values: Any, place: str) -> Float[np.ndarray, "..."]:
    """Return real numbers as float64, or float32 where they are; `DataError` for anything else."""
    if values is None:
        raise DataError(f"{place}: expected numbers; got None.")
    if any(np.ma.is_masked(part) for part in (values if isinstance(values, list | tuple) else [values])):
        raise DataError(f"{place}: expected numbers in every place; some are masked. Remove or fill such rows.")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{place}: expected rows of one length; they differ.") from error
    if array.dtype.kind in KINDS:
        raise DataError(f"{place}: expected real numbers; got {KINDS[array.dtype.kind]}.")
    if array.dtype.kind in "biuf":
        return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    found = np.empty(array.shape)
    for index, value in np.ndenumerate(array.astype(object)):
        try:
            found[index] = np.nan if isinstance(value, str | bytes) else float(value)
        except (TypeError, ValueError, OverflowError):
            found[index] = np.nan
        if np.isnan(found[index]) and not (isinstance(value, float) and np.isnan(value)):
            fix = f" at {index}. Convert it, or leave it out." if index else ". Read files with sparsedyn.read."
            raise DataError(f"{place}: expected numbers; got {value!r}{fix}")
    return found


def finite(values: Any, place: str) -> Float[np.ndarray, "..."]:
    """Return `numbers` that are all finite; `DataError` names the first that is not."""
    array = numbers(values, place)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        what = "NaN" if np.isnan(array[where]) else str(array[where])
        raise DataError(f"{place}: expected finite numbers; got {what} at {where}. Remove or fill such rows.")
    return array


def labels(columns: Any, place: str) -> list[str] | None:
    """Return the names of columns; numbers that only count them are none, others are x2, x5, ..."""
    index = pd.Index(columns)
    if pd.api.types.is_integer_dtype(index.dtype):
        counting = list(index) == list(range(len(index)))
        return None if counting else [f"{'u' if place.startswith('u') else 'x'}{number}" for number in index]
    names = ["" if np.ndim(label) == 0 and pd.isna(label) else str(label) for label in columns]
    for number, name in enumerate(names):
        if not name.strip():
            raise DataError(f"{place}: expected a name for every column; column {number} has none. Name or drop it.")
    return names


def _trajectories(values: Any, place: str) -> list[np.ndarray]:
    array = numbers(values, place)
    if array.ndim == 1:
        return [array[:, None]]
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise DataError(
            f"{place}: expected the axes (time,), (time, column) or (trajectory, time, column), or a list of "
            f"trajectories; got the shape {array.shape}."
        )
    return list(array) if array.ndim == 3 else [array]


def _of_list(values: Sequence[Any], place: str) -> Given:
    if any(isinstance(item, list | tuple) and all(isinstance(one, PLAIN) for one in item) for item in values):
        raise DataError(
            f"{place}: a list of lists of numbers may hold rows or trajectories. Give np.asarray({place}) for rows "
            f"(time, column), or [np.asarray(run) for run in {place}] for trajectories."
        )
    places = [f"{place} of trajectory {number}" for number in range(len(values))]
    parts = [
        Given(_trajectories(item, where)) if isinstance(item, list | tuple) else taken(item, where)
        for item, where in zip(values, places, strict=True)
    ]
    if any(len(part.arrays) > 1 for part in parts):
        raise DataError(f"{place}: expected one trajectory (time, column) in every item of the list; got several.")
    named = {tuple(part.names) for part in parts if part.names is not None}
    if len(named) > 1 or (named and any(part.names is None for part in parts)):
        raise DataError(
            f"{place}: expected the same columns in every trajectory; got others in some. Rename or reorder."
        )
    times = [part.times[0] for part in parts if part.times is not None]
    return Given(
        [part.arrays[0] for part in parts], parts[0].names, times if times and len(times) == len(parts) else None
    )


def _of_table(table: pd.DataFrame, place: str, trajectory: str | None, time: str | None) -> Given:
    roles = [name for name in (trajectory, time) if name is not None]
    for role in roles:
        if role not in table.columns:
            raise DataError(f"{place}: there is no column {role!r}. The columns are: {listing(table.columns)}.")
    if isinstance(table.index, pd.MultiIndex):
        raise DataError(
            f"{place}: expected times as the index; got several levels. Call reset_index() and name the columns, e.g. "
            "t='time', trajectory='run'."
        )
    values = table.drop(columns=roles)
    names = labels(values.columns, place)
    if not values.size:
        raise DataError(f"{place}: expected rows and columns of numbers; got the shape {values.shape}.")
    columns = [
        _numbers_of(values.iloc[:, i].rename(name), trajectory) for i, name in enumerate(names or values.columns)
    ]
    array = np.column_stack(columns)
    stamps = _stamps(table, time, place)
    rows, marks = groups(table, trajectory)
    return Given(
        [array[own] for own in rows],
        names,
        # Times may be those of the user's table.
        None if stamps is None else [stamps[own].copy() for own in rows],
        marks,
    )


def _numbers_of(column: pd.Series, trajectory: str | None) -> np.ndarray:
    try:
        return number_column(column)
    except DataError as error:
        if trajectory is None and pd.api.types.is_string_dtype(column) and column.duplicated().any():
            raise DataError(
                f"{error} If it says to which run a row belongs, give trajectory={column.name!r}."
            ) from error
        raise


def _stamps(table: pd.DataFrame, time: str | None, place: str) -> np.ndarray | None:
    """Return the times of all rows, numbers in seconds; None where the index only counts."""
    if time is None and _counts(table.index):
        return None
    column = table.index.to_series() if time is None else table[time]
    if not pd.api.types.is_numeric_dtype(column) or (time is None and not unit_of(str(column.name))):
        return np.asarray(column)
    if place.startswith("x"):
        say_unit(column, stacklevel=7)
    return times_of(column.reset_index(drop=True), ReadOptions(), "", None)


def _counts(index: pd.Index) -> bool:
    """Whether an index only numbers rows: integers without a name, also those left by a selection."""
    return index.name is None and pd.api.types.is_integer_dtype(index.dtype)


def _of_labelled(values: xr.DataArray, place: str) -> Given:
    if values.ndim > 1 and "time" in values.dims and values.dims[-2] != "time":
        others = [dim for dim in values.dims if dim != "time"]
        values = values.transpose(*others[:-1], "time", others[-1])
    arrays = _trajectories(values.to_numpy(), place)
    time = values.dims[0] if values.ndim == 1 else values.dims[-2]
    stamps = values.coords[time].to_numpy() if time in values.coords else None
    names = None if values.ndim == 1 else values.coords.get(str(values.dims[-1]))
    return Given(
        arrays,
        ([str(values.name)] if values.ndim == 1 and values.name else None)
        if names is None
        else labels(names.to_numpy(), place),
        None if stamps is None else [stamps] * len(arrays),
    )


def _tables(data: xr.Dataset, place: str) -> pd.DataFrame | list[pd.DataFrame]:
    """Variables over one dimension, time, as a table; over two, trajectory and time, as a table each."""
    shapes = {variable.dims for variable in data.data_vars.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) not in (1, 2):
        raise DataError(
            f"{place}: expected a dataset of variables over time, or over trajectory and time, or one as "
            f"Trajectories.to_xarray gives; got the dimensions {sorted(map(str, data.dims))}. Give a DataArray "
            "(trajectory, time, state)."
        )
    (dims,) = shapes
    names, time = list(data.data_vars), dims[-1]

    def table(part: xr.Dataset) -> pd.DataFrame:
        index = pd.Index(part[time].to_numpy(), name=time) if time in part.coords else None
        return pd.DataFrame({name: part[name].to_numpy() for name in names}, index=index)

    if len(dims) == 1:
        return table(data)
    return [table(data.isel({dims[0]: number})) for number in range(data.sizes[dims[0]])]

"""What users give to `SINDy`, arrays, tables or datasets, as trajectories."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.data.checks import check_finite, number_array, trajectory_arrays


class Given(NamedTuple):
    """Arrays as given, and what came with them."""

    arrays: Any
    names: list[str] | None = None
    time: Any = None

    def ordered(self, names: Sequence[str], place: str, suffix: str | None = None) -> "Given":
        """Return the columns in the order of `names`, which may end in `suffix`; without names as they are.

        **Raises:** `DataError` for other names.
        """
        if self.names is None:
            return self
        ended = [f"{name}{suffix}" for name in names]
        wanted = ended if suffix and sorted(self.names) == sorted(ended) else list(names)
        if sorted(self.names) != sorted(wanted):
            raise DataError(
                f"{place}: expected the columns {wanted}, in any order; got {self.names}. Rename or choose columns, or "
                "give an array, whose columns are taken as they stand."
            )
        places = [self.names.index(name) for name in wanted]
        several = isinstance(self.arrays, list)
        arrays = [part[..., places] for part in self.arrays] if several else self.arrays[..., places]
        return self._replace(arrays=arrays, names=list(names))


def trajectories_of(
    x: Any,
    t: Any = None,
    u: Any = None,
    *,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
) -> Trajectories:
    """Return states `x` at times `t` under inputs `u` as trajectories.

    `x` is an array (time, state) or (trajectory, time, state), a list of (time, state) arrays or tables, an xarray
    object, or `Trajectories`, which stand for themselves. `t` is a sample time, or times: without it those of an index
    or a time coordinate. Names are x0, x1, ... and u0, u1, ... unless they are given or come with the data.

    **Raises:** `DataError` for anything that does not fit.
    """
    if isinstance(x, xr.Dataset) and "states" in x:
        x = Trajectories.from_xarray(x)
    if isinstance(x, Trajectories):
        extra = {"t": t, "u": u, "names": names, "input_names": input_names}
        if doubled := [name for name, value in extra.items() if value is not None]:
            raise DataError(f"x: Trajectories say all by themselves; got {', '.join(doubled)} as well. Leave it out.")
        return x
    return assembled(taken(x, "x"), t, taken(u, "u"), names=names, input_names=input_names)


def trajectories_like(
    names: Sequence[str], input_names: Sequence[str], x: Any, t: Any = None, u: Any = None
) -> Trajectories:
    """Return states and inputs of these names as trajectories, laid out as for `trajectories_of`.

    Columns of tables are put in order by their names; columns of arrays have these names as they stand.

    **Raises:** `DataError` for anything that does not fit.
    """
    if isinstance(x, Trajectories) or (isinstance(x, xr.Dataset) and "states" in x):
        return trajectories_of(x, t, u)
    states, inputs = taken(x, "x").ordered(names, "x"), taken(u, "u").ordered(input_names, "u")
    return assembled(states, t, inputs, names=names, input_names=input_names or None)


def assembled(
    states: Given, t: Any, inputs: Given, *, names: Sequence[str] | None, input_names: Sequence[str] | None
) -> Trajectories:
    """Return trajectories of what was taken from `x` and `u`."""
    time = states.time if t is None else t
    if time is None:
        raise DataError("t: expected the sample time or the times of all rows; got none. Give t=0.01, say.")
    if isinstance(time, bool | np.bool_):
        raise DataError(f"t: expected the sample time or the times of all rows; got {time}. Give t=0.01, say.")
    forcing = inputs.arrays
    if forcing is not None and not isinstance(forcing, list | tuple) and np.ndim(forcing) == 1:
        forcing = np.asarray(forcing)[:, None]
    lone = isinstance(time, int | float | np.number) or (not isinstance(time, list | tuple) and np.ndim(time) == 0)
    return Trajectories(
        states.arrays,
        forcing,
        **{"dt" if lone else "time": time},
        state_names=names or states.names or _numbered("x", trajectory_arrays(states.arrays, "x")),
        input_names=input_names or inputs.names or _numbered("u", trajectory_arrays(forcing, "u"))
        if forcing is not None
        else None,
    )


def taken(values: Any, place: str) -> Given:
    """Return arrays, and the names and times that come with tables and datasets."""
    if isinstance(values, xr.Dataset):
        if len(values.dims) != 1:
            raise DataError(
                f"{place}: expected a dataset of variables over time, or one as Trajectories.to_xarray gives; got the "
                f"dimensions {list(values.dims)}. Give a DataArray (trajectory, time, state)."
            )
        values = values.to_dataframe()[list(values.data_vars)]
    if isinstance(values, xr.DataArray):
        time, state = (values.coords.get(str(dim)) for dim in values.dims[-2:]) if values.ndim > 1 else (None, None)
        return Given(
            values.to_numpy(),
            None if state is None else _labels(state.to_numpy(), place),
            None if time is None else time.to_numpy(),
        )
    if isinstance(values, pd.DataFrame):
        plain = isinstance(values.index, pd.RangeIndex)
        return Given(values.to_numpy(), _labels(values.columns, place), None if plain else values.index.to_numpy())
    if (
        isinstance(values, list | tuple)
        and values
        and all(isinstance(part, pd.DataFrame | xr.DataArray) for part in values)
    ):
        parts = [taken(part, place) for part in values]
        if any(part.names != parts[0].names for part in parts):
            raise DataError(
                f"{place}: expected the same columns in every table; got others in some. Rename or reorder."
            )
        times = [part.time for part in parts]
        return Given([part.arrays for part in parts], parts[0].names, None if times[0] is None else times)
    return Given(values)


def ordered(values: Any, names: Sequence[str], place: str) -> Any:
    """Return arrays whose last axis is in the order of `names`: by the names that come with `values`, if any do.

    **Raises:** `DataError` for other names.
    """
    if isinstance(values, xr.DataArray) and values.ndim == 1 and values.dims[0] in values.coords:
        values = values.to_series()
    if isinstance(values, list | tuple) and values and all(map(_is_state, values)):
        values = pd.DataFrame(list(values))
    if _is_state(values):
        return Given(values.to_numpy(), list(values.index)).ordered(names, place).arrays
    return taken(values, place).ordered(names, place).arrays


def columns(place: str, values: Any, names: Sequence[str]) -> Float[np.ndarray, "*batch column"]:
    """Return numbers whose last axis has a column per name, or raise `DataError`; those of tables are put in order."""
    array = number_array(ordered(values, names, place), place)
    if len(names) == 1 and array.ndim == 1 and array.shape != (1,):
        array = array[:, None]
    if not array.ndim or array.shape[-1] != len(names):
        raise DataError(f"{place}: expected {len(names)} columns, {list(names)}; got the shape {array.shape}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{place}: expected finite numbers; got {array[where]} at {where}. Fill or remove such rows.")
    return array


def like(values: Any, data: Trajectories, place: str) -> list[Float[np.ndarray, "_time _state"]]:
    """Return derivatives as arrays, one per trajectory and as large as its states.

    Columns of tables are put in order by their names, which are those of the states, or those and `_dot` or `_ddot`.

    **Raises:** `DataError` for other names and shapes, and values that are missing.
    """
    given = taken(values, place).ordered(data.state_names, place, suffix=place.removeprefix("x"))
    arrays = trajectory_arrays(given.arrays, place)
    expected, got = [x.shape for x in data.states], [a.shape for a in arrays]
    if expected != got:
        raise DataError(f"{place}: expected the shapes of the states, {expected}; got {got}. Give a value for each.")
    check_finite(arrays, place, data.state_names, data.labels)
    return arrays


def check_spread(data: Trajectories) -> None:
    """Raise `DataError` for a state or an input that never changes: nothing can be told from it."""
    columns = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    for name, column in zip((*data.state_names, *data.input_names), columns.T, strict=True):
        if np.ptp(column) <= 1e-12 * np.abs(column).max():
            raise DataError(
                f"column {name!r}: expected values that change; they are all {column[0]:.6g}. Leave it out, its effect "
                "is in the constant."
            )


def _is_state(values: Any) -> bool:
    """Whether this is a series with names of variables, rather than one over time."""
    return isinstance(values, pd.Series) and values.index.inferred_type == "string"


def _labels(labels: Any, place: str) -> list[str] | None:
    """The names of columns; numbers, which an equation has others of, are none where they only count columns."""
    index = pd.Index(labels)
    if not pd.api.types.is_integer_dtype(index.dtype):
        return [str(label) for label in labels]
    if list(index) == list(range(len(index))):
        return None
    return [f"{'u' if place == 'u' else 'x'}{number}" for number in index]


def _numbered(prefix: str, arrays: Sequence[np.ndarray]) -> list[str]:
    return [f"{prefix}{i}" for i in range(arrays[0].shape[-1])]

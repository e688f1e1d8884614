"""What users give to `SINDy`, arrays, tables or datasets, as trajectories."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.data.checks import check_finite, trajectory_arrays


class Given(NamedTuple):
    """Arrays as given, and what came with them."""

    arrays: Any
    names: list[str] | None = None
    time: Any = None


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
    states, inputs = taken(x, "x"), taken(u, "u")
    time = states.time if t is None else t
    if time is None:
        raise DataError("t: expected the sample time or the times of all rows; got none. Give t=0.01, say.")
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
        if u is not None
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
            None if state is None else [str(name) for name in state.to_numpy()],
            None if time is None else time.to_numpy(),
        )
    if isinstance(values, pd.DataFrame):
        plain = isinstance(values.index, pd.RangeIndex)
        return Given(
            values.to_numpy(), [str(name) for name in values.columns], None if plain else values.index.to_numpy()
        )
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


def like(values: Any, data: Trajectories, place: str) -> list[Float[np.ndarray, "_time _state"]]:
    """Return derivatives as arrays, one per trajectory and as large as its states.

    **Raises:** `DataError` for other shapes, and values that are missing.
    """
    arrays = trajectory_arrays(taken(values, place).arrays, place)
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


def _numbered(prefix: str, arrays: Sequence[np.ndarray]) -> list[str]:
    return [f"{prefix}{i}" for i in range(arrays[0].shape[-1])]

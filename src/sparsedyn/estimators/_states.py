"""What a fitted model is asked about: states and inputs of rows, initial states, and inputs over time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError
from sparsedyn.estimators._given import Given, finite, labels, numbers, taken


def rows_of(values: Any, names: Sequence[str], place: str) -> Float[np.ndarray, "*batch column"]:
    """Return finite numbers whose last axis has a column per name; those of tables are put in order by their names.

    Where there is one name, an axis of columns may be missing. **Raises:** `DataError` for anything else.
    """
    array, found = _flat(values, place)
    if found is not None:
        array = Given([array.reshape(-1, array.shape[-1])], found).ordered(names, place).arrays[0].reshape(array.shape)
    if len(names) == 1 and array.ndim == 1 and array.shape != (1,):
        array = array[:, None]
    if not array.ndim or array.shape[-1] != len(names):
        raise DataError(
            f"{place}: expected {len(names)} columns, {list(names)}; got the shape {array.shape}. Columns are "
            "the last axis."
        )
    return array


def start_of(x0: Any, names: Sequence[str]) -> tuple[Float[np.ndarray, "trajectory state"], bool]:
    """Return initial states with both axes, and whether they came with that of trajectories."""
    start = np.atleast_1d(rows_of(x0 if np.ndim(x0) else np.atleast_1d(x0), names, "x0"))
    if start.ndim > 2 or (len(names) == 1 and np.ndim(x0) == 1 and len(start) > 1):
        raise DataError(f"x0: expected (state,) or (trajectory, state), states {list(names)}; got {np.shape(x0)}.")
    return np.atleast_2d(start).astype(np.float64), np.ndim(x0) == 2


def inputs_at(
    u: Any, times: Float[np.ndarray, " time"], names: Sequence[str], count: int
) -> Float[np.ndarray, "trajectory time input"]:
    """Return inputs at these times for `count` trajectories: of a function `u(t)`, a table, an array, or none at all.

    **Raises:** `DataError` for anything that does not fit.
    """
    if u is None and names:
        raise DataError(f"u: expected inputs (time, {len(names)}), {list(names)}; got none.")
    if u is None:
        u = np.zeros((len(times), 0))
    if callable(u):
        u = np.stack([np.atleast_1d(numbers(u(float(time)), "u(t)")) for time in times])
    elif isinstance(u, pd.DataFrame) and pd.api.types.is_float_dtype(u.index.dtype):
        stamps = u.index.to_numpy()
        if stamps.shape != times.shape or not np.allclose(stamps - stamps[0], times - times[0], rtol=1e-6):
            raise DataError(
                "u: expected the times t as its index; got others. Interpolate it to t, or reset its index."
            )
    forcing = rows_of(u, names, "u").astype(np.float64)
    forcing = np.broadcast_to(forcing, (count, *forcing.shape)) if forcing.ndim == 2 else forcing
    if forcing.shape[:2] != (count, len(times)):
        raise DataError(f"u: expected {len(times)} rows, one per time, for each of {count}; got {forcing.shape[:2]}.")
    return forcing


def _flat(values: Any, place: str) -> tuple[Float[np.ndarray, "..."], list[str] | None]:
    """Return finite numbers with all their axes, and the names of the last one's entries."""
    if isinstance(values, xr.DataArray) and values.ndim == 1 and values.dims[0] in values.coords:
        values = values.to_series()
    if isinstance(values, list | tuple) and values and all(map(_is_state, values)):
        values = pd.DataFrame(list(values))
    if _is_state(values):
        return finite(values.to_numpy(), place), [str(name) for name in values.index]
    if isinstance(values, pd.DataFrame | xr.Dataset):
        given = taken(values, place)
        return finite(given.arrays[0], place), given.names
    if isinstance(values, xr.DataArray):
        named = values.coords.get(str(values.dims[-1])) if values.ndim else None
        return finite(values.to_numpy(), place), None if named is None else labels(named.to_numpy(), place)
    return finite(values, place), None


def _is_state(values: Any) -> bool:
    """Whether this is a series with names of variables, rather than one over time."""
    return isinstance(values, pd.Series) and values.index.inferred_type == "string"

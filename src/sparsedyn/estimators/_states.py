"""What a fitted model is asked about: states and inputs of rows, initial states, and inputs over time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError
from sparsedyn.data.clock import seconds
from sparsedyn.estimators._base import is_whole
from sparsedyn.estimators._given import Given, finite, labels, taken

CLOCK = 1e-3
"""What times may be off the rows of the training's sample time, in shares of it."""


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


def times_of(t: Any, dt: float) -> tuple[Float[np.ndarray, " time"], Any]:
    """Return increasing times in seconds, and as they were given: times, dates, or a number of rows `dt` apart.

    Dates count from the first. **Raises:** `DataError` for anything else.
    """
    if np.ndim(t) == 0 and not isinstance(t, xr.DataArray):
        if not is_whole(t, 1):
            raise DataError(f"t: expected times (time,), or a number of rows of at least 1; got {t!r}.")
        times = np.arange(int(t)) * dt
        return times, times
    stamps = np.asarray(t)
    if stamps.dtype.kind in "OMm" and stamps.ndim == 1 and len(stamps):
        times, _ = seconds(stamps, "t")
    else:
        times = rows_of(stamps[..., None], ["t"], "t")[..., 0].astype(np.float64)
        stamps = times
    if times.ndim != 1 or not len(times):
        raise DataError(f"t: expected increasing times (time,); got the shape {times.shape}.")
    if np.any(np.diff(times) <= 0):
        raise DataError("t: expected increasing times (time,); got times that do not increase.")
    return times, stamps


def is_clocked(times: Float[np.ndarray, " time"], dt: float) -> bool:
    """Whether times are a whole number of steps of `dt` apart."""
    counted = (times - times[0]) / dt
    rows = np.round(counted)
    return not (np.any(np.abs(counted - rows) > CLOCK * np.maximum(rows, 1)) or np.any(np.diff(rows) < 1))


def steps_at(times: Float[np.ndarray, " time"], dt: float) -> tuple[Float[np.ndarray, " step"], np.ndarray]:
    """Return steps of `dt` from zero to the last of some times, and which of them these times are.

    **Raises:** `DataError` for times that are not a whole number of steps apart.
    """
    rows = np.round((times - times[0]) / dt).astype(int)
    if not is_clocked(times, dt):
        raise DataError(
            f"t: expected times a whole number of sample times of training, {dt:g}, apart; got others. Take "
            "t = model.dt_ * np.arange(rows), and interpolate."
        )
    return np.arange(rows[-1] + 1) * dt, rows


def driven(
    t: Any, u: Any, dt: float, names: Sequence[str], count: int
) -> tuple[Float[np.ndarray, "trajectory step input"], np.ndarray, Any]:
    """Return inputs at steps of `dt` for `count` trajectories, which steps are asked for, and times as they were given.

    `t` and `u` are those of `simulate`. **Raises:** `DataError` for anything that does not fit.
    """
    times, stamps = times_of(t, dt)
    steps, rows = steps_at(times, dt)
    if callable(u):
        at = function_at(u, times[0], names)
        values = np.stack([at(float(time)) for time in steps])
        return np.broadcast_to(values, (count, *values.shape)), rows, stamps
    forcing = inputs_at(u, times, names, count, stamps)
    return forcing[:, np.searchsorted(rows, np.arange(len(steps)), side="right") - 1], rows, stamps


def function_at(
    u: Callable[[float], Any], origin: float, names: Sequence[str]
) -> Callable[[float], Float[np.ndarray, " input"]]:
    """Return inputs as a function of the time since `origin`; it raises `DataError` for values that do not fit."""

    def value(time: float) -> Float[np.ndarray, " input"]:
        found = np.atleast_1d(finite(u(origin + float(time)), "u(t)")).astype(np.float64)
        if found.shape != (len(names),):
            raise DataError(f"u(t): expected {len(names)} values, {list(names)}; got the shape {found.shape}.")
        return found

    return value


def inputs_at(
    u: Any, times: Float[np.ndarray, " time"], names: Sequence[str], count: int, stamps: Any = None
) -> Float[np.ndarray, "trajectory time input"]:
    """Return inputs at these times for `count` trajectories: of a function `u(t)`, a table, an array, or none at all.

    A number, or a value per input, stays the same at all times. `stamps` are the times as they were given, which the
    index of a table is compared with. **Raises:** `DataError` for anything that does not fit.
    """
    if u is None and names:
        raise DataError(f"u: expected inputs (time, {len(names)}), {list(names)}; got none.")
    if u is None:
        u = np.zeros((len(times), 0))
    if callable(u):
        follow = function_at(u, 0.0, names)
        u = np.stack([follow(time) for time in times])
    if isinstance(u, pd.DataFrame | pd.Series) and not _is_state(u):
        _check_index(u.index, times, times if stamps is None else stamps)
    forcing = _rows_at(u, len(times), names).astype(np.float64)
    forcing = np.broadcast_to(forcing, (count, *forcing.shape)) if forcing.ndim == 2 else forcing
    if forcing.shape[:2] != (count, len(times)):
        raise DataError(f"u: expected {len(times)} rows, one per time, for each of {count}; got {forcing.shape[:2]}.")
    return forcing


def _rows_at(u: Any, rows: int, names: Sequence[str]) -> Float[np.ndarray, "*batch time input"]:
    """Inputs with a row per time: constants are repeated."""
    shape = np.shape(u)
    if names and len(shape) == 2 and shape[0] == len(names) != shape[1] and shape[1] == rows:
        raise DataError(f"u: expected (time, input), the shape {shape[::-1]}; got {shape}. Transpose it: u.T.")
    constant = shape == () or _is_state(u) or (shape == (len(names),) and len(names) != rows)
    if constant and names:
        u = np.full(len(names), finite(u, "u")) if shape == () else u
        return np.broadcast_to(rows_of([u] if _is_state(u) else np.asarray(u)[None], names, "u"), (rows, len(names)))
    found = rows_of(u, names, "u")
    return np.broadcast_to(found, (rows, len(names))) if found.shape == (1, len(names)) else found


def _check_index(index: pd.Index, times: Float[np.ndarray, " time"], stamps: Any) -> None:
    """Raise `DataError` for inputs whose index has other times, or dates, than they are asked for."""
    if pd.api.types.is_float_dtype(index.dtype):
        own = index.to_numpy()
        same = own.shape == times.shape and np.allclose(own - own[0], times - times[0], rtol=1e-6)
    elif np.asarray(index).dtype.kind in "Mm":
        dated = np.asarray(stamps).dtype.kind in "OMm"
        same = len(index) == len(times) and np.allclose(seconds(index, "u")[0], times - times[0])
        same = same and (not dated or bool(pd.Index(stamps)[0] == index[0]))
    else:
        return
    if not same:
        raise DataError("u: expected the times t as its index; got others. Interpolate it to t, or reset its index.")


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

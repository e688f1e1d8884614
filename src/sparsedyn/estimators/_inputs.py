"""The one intake of models of dynamics: what users have becomes `Trajectories` or `Snapshots`."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError, Samples, Snapshots, Trajectories
from sparsedyn.data.checks import check_finite
from sparsedyn.data.clock import regular_step, same_times, sampling_time
from sparsedyn.data.description import FORMAT
from sparsedyn.estimators._asked import asked_for
from sparsedyn.estimators._checks import Variables, check_alike, check_fits, check_regular, variables_of
from sparsedyn.estimators._given import Given, finite, taken
from sparsedyn.estimators._known import Known, known_of

OWN = "Trajectories bring their times, inputs and names along"


def is_own(values: Any) -> bool:
    """Whether these are `Trajectories`, the dataset that their `to_xarray` gives, or a list of either.

    Lists are what scikit-learn makes of trajectories when it chooses some of them.
    """
    if isinstance(values, list | tuple):
        return bool(values) and all(map(is_own, values))
    return isinstance(values, Trajectories) or (isinstance(values, xr.Dataset) and values.attrs.get("format") == FORMAT)


def own(values: Any) -> Trajectories:
    """Return what `is_own` as trajectories; `DataError` for a list of several plants."""
    if isinstance(values, Trajectories):
        return values
    if isinstance(values, xr.Dataset):
        return Trajectories.from_xarray(values)
    parts = [own(part) for part in values]
    for number, part in enumerate(parts):
        check_alike(variables_of(parts[0]), part, f"x of trajectory {number}")
    first, labels = parts[0], [label for part in parts for label in part.labels]
    times: dict[str, Any] = {"dt": first.dt}
    if not all(part.regular for part in parts):
        times = {"time": [time for part in parts for time in part.time], "gaps": "keep"}
    return Trajectories(
        [states for part in parts for states in part.states],
        [inputs for part in parts for inputs in part.inputs] if first.input_names else None,
        **times,
        state_names=first.state_names,
        input_names=first.input_names or None,
        state_units=first.state_units,
        input_units=first.input_units or None,
        labels=labels if len(set(labels)) == len(labels) else None,
    )


def untimed(x: Any, t: Any) -> bool:
    """Whether neither `t` nor what is given as `x` says when rows were measured."""
    return t is None and not is_own(x) and taken(x, "x").times is None


def parted(t: Any, validation: Any) -> tuple[Any, Any]:
    """Return times and validation data: `fit(train, validation)` has the latter in the place of the former."""
    if not is_own(t):
        return t, validation
    if validation is not None:
        raise DataError("validation: expected it once; got trajectories in the place of t as well. Leave one out.")
    return None, t


class Recorded(NamedTuple):
    """What a model of dynamics is fitted to: trajectories, measured derivatives, and trajectories to choose by.

    `known` is a part of the right-hand side, to which models fit the rest.
    """

    data: Trajectories
    x_dot: list[Float[np.ndarray, "_time _state"]] | None
    validation: Trajectories | None
    known: Known | None = None

    def rest(self, part: Samples) -> Samples:
        """Return samples without the known part of their derivatives."""
        return part if self.known is None else part._replace(dx=part.dx - self.known.values(part.x, part.u))


def recorded(
    x: Any,
    t: Any = None,
    u: Any = None,
    *,
    x_dot: Any = None,
    validation: Any = None,
    trajectory: str | None = None,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
    time: str = "continuous",
    known: Any = None,
    in_parts: bool = False,
) -> Recorded:
    """Return the arguments of a `fit`; trajectories in the place of `t` are those to choose by.

    For discrete `time`, rows without times are one apart. Data in files may be beyond the memory if they are taken
    `in_parts`.

    **Raises:** `DataError` for anything that does not fit; see `trajectories_of`.
    """
    t, validation = parted(t, validation)
    x, u = asked_for(x, t, u, trajectory, names, input_names)
    if time == "discrete":
        t = 1.0 if untimed(x, t) else t
        if x_dot is not None:
            raise DataError("x_dot: expected none with time='discrete': states are followed by those of the next row.")
    options: dict[str, Any] = {"trajectory": trajectory, "names": names, "input_names": input_names}
    data = trajectories_of(x, t, u, **options, in_parts=in_parts)
    rates = None if x_dot is None else derivatives_like(x_dot, data, "x_dot", trajectory)
    if validation is not None:
        validation = trajectories_like(variables_of(data), validation, place="validation")
        check_alike(variables_of(data), validation, "validation")
    part = known_of(known, [*data.state_names, *data.input_names], data.state_names)
    if part is not None:
        part.check(data)
    return Recorded(data, rates, validation, part)


def trajectories_of(
    x: Any,
    t: Any = None,
    u: Any = None,
    *,
    trajectory: str | None = None,
    names: Sequence[str] | None = None,
    input_names: Sequence[str] | None = None,
    irregular: bool = False,
    in_parts: bool = False,
) -> Trajectories:
    """Return states `x` at times `t` under inputs `u` as trajectories; at `irregular` times only where these may be.

    Data in files that are beyond the budget of memory are taken `in_parts` only.

    `x` is an array (time,), (time, state) or (trajectory, time, state); a list, each item of which is a trajectory, one
    without columns being a run of one state; a table, or a list of tables; an xarray object; or `Trajectories`, which
    stand for themselves. `t` is the sample time, the times of all rows, a list of these, or the name of a column; by
    default it is the index, or the time coordinate, of `x`. `u` is laid out as `x`, or a function of the seconds; if it
    has times of its own, they must be those of `x`. Rows of a table belong to the trajectory that its column
    `trajectory` names. `names` and `input_names` choose columns of tables, with `u` left out
    both from `x`; columns without names get them, by default x0, x1, ... and u0, u1, ...

    **Raises:** `DataError` for anything that does not fit.
    """
    if is_own(x):
        extra = {"t": t, "u": u, "trajectory": trajectory, "names": names, "input_names": input_names}
        if doubled := [name for name, value in extra.items() if value is not None]:
            raise DataError(f"x: {OWN}; got {', '.join(doubled)} as well. Leave it out.")
        data = own(x)
        if not in_parts:
            check_fits(data, "x", "SparseTimeStepper takes larger data in parts.")
        return _timed(data, "x", irregular)
    x, u = asked_for(x, t, u, trajectory, names, input_names)
    states, inputs, t = _both(x, t, u, trajectory)
    if inputs is None and input_names is not None:
        if states.names is None:
            raise DataError("input_names: expected inputs u, or a table x with such columns; got neither.")
        inputs = states.chosen(input_names, "input_names")
        names = names or [name for name in states.names if name not in input_names]
    states = states.chosen(names, "names")
    return _timed(_assembled(states, t, inputs and inputs.chosen(input_names, "input_names")), "x", irregular)


def _timed(data: Trajectories, place: str, irregular: bool) -> Trajectories:
    if not irregular:
        check_regular(data, place)
    return data


def trajectories_like(
    variables: Variables,
    x: Any,
    t: Any = None,
    u: Any = None,
    *,
    trajectory: str | None = None,
    place: str = "x",
    irregular: bool = False,
) -> Trajectories:
    """Return states and inputs of these variables as trajectories; what is given as for `trajectories_of`.

    Columns of tables are put in order by their names; columns of arrays have these names as they stand. A table may
    have states and inputs. Without any times, rows are one sample time of `variables` apart.

    **Raises:** `DataError` for anything that does not fit.
    """
    names, input_names = variables.state_names, variables.input_names
    if is_own(x):
        return _timed(trajectories_of(x, t, u, trajectory=trajectory, irregular=True), place, irregular)
    states, inputs, t = _both(x, t, u, trajectory, place)
    if inputs is None and input_names and states.names and set(input_names) <= set(states.names):
        whole = states.ordered([*names, *input_names], place)
        states, inputs = whole.chosen(names, place), whole.chosen(input_names, place)
    if inputs is None and input_names:
        raise DataError(f"u: expected {len(input_names)} columns, {list(input_names)}; got none.")
    if inputs is not None and not input_names:
        raise DataError("u: expected none, since the model has no inputs; got some. Leave them out.")
    states = states.ordered(names, place)
    _check_width(states, names, place)
    if inputs is not None:
        inputs = inputs.ordered(input_names, "u")
        _check_width(inputs, input_names, "u")
        inputs = inputs._replace(names=list(input_names))
    t = variables.dt if t is None and states.times is None else t
    return _timed(_assembled(states._replace(names=list(names)), t, inputs), place, irregular)


def derivatives_like(
    values: Any, data: Trajectories, place: str, trajectory: str | None = None
) -> list[Float[np.ndarray, "_time _state"]]:
    """Return derivatives as arrays, one per trajectory and as large as its states.

    Columns of tables are put in order by their names, which are those of the states, or those and `_dot` or `_ddot`.

    **Raises:** `DataError` for other names and shapes, and values that are missing.
    """
    trajectory = trajectory if isinstance(values, pd.DataFrame) else None
    given = taken(values, place, trajectory).ordered(data.state_names, place, suffix=place.removeprefix("x"))
    expected, got = [x.shape for x in data.states], [a.shape for a in given.arrays]
    if expected != got:
        raise DataError(f"{place}: expected the shapes of the states, {expected}; got {got}. Give a value for each.")
    arrays = [array.astype(np.float64) for array in given.arrays]
    check_finite(arrays, place, data.state_names, data.labels)
    return arrays


def measured_samples(data: Trajectories, x_dot: Sequence[Float[np.ndarray, "_time _state"]]) -> Samples:
    """Return all rows with the derivatives that were measured there."""
    return Samples(*(np.concatenate(arrays) for arrays in (data.states, data.inputs, x_dot)))


def snapshots_of(x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None) -> Snapshots:
    """Return snapshots of the same things as `trajectories_of`, all trajectories being equally long.

    `t` is the sample time, or the times of all rows. **Raises:** `DataError` for anything that cannot be used.
    """
    if isinstance(x, Snapshots):
        if not (t is None and x_dot is None and x_ddot is None):
            raise DataError("x: Snapshots bring their times and derivatives along. Leave t, x_dot and x_ddot out.")
        return x
    times = None
    if is_own(x):
        data = own(x)
        check_regular(data, "x")
        if t is not None or data.input_names:
            raise DataError(f"x: {OWN}; expected none of inputs, and no t. Leave them out.")
        x, t = list(data.states), data.dt
    values, times = _stack(x, "x")
    t = times if t is None else t
    if t is None:
        raise DataError("t: expected the sample time or the times of all rows; got none. Give t=0.02, say.")
    lengths, marks = [values.shape[1]] * len(values), [str(i) for i in range(len(values))]
    dt = sampling_time(t) if np.ndim(t) == 0 else regular_step(t, lengths, marks)
    first, second = (None if d is None else _stack(d, name)[0] for d, name in ((x_dot, "x_dot"), (x_ddot, "x_ddot")))
    return Snapshots(values, first, second, dt=dt, truth=None, frame=(values.shape[2],))


def _both(x: Any, t: Any, u: Any, trajectory: str | None, place: str = "x") -> tuple[Given, Given | None, Any]:
    """Return states, inputs, and the times that did not come with the states.

    **Raises:** `DataError` where inputs came with other times than the states: they are never taken by position then.
    """
    if callable(u):
        states, _, times = _parts(x, t, None, trajectory, place)
        return states, _called(u, _assembled(states, times, None)), times
    states, inputs, times = _parts(x, t, u, trajectory, place)
    reference = states.times if states.times is not None else times
    if inputs is not None and inputs.times is not None and np.ndim(reference) > 0:
        shared = np.ndim(reference[0]) == 0
        for number, own_times in enumerate(inputs.times):
            known = reference if shared else reference[number] if number < len(reference) else own_times
            if not same_times(known, own_times):
                raise _other_times("u", pd.Index(known), pd.Index(own_times))
    return states, inputs, times


def _called(u: Callable[[float], Any], states: Trajectories) -> Given:
    """Return inputs that are a function `u(t)` of the seconds, at the rows of the states."""
    return Given([np.stack([np.atleast_1d(finite(u(float(t)), "u(t)")) for t in times]) for times in states.time])


def _parts(x: Any, t: Any, u: Any, trajectory: str | None, place: str) -> tuple[Given, Given | None, Any]:
    column = t if isinstance(t, str) else None
    if not isinstance(x, pd.DataFrame):
        if isinstance(x, list | tuple) and isinstance(u, list | tuple) and len(x) == len(u):
            u = [_beside(one, other) for one, other in zip(x, u, strict=True)]
        inputs = None if u is None else taken(u, "u")
        return taken(x, place, trajectory, column), inputs, None if column else t
    if u is not None:
        u = _beside(x, u)
        for name in (trajectory, column):
            if name in x and name not in u:
                u = u.assign(**{str(name): x[name].to_numpy()})
    if trajectory is not None and t is not None and column is None and np.ndim(t) == 1 and len(t) == len(x):
        # Times of all rows belong to their rows, which may be gathered by trajectory.
        x, t = x.set_axis(pd.Index(t, name="t"), axis=0), None
    inputs = None if u is None else taken(u, "u", trajectory, column)
    return taken(x, place, trajectory, column), inputs, None if column else t


def _beside(x: Any, u: Any) -> Any:
    """Return inputs whose rows are those of a table `x`, as a table; inputs of arrays as they are."""
    if not isinstance(x, pd.DataFrame):
        return u
    if not isinstance(u, pd.DataFrame | pd.Series):
        (array,) = arrays if len(arrays := taken(u, "u").arrays) == 1 else [np.zeros((0, 0))]
        u = pd.DataFrame(array)
        if len(u) != len(x):
            raise DataError(f"u: expected {len(x)} rows, as x has; got the shape {array.shape}.")
        return u.set_axis(x.index, axis=0)
    u = u.to_frame() if isinstance(u, pd.Series) else u
    if u.index.equals(x.index):
        return u
    if x.index.dtype.kind != u.index.dtype.kind or not same_times(x.index, u.index):
        raise _other_times("u", x.index, u.index)
    return u.set_axis(x.index, axis=0)  # the same instants, told in another zone or to another digit


def _other_times(place: str, expected: pd.Index, got: pd.Index) -> DataError:
    return DataError(
        f"{place}: expected the index of x, {_span(expected)}; got {_span(got)}. Align it, e.g. "
        f"{place}.reindex(x.index); to go by position, give {place}.to_numpy()."
    )


def _span(index: pd.Index) -> str:
    ordered = "" if index.is_monotonic_increasing else ", not in order"
    return f"{len(index)} rows" + (f" from {index[0]} to {index[-1]}{ordered}" if len(index) else "")


def _assembled(states: Given, t: Any, inputs: Given | None) -> Trajectories:
    """Return trajectories of what was taken from `x` and `u`."""
    time: Any = states.times if t is None else t
    if time is None or isinstance(time, bool | np.bool_):
        raise DataError(f"t: expected the sample time or the times of all rows; got {time}. Give t=0.01, say.")
    lone = not isinstance(time, list | tuple) and np.ndim(time) == 0
    return Trajectories(
        states.arrays,
        None if inputs is None else inputs.arrays,
        dt=time if lone else None,
        time=None if lone else time,
        state_names=states.names or _counted("x", states),
        input_names=None if inputs is None else inputs.names or _counted("u", inputs),
        labels=states.labels,
    )


def _counted(prefix: str, given: Given) -> list[str]:
    return [f"{prefix}{i}" for i in range(given.arrays[0].shape[1])]


def _check_width(given: Given, names: Sequence[str], place: str) -> None:
    for array in given.arrays:
        if array.shape[1] != len(names):
            raise DataError(f"{place}: expected {len(names)} columns, {list(names)}; got the shape {array.shape}.")


def _stack(values: Any, place: str) -> tuple[Float[np.ndarray, "trajectory time dimension"], list[Any] | None]:
    """Return trajectories of one length as one array, and the times that came with them."""
    if isinstance(values, np.ndarray) and values.ndim == 3:
        return finite(values, place), None
    given = taken(values, place)
    shapes = sorted({part.shape for part in given.arrays})
    if len(shapes) > 1:
        raise DataError(
            f"{place}: expected trajectories of one shape (time, dimension); got {shapes}. Cut them to one."
        )
    return finite(np.stack(given.arrays), place), given.times

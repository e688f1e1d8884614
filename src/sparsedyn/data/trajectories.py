"""Trajectories: what a plant did (states), what was done to it (inputs), when, with names and units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float64
from numpy.typing import ArrayLike

from . import checks, clock, names, options
from .datasets import from_dataset, to_dataset
from .description import checked, describe
from .errors import DataError
from .gaps import Records, cut, in_order, merged, restarted
from .resampling import resampled
from .splits import Share, parts, positions
from .tables import Columns, Table, arguments, listed, with_levels


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Trajectories:
    """Recorded or simulated trajectories of one plant; immutable, float64.

    The input of row i acts from row i to row i + 1 (zero-order hold); states and inputs have the same rows.

    **Attributes:** `states` and `inputs`, one read-only array (time, state) and (time, input) per trajectory;
    `dt`, the sampling time in seconds, the median step where times are not `regular` (to 0.1 %); `time`, the
    seconds of every row per trajectory; `state_names`,
    `input_names`, `state_units`, `input_units`; `labels`, one text per trajectory; `attrs`, provenance (JSON
    values); `lengths`.
    """

    states: tuple[Float64[np.ndarray, "_time _state"], ...]
    inputs: tuple[Float64[np.ndarray, "_time _input"], ...]
    dt: float
    regular: bool
    time: tuple[Float64[np.ndarray, " _time"], ...]
    state_names: tuple[str, ...]
    input_names: tuple[str, ...]
    state_units: tuple[str, ...]
    input_units: tuple[str, ...]
    labels: tuple[str, ...]
    attrs: dict[str, Any]

    def __init__(
        self,
        states: ArrayLike | Sequence[ArrayLike],
        inputs: ArrayLike | Sequence[ArrayLike] | None = None,
        *,
        dt: SupportsFloat | None = None,
        time: ArrayLike | Sequence[ArrayLike] | None = None,
        state_names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
        state_units: Sequence[str] | None = None,
        input_units: Sequence[str] | None = None,
        labels: Sequence[object] | None = None,
        attrs: Mapping[str, Any] | None = None,
        gaps: str = "refuse",
        duplicates: str = "refuse",
        restarts: str = "refuse",
    ) -> None:
        """Check and copy the data.

        **Arguments:**

        - `states`: (trajectory, time, state), one trajectory as (time, state), or a list of (time, state)
            arrays, whose lengths may differ; arrays (time,) in a list are trajectories of one state.
        - `inputs`: likewise; None for a plant without inputs.
        - `dt` or `time`, exactly one: the sampling time in seconds, or the time of every row: one array for all
            trajectories or one each; dates and durations are turned into seconds.
        - `state_names`, `input_names`: by default x1, x2, ... and u1, u2, ...
        - `state_units`, `input_units`: by default empty.
        - `labels`: one distinct text per trajectory; by default 0, 1, ...
        - `attrs`: anything JSON can keep, for example `{"system": "duffing", "seed": 0}`.
        - `gaps`: where a value is missing, or a step stands out of steps that are otherwise much alike: `"refuse"`
            raises, `"cut"` ends the trajectory there and begins another, and says what was lost, `"keep"` takes
            times as they stand.
        - `duplicates`: rows of one time: `"refuse"` raises, `"first"`, `"last"` and `"mean"` make one row of them.
        - `restarts`: where times go back, `"refuse"` raises, `"cut"` begins another trajectory, `"sort"` sorts rows.

        **Raises:** `DataError` for anything that does not fit, naming trajectory, row and column.
        """
        xs = checks.trajectory_arrays(states, "states")
        us = [np.zeros((len(x), 0)) for x in xs] if inputs is None else checks.trajectory_arrays(inputs, "inputs")
        marks = tuple(str(i) for i in range(len(xs)))
        if labels is not None:
            marks = names.trajectory_labels(labels, len(xs))
        checks.check_shapes(xs, us, marks)
        x_names = names.variable_names(state_names, xs[0].shape[1], "x", "state_names")
        u_names = names.variable_names(input_names, us[0].shape[1], "u", "input_names")
        names.check_distinct((*x_names, *u_names), "state_names and input_names together")
        options.ReadOptions(gaps=gaps, duplicates=duplicates, restarts=restarts)  # says what these may be
        records = Records(xs, us, clock.stamps_per_row(dt, time, [len(x) for x in xs], marks), marks)
        records = restarted(records) if restarts == "cut" else in_order(records) if restarts == "sort" else records
        records = records if duplicates == "refuse" else merged(records, duplicates)
        records = records if gaps != "cut" else cut(records)
        checks.check_finite(records.states, "states", x_names, records.labels)
        checks.check_finite(records.inputs, "inputs", u_names, records.labels)
        spacing = clock.spacing(records.times, records.labels, keep=gaps == "keep")
        self._fill(
            states=tuple(records.states),
            inputs=tuple(records.inputs),
            dt=spacing.dt if dt is None else clock.sampling_time(dt),
            regular=spacing.regular,
            time=tuple(stamps.seconds for stamps in records.times),
            state_names=x_names,
            input_names=u_names,
            state_units=names.unit_texts(state_units, len(x_names), "state"),
            input_units=names.unit_texts(input_units, len(u_names), "input"),
            labels=records.labels,
            attrs=checks.json_attributes(attrs),
        )

    def _fill(self, **fields: Any) -> None:
        for arrays in (fields["states"], fields["inputs"], fields["time"]):
            for array in arrays:
                array.flags.writeable = False
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _with(self, **changes: Any) -> "Trajectories":
        """Copy with some fields replaced by values that need no check."""
        new = object.__new__(type(self))
        new._fill(**{name: changes.get(name, getattr(self, name)) for name in Trajectories.__slots__})
        return new

    def with_rows(
        self,
        states: Sequence[Float64[np.ndarray, "_time _state"]],
        inputs: Sequence[Float64[np.ndarray, "_time _input"]],
        time: Sequence[Float64[np.ndarray, " _time"]],
        state_names: Sequence[str] | None = None,
    ) -> "Trajectories":
        """Return other rows of the same plant, checked, at times that are regular where these are.

        With `state_names`, of other states, whose units are then unknown.
        """
        own = {"state_names": self.state_names, "state_units": self.state_units}
        return Trajectories(
            states,
            inputs if self.input_names else None,
            **({"dt": self.dt} if self.regular else {"time": list(time), "gaps": "keep"}),
            **(own if state_names is None else {"state_names": state_names}),
            input_names=self.input_names or None,
            input_units=self.input_units or None,
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Rows of every trajectory."""
        return tuple(len(states) for states in self.states)

    def __len__(self) -> int:
        """Count the trajectories."""
        return len(self.states)

    def __iter__(self) -> Iterator["Trajectories"]:
        """Go through the trajectories one by one, each as `Trajectories` of length 1."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, which: int | np.integer | slice | Sequence[int] | np.ndarray) -> "Trajectories":
        """Pick trajectories by position, slice, positions or Boolean mask; always returns `Trajectories`.

        **Raises:** `IndexError` for a position that is not there, `DataError` when none or one twice is
        picked.
        """
        chosen = positions(which, len(self))
        if not len(chosen):
            raise DataError(f"no trajectory is picked by {which!r}; there are {len(self)}.")
        names.check_distinct([self.labels[i] for i in chosen], "the selection of trajectories")
        fields = ("states", "inputs", "time", "labels")
        return self._with(**{name: tuple(getattr(self, name)[i] for i in chosen) for name in fields})

    def __repr__(self) -> str:
        """Describe the data in one line."""
        shortest, longest = min(self.lengths), max(self.lengths)
        rows = f"{longest}" if shortest == longest else f"{shortest} to {longest}"
        return (
            f"Trajectories({len(self)} x {rows} rows, dt={self.dt:g} s, states: "
            f"{', '.join(self.state_names)}; inputs: {', '.join(self.input_names) or 'none'})"
        )

    def head(self, steps: int) -> "Trajectories":
        """Keep the first `steps` rows (at least 2) of every trajectory; shorter ones stay whole."""
        if steps < 2:
            raise DataError(f"head({steps}) would leave fewer than the 2 rows that a trajectory needs.")
        fields = ("states", "inputs", "time")
        return self._with(**{name: tuple(array[:steps] for array in getattr(self, name)) for name in fields})

    def resample(self, dt: SupportsFloat, *, method: str = "pchip") -> "Trajectories":
        """Return the trajectories at regular times, `dt` seconds apart from the first row of each on.

        States are interpolated: by `"pchip"`, cubic pieces that overshoot nowhere, by a `"cubic"` spline, or by
        `"linear"` pieces. Inputs are held: each row has that of the last recorded row at or before.

        **Raises:** `DataError` for an unknown method, and for a `dt` longer than a trajectory.
        """
        rows = [resampled(*one, dt, method) for one in zip(self.time, self.states, self.inputs, strict=True)]
        return self._with(
            states=tuple(row.states for row in rows),
            inputs=tuple(row.inputs for row in rows),
            time=tuple(row.time for row in rows),
            dt=clock.sampling_time(dt),
            regular=True,
        )

    def select(self, states: Sequence[str] | None = None, inputs: Sequence[str] | None = None) -> "Trajectories":
        """Keep these columns as states and inputs, in this order; None keeps the present ones.

        **Raises:** `DataError` for names that are not there, no state, or a column that is both state and
        input.
        """
        known = (*self.state_names, *self.input_names)
        units = (*self.state_units, *self.input_units)
        x_names = self.state_names if states is None else tuple(states)
        u_names = self.input_names if inputs is None else tuple(inputs)
        names.check_choice(x_names, u_names, known)
        x = [known.index(name) for name in x_names]
        u = [known.index(name) for name in u_names]
        tables = [np.hstack(pair) for pair in zip(self.states, self.inputs, strict=True)]
        return self._with(
            states=tuple(np.ascontiguousarray(table[:, x]) for table in tables),
            inputs=tuple(np.ascontiguousarray(table[:, u]) for table in tables),
            state_names=x_names,
            input_names=u_names,
            state_units=tuple(units[i] for i in x),
            input_units=tuple(units[i] for i in u),
        )

    def stack(
        self,
    ) -> tuple[Float64[np.ndarray, "trajectory time state"], Float64[np.ndarray, "trajectory time input"]]:
        """Return the states and the inputs as one array each; unequal lengths raise `DataError`."""
        if len(set(self.lengths)) > 1:
            shortest = min(self.lengths)
            raise DataError(
                f"trajectories have {shortest} to {max(self.lengths)} rows and cannot be stacked into one "
                f"array; cut them to the same length with head({shortest}) or go through them one by one."
            )
        return np.stack(self.states), np.stack(self.inputs)

    def split(
        self, train: Share = 0.6, validation: Share = 0.2, test: Share = 0.2, *, seed: int = 0
    ) -> tuple["Trajectories", ...]:
        """Divide the trajectories at random, whole, without overlap; returns the parts that are not asked as
        0.

        `train`, `validation`, `test` are shares (floats, at most 1 together) or counts (integers). The same
        seed always gives the same parts, each in the original order.

        **Raises:** `DataError` when a part would be empty or more is asked than there is.
        """
        return tuple(self[ids] for ids in parts(len(self), train, validation, test, seed=seed))

    def to_pandas(self) -> pd.DataFrame:
        """Return one table with the columns trajectory (label), time, the states, the inputs."""
        values = np.hstack([np.concatenate(self.states), np.concatenate(self.inputs)])
        frame = pd.DataFrame(values, columns=[*self.state_names, *self.input_names])
        frame.insert(0, "trajectory", np.repeat(np.array(self.labels, dtype=object), self.lengths))
        frame.insert(1, "time", np.concatenate(self.time))
        return frame

    @classmethod
    def from_pandas(
        cls,
        frame: pd.DataFrame,
        states: str | Sequence[str | int],
        inputs: str | Sequence[str | int] | None = None,
        time: str | int | None = None,
        trajectory: str | int | None = None,
        dt: SupportsFloat | None = None,
        **given: Any,
    ) -> "Trajectories":
        """Read columns of a table; rows of one trajectory may be interleaved with others but must be in
        order.

        Without `trajectory` all rows are one trajectory. Exactly one of `time` (a column) and `dt` is needed. Named
        levels of the index are columns as well. What else is given are `ReadOptions` of times and rows.

        **Raises:** `DataError` for missing columns, text, gaps.
        """
        read = options.ReadOptions.given(**given)
        data = cls(**arguments(Table(with_levels(frame)), Columns(states, inputs, time, trajectory, dt), read))
        return data if read.resample is None else data.resample(read.resample)

    def to_xarray(self) -> xr.Dataset:
        """Return `states` (trajectory, row, state), `inputs` (trajectory, row, input) with names, units and
        time.

        Shorter trajectories are padded with NaN; `length` (trajectory) holds their rows.
        """
        return to_dataset(_fields(self), described(self))

    @classmethod
    def from_xarray(cls, dataset: xr.Dataset) -> "Trajectories":
        """Read a dataset laid out as `to_xarray` does; other layouts raise `DataError`."""
        return restored(*from_dataset(dataset))


def described(data: Trajectories) -> dict[str, Any]:
    """Return everything but the numbers, as JSON values that files keep."""
    return describe(_fields(data))


def restored(
    description: Mapping[str, Any],
    states: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    time: Sequence[np.ndarray],
    columns: Columns | None = None,
) -> Trajectories:
    """Return the trajectories that were `described` so, with the columns that are asked for, by default all.

    **Raises:** `DataError` for a newer version, missing entries, a request that contradicts the file.
    """
    columns = columns or Columns()
    fields, dt = checked(description, columns)
    data = Trajectories(states, inputs, time=list(time), gaps="keep", **fields)
    if abs(data.dt - dt) > clock.TOLERANCE * dt:
        raise DataError(
            f"the file says dt = {dt:.6g}, its time column has steps of {data.dt:.6g}; correct one of them."
        )
    # The step measured from the time column carries rounding; the file keeps the exact one.
    data = data._with(dt=dt)
    if columns.states is None and columns.inputs is None:
        return data
    known = (*data.state_names, *data.input_names)
    chosen = [None if names is None else listed(names, known) for names in (columns.states, columns.inputs)]
    return data.select(*chosen)


def _fields(data: Trajectories) -> dict[str, Any]:
    return {name: getattr(data, name) for name in Trajectories.__slots__}

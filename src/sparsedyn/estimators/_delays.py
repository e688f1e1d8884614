"""Delay coordinates: values of earlier rows, and of inputs from their dead times on, as further inputs of a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators._base import Rule, is_whole

Step = Callable[
    [Float[np.ndarray, "run state"], Float[np.ndarray, "run column"]], Float[np.ndarray, "member run state"]
]
"""The states of the next row, of states and delayed columns."""

FEWEST = 3
"""Rows that are left of every trajectory."""
AUTO = "auto"
LAGS = Rule(lambda value: is_whole(value) or value == AUTO, "a number of rows of at least 0, or 'auto'")


@dataclass(frozen=True)
class Delays:
    """Which earlier rows the next one depends on.

    Of the states, those of the row and of `lags` rows before it; of input i, those that are `dead_times[i]` rows old
    and up to `lags` rows older. Without any, rows are as they are.
    """

    lags: int = 0
    dead_times: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many earlier rows are needed."""
        return self.lags + max(self.dead_times, default=0)

    def places(self, states: int) -> list[tuple[bool, int, int]]:
        """Return the delayed columns: whether of a state, which one, and how many rows old; inputs come first."""
        inputs = [(False, i, dead + j) for i, dead in enumerate(self.dead_times) for j in range(self.lags + 1)]
        return inputs + [(True, i, j) for j in range(1, self.lags + 1) for i in range(states)]

    def names(self, state_names: Sequence[str], input_names: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the delayed columns, such as `u` and `x[k-1]`."""
        if not self.rows:
            return tuple(input_names)
        places = self.places(len(state_names))
        return tuple((state_names if of else input_names)[i] + (f"[k-{old}]" if old else "") for of, i, old in places)

    def columns(
        self, x: Float[np.ndarray, "*batch time state"], u: Float[np.ndarray, "*batch time input"]
    ) -> Float[np.ndarray, "*batch row column"]:
        """Return the delayed columns at all rows that have `rows` earlier ones."""
        time = x.shape[-2]
        found = [(x if of else u)[..., self.rows - old : time - old, i] for of, i, old in self.places(x.shape[-1])]
        return np.stack(found, axis=-1) if found else np.zeros((*x.shape[:-2], time - self.rows, 0))

    def augmented(self, data: Trajectories) -> Trajectories:
        """Return the rows that have enough earlier ones, with the delayed columns as inputs.

        Raises `DataError` for trajectories that are too short.
        """
        if not self.rows:
            return data
        if min(data.lengths) < self.rows + FEWEST:
            raise DataError(
                f"lags: expected at least {self.rows + FEWEST} rows in every trajectory, of which {self.rows} are "
                f"earlier ones; the shortest has {min(data.lengths)}. Give longer trajectories, or fewer lags."
            )
        units = [(data.state_units if of else data.input_units)[i] for of, i, _ in self.places(len(data.state_names))]
        return Trajectories(
            [x[self.rows :] for x in data.states],
            [self.columns(x, u) for x, u in zip(data.states, data.inputs, strict=True)],
            dt=data.dt,
            state_names=data.state_names,
            input_names=self.names(data.state_names, data.input_names),
            state_units=data.state_units,
            input_units=units,
            labels=data.labels,
        )

    def rolled(
        self, step: Step, first: Float[np.ndarray, "run row state"], u: Float[np.ndarray, "run time input"]
    ) -> Float[np.ndarray, "member run time state"]:
        """Return the states that follow from the first rows, as many as `rows` and one, or more, under these inputs.

        What has run off stays so: NaN.
        """
        given, time = first.shape[1], u.shape[1]
        found = np.full((len(first), time, first.shape[2]), np.nan)
        found[:, :given] = first[:, :time]
        with np.errstate(all="ignore"):
            for k in range(given - 1, time - 1):
                past = slice(k - self.rows, k + 1)
                delayed = self.columns(found[:, past], u[:, past])[:, 0] if self.rows else u[:, k]
                found[:, k + 1] = step(found[:, k], delayed)[0]
        lost = np.logical_or.accumulate(~np.isfinite(found).all(axis=-1), axis=1)
        return np.where(lost[..., None], np.nan, found)[None]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"lags": self.lags, "dead_times": list(self.dead_times)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any] | None) -> "Delays":
        """Undo `to_dict`; without anything, there are none."""
        return cls() if stored is None else cls(int(stored["lags"]), tuple(map(int, stored["dead_times"])))


NO_DELAYS = Delays()


def check_lags(lags: int | str, time: str) -> None:
    """Raise `ValueError` for lags in continuous time."""
    if lags != 0 and time != "discrete":
        raise ValueError(
            f"lags: expected time='discrete' along with lags={lags!r}, since derivatives do not depend on single "
            f"earlier rows; got time={time!r}. Give time='discrete', or leave lags out."
        )

"""What was measured: trajectories, with derivatives where there are some, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Samples, Scaling, Trajectories
from sparsedyn.estimators._delays import NO_DELAYS, Delays
from sparsedyn.estimators._inputs import derivatives_like
from sparsedyn.estimators.sindy._settings import Settings

Arrays = list[Float[np.ndarray, "_time _state"]]

FEWEST_MAPPED = 2
"""Rows that have a next one, in every trajectory."""


@dataclass(frozen=True)
class Measured:
    """Trajectories, and derivatives that were measured: of the state, or for order 2 velocities and accelerations."""

    data: Trajectories
    x_dot: Arrays | None = None
    x_ddot: Arrays | None = None

    @property
    def complete(self) -> bool:
        """Whether no derivative was measured, so that all are free to be estimated or done without."""
        return self.x_dot is None and self.x_ddot is None

    def mapped(self) -> "Measured":
        """Return all rows but the last, with the states of their next rows in the place of derivatives."""
        data = self.data
        states, inputs = ([array[:-1] for array in arrays] for arrays in (data.states, data.inputs))
        if any(len(x) < FEWEST_MAPPED for x in states):
            raise DataError(
                f"x: expected at least {FEWEST_MAPPED + 1} rows in every trajectory for time='discrete'; the shortest "
                f"has {min(data.lengths)}. Give longer trajectories."
            )
        times = [time[:-1] for time in data.time]
        return Measured(data.with_rows(states, inputs, times), [x[1:] for x in data.states])


class Recorded(NamedTuple):
    """Trajectories, and validation if there is any, without delayed columns, and the delays that make these."""

    data: Trajectories
    validation: Trajectories | None = None
    delays: Delays = NO_DELAYS


def check_weak(settings: Settings, measured: Measured) -> None:
    """Raise `DataError` for derivatives of which the weak form makes no use."""
    name = "x_dot" if settings.order == 1 else "x_ddot"
    if settings.weak and getattr(measured, name) is not None:
        raise DataError(f"{name}: expected none with weak=True, which needs no derivatives. Leave one of them out.")


def statistics_of(data: Trajectories) -> Scaling:
    """Return means and standard deviations of states and inputs."""
    states, inputs = np.concatenate(data.states), np.concatenate(data.inputs)
    return Scaling.fit(
        Samples(states, inputs, np.zeros((len(states), 0))),
        state_names=data.state_names,
        input_names=data.input_names,
    )


def measured_of(data: Trajectories, x_dot: Any, x_ddot: Any, order: int, trajectory: str | None = None) -> Measured:
    """Return trajectories with the derivatives that were measured; `DataError` for derivatives that do not fit."""
    if x_ddot is not None and (order == 1 or x_dot is None):
        raise DataError("x_ddot: expected accelerations for order=2 along with velocities, x_dot; got them alone.")
    given = {"x_dot": x_dot, "x_ddot": x_ddot}
    return Measured(
        data, **{k: None if v is None else derivatives_like(v, data, k, trajectory) for k, v in given.items()}
    )


def with_states(
    data: Trajectories,
    states: Arrays,
    inputs: Arrays,
    names: list[str] | tuple[str, ...],
    times: Sequence[np.ndarray] | None = None,
) -> Trajectories:
    """Return trajectories of these states, at the sample time of others, or at their times, or at other `times`."""
    return data.with_rows(states, inputs, data.time if times is None else times, names)


def clocks(data: Trajectories) -> list[Any]:
    """Return what derivatives of each trajectory are estimated by: the sample time, or irregular times."""
    return [data.dt] * len(data) if data.regular else list(data.time)

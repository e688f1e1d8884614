"""Inputs that never change in the data: equations are found without them, and written as those of all inputs."""

from collections.abc import Sequence

import numpy as np

from sparsedyn._warnings import Finding
from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.estimators._delays import Delays
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.estimators.sindy._measured import statistics_of
from sparsedyn.models import Library

RESTING = 1e-12
"""Range of a column, as a share of its size, up to which it never changes."""


def steady_inputs(data: Trajectories) -> list[str]:
    """Return the inputs that never change; raises `DataError` for such a state."""
    found = []
    columns = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    for name, column in zip((*data.state_names, *data.input_names), columns.T, strict=True):
        if np.ptp(column) > RESTING * np.abs(column).max():
            continue
        if name in data.state_names:
            raise DataError(
                f"column {name!r}: expected values that change; they are all {column[0]:.6g}. Leave it out, its effect "
                "is in the constant."
            )
        found.append(name)
    return found


def without(data: Trajectories, steady: Sequence[str]) -> Trajectories:
    """Return the data without these inputs."""
    return data.select(inputs=[name for name in data.input_names if name not in steady]) if steady else data


def finding(data: Trajectories, steady: Sequence[str]) -> Finding:
    """Say that these inputs are in no equation, and why."""
    values = [f"{name} is {data.inputs[0][0, data.input_names.index(name)]:.6g} in all rows" for name in steady]
    return Finding(
        "constant-input",
        f"fit: {' and '.join(values)}: in no equation, since what it does cannot be told from the constant. Give data "
        "in which it moves, or leave it out.",
    )


def widened_delays(delays: Delays, data: Trajectories, steady: Sequence[str]) -> Delays:
    """Return delays of all inputs; those that never change have no dead time."""
    if not delays.dead_times:
        return delays
    dead = iter(delays.dead_times)
    return Delays(delays.lags, tuple(0 if name in steady else next(dead) for name in data.input_names))


def widened(found: Identified, terms: Sequence[str], library: Library, whole: Sequence[str]) -> Identified:
    """Return the coefficients of `terms` as those of the `whole` terms of a library, the others zero."""
    place = [whole.index(term) for term in terms]

    def spread(values: np.ndarray) -> np.ndarray:
        wide = np.zeros((*values.shape[:-2], library.size, values.shape[-1]))
        wide[..., place, :] = values
        return wide

    members = None if found.members is None else spread(found.members)
    return found._replace(coefficients=spread(found.coefficients), members=members)


def widened_statistics(data: Trajectories, steady: Sequence[str]) -> Scaling:
    """Return means and standard deviations; those that are zero are as large as the value, or one."""
    if not steady:
        return statistics_of(data)
    moving = statistics_of(without(data, steady))
    u = np.concatenate(data.inputs)
    here = np.asarray([name in steady for name in data.input_names])
    mean, std = u.mean(axis=0), np.where(here, np.maximum(np.abs(u[0]), 1.0), u.std(axis=0))
    mean[~here], std[~here] = moving.u_mean, moving.u_std
    return Scaling(moving.x_mean, moving.x_std, mean, std, moving.dx_mean, moving.dx_std)

"""Trajectories cut where a held input jumps: between jumps the states are smooth, across them they are not."""

import numpy as np

from .trajectories import Trajectories


def jumping(data: Trajectories) -> bool:
    """Return whether held inputs change too often for `pieces` to cut states into smooth parts."""
    return any((u != u[:1]).any() for u in data.inputs) and pieces(data) is data


def pieces(data: Trajectories, shortest: int = 8) -> Trajectories:
    """Return the parts of constant input, of at least `shortest` rows, as trajectories of their own.

    The input of a row acts until the next row, so a part ends with the row at which the next input begins, and holds
    its own input to the end. Data whose inputs change too often for that (less than half of the rows would be left), or
    that have none, are returned as they are.
    """
    states, inputs, times = [], [], []
    for x, u, time in zip(data.states, data.inputs, data.time, strict=True):
        jumps = np.flatnonzero((np.diff(u, axis=0) != 0).any(axis=1)) + 1
        for begin, end in zip([0, *jumps], [*jumps, len(u) - 1], strict=True):
            if end + 1 - begin >= shortest:
                states.append(x[begin : end + 1])
                inputs.append(np.repeat(u[begin : begin + 1], end + 1 - begin, axis=0))
                times.append(time[begin : end + 1])
    uncut = [len(x) for x in states] == list(data.lengths)
    if uncut or 2 * sum(map(len, states)) < sum(data.lengths):
        return data
    return data.with_rows(states, inputs, times)

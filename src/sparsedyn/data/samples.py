"""Training samples: state, input, and the derivative to learn, pooled over trajectories."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .derivatives import choose
from .errors import DataError, trajectory_place
from .pieces import pieces
from .trajectories import Trajectories


class Samples(NamedTuple):
    """States `x` (sample, state), inputs `u` (sample, input), derivatives `dx` (sample, state) per second."""

    x: Float[np.ndarray, "sample state"]
    u: Float[np.ndarray, "sample input"]
    dx: Float[np.ndarray, "sample state"]


SHORTEST = {"savgol": 11}
"""Rows that a method needs in a piece of constant input, where these are more than other methods need."""


def smooth_samples(data: Trajectories, method: str) -> Samples:
    """Return `samples` within the pieces of constant input: derivatives are taken across no jump of an input.

    Where inputs jump too often to be cut at, across all of them; see `pieces`.
    """
    return samples(pieces(data, SHORTEST.get(method, 8)), method)


def samples(data: Trajectories, method: str = "forward", **options: float | int | None) -> Samples:
    """Estimate derivatives and pool all trajectories into samples, in order, float64.

    `method` is one of `DERIVATIVES`; `options` are its keywords. Rows without a derivative (the last one for
    "forward", the ends for "central" and "savgol") are left out.

    **Raises:** `DataError` for an unknown method or option, or a trajectory that is too short for the method.
    """
    function = choose(method, options)
    pooled = []
    for i, (states, inputs, time) in enumerate(zip(data.states, data.inputs, data.time, strict=True)):
        try:
            rows, slopes = function(states, data.dt if data.regular else time, **options)
        except DataError as error:
            raise DataError(f"{trajectory_place(data.labels, i)}: {error}") from error
        pooled.append((states[rows], inputs[rows], slopes))
    return Samples(*(np.concatenate(arrays) for arrays in zip(*pooled, strict=True)))

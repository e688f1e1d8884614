"""Training samples: state, input, and the derivative to learn, pooled over trajectories."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .derivatives import choose
from .derivatives.methods import forward
from .errors import DataError, trajectory_place
from .pieces import pieces
from .trajectories import Trajectories


class Samples(NamedTuple):
    """States `x` (sample, state), inputs `u` (sample, input), derivatives `dx` (sample, state) per second."""

    x: Float[np.ndarray, "sample state"]
    u: Float[np.ndarray, "sample input"]
    dx: Float[np.ndarray, "sample state"]


ROWS = 262_144
"""Samples of a part."""


def slices(samples: Samples) -> Iterator[Samples]:
    """Go through samples in parts of `ROWS`."""
    for first in range(0, len(samples.x), ROWS):
        yield Samples(*(array[first : first + ROWS] for array in samples))


@dataclass(frozen=True)
class SampleParts:
    """Samples of forward differences, made in parts of `ROWS` each time they are gone through.

    All of them, one below the other, are `samples(data, "forward")` after `change`, which may alter a part's values.
    """

    data: Trajectories
    change: Callable[[Samples], Samples] = lambda part: part

    def __len__(self) -> int:
        """Count the samples."""
        return sum(self.data.lengths) - len(self.data)

    def __iter__(self) -> Iterator[Samples]:
        """Make the parts."""
        pieces: list[Samples] = []
        left = ROWS
        for states, inputs, time in zip(self.data.states, self.data.inputs, self.data.time, strict=True):
            first = 0
            while first < len(states) - 1:
                end = min(len(states) - 1, first + left)
                rows = slice(first, end + 1)
                _, slopes = forward(states[rows], self.data.dt if self.data.regular else time[rows])
                pieces.append(Samples(states[first:end], inputs[first:end], slopes))
                left -= end - first
                first = end
                if not left:
                    yield self.change(_pooled(pieces))
                    pieces, left = [], ROWS
        if pieces:
            yield self.change(_pooled(pieces))


def _pooled(pieces: list[Samples]) -> Samples:
    return Samples(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))


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
        pooled.append(Samples(states[rows], inputs[rows], slopes))
    return _pooled(pooled)

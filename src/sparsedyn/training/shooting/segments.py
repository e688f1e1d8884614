"""Trajectories cut into short segments whose first states are free: what multiple shooting fits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

LENGTH = 5
"""Steps of a segment: many segments are integrated at once, so short ones cost least."""


class Segments(NamedTuple):
    """Segments of equal length, the last of a trajectory padded with steps of no duration.

    `inputs` are polynomials of the share of a step that has passed, from the constant on; held ones are constants.
    `weights` say how much a measured value counts: one, zero for one that is missing, or relative to others.
    """

    measured: Float[np.ndarray, "segment row state"]
    weights: Float[np.ndarray, "segment row state"]
    inputs: Float[np.ndarray, "segment step power input"]
    steps: Float[np.ndarray, "segment step"]
    continued: Bool[np.ndarray, " segment"]
    """Whether a segment ends where the next one begins; its last row is then that one's first, and counts there."""

    @property
    def entering(self) -> Float[np.ndarray, "segment state"]:
        """How much the value at the end of a segment counts that is the first of the next one; zero without a next."""
        found = np.zeros_like(self.weights[:, 0])
        following = self.weights[1:, 0]
        found[:-1] = np.where(self.continued[:-1, None], np.where(following > 0, following, 1.0), 0.0)
        return found

    @property
    def counts(self) -> Float[np.ndarray, " state"]:
        """How many values of each state were measured."""
        found: np.ndarray = (self.weights > 0).sum(axis=(0, 1)).astype(float)
        return found

    def some(self, chosen: Int[np.ndarray, " chosen"]) -> "Segments":
        """Return these segments, continued where the next one of a trajectory is the next one chosen."""
        followed = np.append(np.diff(chosen) == 1, False)
        cut = self.continued[chosen] & ~followed
        weights = self.weights[chosen].copy()
        # The last row of a segment whose successor is left out counts again, where it was measured.
        weights[cut, -1] = self.weights[chosen[cut] + 1, 0]
        return Segments(
            self.measured[chosen],
            weights,
            self.inputs[chosen],
            self.steps[chosen],
            self.continued[chosen] & followed,
        )


def segments(
    states: Sequence[Float[np.ndarray, "_row state"]],
    inputs: Sequence[Float[np.ndarray, "_step power input"]],
    steps: Sequence[Float[np.ndarray, " _step"]],
    length: int = LENGTH,
    weights: Sequence[Float[np.ndarray, "_row state"]] | None = None,
) -> Segments:
    """Cut trajectories into segments of `length` steps; `steps` are the durations between rows, NaN is not measured.

    `weights` say how much values count, by default one. `inputs` are coefficients of the powers of the share of a step
    that has passed; of held inputs there is one.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    counting = [np.ones_like(x) for x in states] if weights is None else weights
    for x, u, h, own in zip(states, inputs, steps, counting, strict=True):
        count = max(1, -(-len(h) // length))
        rows = np.arange(count)[:, None] * length + np.arange(length + 1)
        there = rows < len(x)
        rows = np.minimum(rows, len(x) - 1)
        count_of = np.where(np.isfinite(x)[rows] & there[:, :, None], own[rows], 0.0)
        continued = np.arange(count) < count - 1
        count_of[continued, -1] = 0.0
        durations = np.where(there[:, 1:], np.append(h, 0.0)[np.minimum(rows[:, :-1], len(h))], 0.0)
        parts.append((np.nan_to_num(x)[rows], count_of, u[np.minimum(rows[:, :-1], len(u) - 1)], durations, continued))
    return Segments(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

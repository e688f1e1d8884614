"""Snapshots: trajectories of many measured variables, such as the pixels of a video, with their time derivatives."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from .errors import DataError


class PooledSnapshots(NamedTuple):
    """Snapshots of all trajectories below each other; what was not measured is None."""

    x: Float[np.ndarray, "sample dimension"]
    x_dot: Float[np.ndarray, "sample dimension"] | None
    x_ddot: Float[np.ndarray, "sample dimension"] | None
    truth: Float[np.ndarray, "sample state"] | None


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Measurements `x` at regular times, `dt` apart, and what else is known of them.

    `x_dot` and `x_ddot` are the first and second time derivatives of `x`, per unit of time; None where they were not
    measured. `truth` holds the coordinates that the measurements come from, where they are known: for judging, not for
    training. `frame` is the shape in which one snapshot is drawn, (row, column) for an image, (dimension,) for a curve.

    **Raises:** `DataError` for arrays whose shapes do not fit together, or a `dt` that is no positive number.
    """

    x: Float[np.ndarray, "trajectory time dimension"]
    x_dot: Float[np.ndarray, "_trajectory _time _dimension"] | None
    x_ddot: Float[np.ndarray, "_trajectory _time _dimension"] | None
    dt: float
    truth: Float[np.ndarray, "_trajectory _time _state"] | None
    frame: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = self.x.shape
        if len(shape) != 3:
            raise DataError(
                f"x: expected the axes (trajectory, time, dimension); got shape {shape}. Give a single trajectory as "
                "x[None]."
            )
        for name, derivative in (("x_dot", self.x_dot), ("x_ddot", self.x_ddot)):
            if derivative is not None and derivative.shape != shape:
                raise DataError(f"{name}: expected the shape of x, {shape}; got {derivative.shape}. Leave no row out.")
        if self.truth is not None and (self.truth.ndim != 3 or self.truth.shape[:2] != shape[:2]):
            raise DataError(
                f"truth: expected the axes (trajectory, time, state) with {shape[0]} trajectories of {shape[1]} rows; "
                f"got shape {self.truth.shape}. Leave no row out."
            )
        if np.prod(self.frame, dtype=int) != shape[2]:
            raise DataError(
                f"frame: expected a shape of {shape[2]} values, the dimension of x; got {self.frame}. "
                f"Give ({shape[2]},) for a curve."
            )
        if not 0 < self.dt < np.inf:
            raise DataError(
                f"dt: expected a positive time between two rows; got {self.dt}. Give it in the unit of time."
            )

    def pooled(self) -> PooledSnapshots:
        """Return all arrays with trajectory and time as one axis, without copying them where NumPy can."""
        x = self.x.reshape(-1, self.x.shape[-1])
        return PooledSnapshots(x, _pooled(self.x_dot), _pooled(self.x_ddot), _pooled(self.truth))

    def select(
        self, *, trajectories: slice | Int[np.ndarray, " chosen"] = slice(None), rows: slice = slice(None)
    ) -> "Snapshots":
        """Return some of the trajectories, and some rows of each; every second row doubles `dt`."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[trajectories][:, rows]

        stride = 1 if rows.step is None else int(rows.step)
        if stride < 1:
            raise DataError(f"rows: expected a positive step, since time runs forward; got {stride}. Give a step of 1.")
        return replace(
            self,
            x=self.x[trajectories][:, rows],
            x_dot=part(self.x_dot),
            x_ddot=part(self.x_ddot),
            truth=part(self.truth),
            dt=self.dt * stride,
        )

    def noisy(self, share: float, *, seed: int = 0) -> "Snapshots":
        """Return snapshots with white noise on `x`, of a standard deviation of `share` of its root mean square.

        The derivatives are left out: who measures with noise has to estimate them from what was measured.
        """
        generator = np.random.default_rng(seed)
        deviation = share * np.sqrt(np.mean(np.square(self.x, dtype=np.float64)))
        noisy = np.empty_like(self.x)
        for measured, values in zip(noisy, self.x, strict=True):
            measured[:] = values + deviation * generator.standard_normal(values.shape)
        return replace(self, x=noisy, x_dot=None, x_ddot=None)


def _pooled(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else values.reshape(-1, values.shape[-1])

"""States within rows: paths from each row to the next that agree with equations, under the inputs that act there.

Between rows nothing was measured. A path is what the equations make of the first row, straightened so that it ends in
the next; while equations are being fitted, both are improved in turn. A derivative may jump at every row, as those of
states do under held inputs that change.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.polynomial import legendre
from scipy.interpolate import make_interp_spline

from sparsedyn.data import Trajectories

CUBIC, QUINTIC = 3, 5
NEAR = 32
"""Rows on either side of a change: splines farther away know nothing of it."""


class Quadrature(NamedTuple):
    """Gauss's `places` in a row, from 0 to 1, their `weights`, and `integrals` from 0 to each place of values there."""

    places: Float[np.ndarray, " node"]
    weights: Float[np.ndarray, " node"]
    integrals: Float[np.ndarray, "node node"]


@cache
def quadrature(nodes: int) -> Quadrature:
    """Return the quadrature of so many nodes: exact for polynomials up to twice as many coefficients."""
    places, weights = legendre.leggauss(nodes)
    polynomials = legendre.legvander(places, nodes - 1)
    integrated = [legendre.legval(places, legendre.legint(row, lbnd=-1)) for row in np.eye(nodes)]
    return Quadrature((places + 1) / 2, weights / 2, np.stack(integrated, axis=1) @ np.linalg.inv(polynomials) / 2)


@dataclass(frozen=True)
class Paths:
    """States and inputs at the nodes of all rows but the last of every trajectory.

    `begins` and `rises` are what was measured: states, or for order 2 positions, with or without velocities. `states`
    are full ones; velocities that were not measured follow from the paths. `dt` is how long rows last, one by one where
    times are irregular.
    """

    begins: Float[np.ndarray, "row measured"]
    rises: Float[np.ndarray, "row measured"]
    states: Float[np.ndarray, "node row state"]
    inputs: Float[np.ndarray, "node row input"]
    lengths: tuple[int, ...]
    dt: float | Float[np.ndarray, "row 1"]
    order: int
    rule: Quadrature

    @property
    def parts(self) -> int:
        """How often derivatives are integrated by parts, until what was measured is left of them."""
        return 2 if self.begins.shape[1] < self.states.shape[2] else 1

    @property
    def equations(self) -> int:
        """The number of equations, those of the last states."""
        return self.states.shape[2] // self.order

    @property
    def known(self) -> slice:
        """The measured columns that are left of the derivatives of equations."""
        return slice(self.begins.shape[1] - self.equations, self.begins.shape[1])

    def following(self, slopes: Float[np.ndarray, "node row equation"]) -> "Paths":
        """Return paths with these derivatives of their last states, straightened so that they end in the next row."""
        places, weights, integrals = self.rule
        if self.parts == 2:
            bent = self.dt * np.tensordot(integrals, slopes, 1) - self.dt * np.tensordot(
                weights * (1 - places), slopes, 1
            )
            velocities = self.rises / self.dt + bent
            return replace(self, states=np.concatenate([self._straight(velocities, slice(None)), velocities], axis=-1))
        last = self._straight(slopes, self.known)
        if self.order == 1:
            return replace(self, states=last)
        first = self._straight(last, slice(0, self.equations))
        return replace(self, states=np.concatenate([first, last], axis=-1))

    def split(self, rows: Float[np.ndarray, "row *rest"]) -> list[Float[np.ndarray, "_row *rest"]]:
        """Return what there is for all rows trajectory by trajectory."""
        return np.split(rows, np.cumsum(self.lengths)[:-1])

    def _straight(
        self, slopes: Float[np.ndarray, "node row column"], columns: slice
    ) -> Float[np.ndarray, "node row column"]:
        places, weights, integrals = self.rule
        missed = self.rises[:, columns] - self.dt * np.tensordot(weights, slopes, 1)
        return self.begins[:, columns] + self.dt * np.tensordot(integrals, slopes, 1) + places[:, None, None] * missed


def chords(data: Trajectories, order: int, equations: int, inputs: str, nodes: int) -> Paths:
    """Return straight paths from row to row, under inputs that are `held` or `interpolated`."""
    rule = quadrature(nodes)
    begins = np.concatenate([x[:-1] for x in data.states])
    rises = np.concatenate([np.diff(x, axis=0) for x in data.states])
    forcing = np.concatenate(
        [_within(u, row, inputs, rule.places) for u, row in zip(data.inputs, counted(data), strict=True)], axis=1
    )
    dt = data.dt if data.regular else np.concatenate([np.diff(time) for time in data.time])[:, None]
    states = begins + rule.places[:, None, None] * rises
    if begins.shape[1] < order * equations:
        states = np.concatenate([states, np.broadcast_to(rises / dt, states.shape)], axis=-1)
    return Paths(begins, rises, states, forcing, tuple(n - 1 for n in data.lengths), dt, order, rule)


def counted(data: Trajectories) -> list[Float[np.ndarray, " time"]]:
    """Return where rows are in time: counted where they are regular, else in median steps."""
    if data.regular:
        return [np.arange(float(rows)) for rows in data.lengths]
    return [(time - time[0]) / data.dt for time in data.time]


def interpolant(
    rows: Float[np.ndarray, " time"], u: Float[np.ndarray, "time input"], degree: int = QUINTIC
) -> Callable[..., np.ndarray]:
    """Return the spline of this degree through inputs, of a lower one where there are too few rows."""
    return make_interp_spline(rows, u, k=min(degree, len(u) - 1 - len(u) % 2))


def roughness(data: Trajectories) -> float:
    """Return how far splines of degree 3 and 5 through inputs are apart at most, in shares of their spread."""
    spread = _spread(data)
    return max(_apart(u, rows, spread) for u, rows in zip(data.inputs, counted(data), strict=True))


def jumps(data: Trajectories, least: float) -> bool:
    """Return whether some inputs have at least this roughness in the rows about the greatest change of any of them."""
    spread = _spread(data)
    for u, rows in zip(data.inputs, counted(data), strict=True):
        if len(u) < 2:
            continue
        row = int(np.argmax((np.abs(np.diff(u, axis=0)) / spread).max(axis=1)))
        near = slice(max(0, row - NEAR), row + NEAR)
        if _apart(u[near], rows[near], spread) >= least:
            return True
    return False


def _spread(data: Trajectories) -> Float[np.ndarray, " input"]:
    spread = np.concatenate(data.inputs).std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def _apart(
    u: Float[np.ndarray, "time input"], rows: Float[np.ndarray, " time"], spread: Float[np.ndarray, " input"]
) -> float:
    between = (rows[:-1] + rows[1:]) / 2
    cubic, quintic = (interpolant(rows, u, degree)(between) for degree in (CUBIC, QUINTIC))
    return float(np.max(np.abs(cubic - quintic) / spread))


def _within(
    u: Float[np.ndarray, "time input"],
    rows: Float[np.ndarray, " time"],
    inputs: str,
    places: Float[np.ndarray, " node"],
) -> Float[np.ndarray, "node row input"]:
    if inputs == "held" or not u.shape[1]:
        return np.broadcast_to(u[:-1], (len(places), *u[:-1].shape))
    return np.asarray(interpolant(rows, u)(rows[:-1] + places[:, None] * np.diff(rows)))

"""States and derivatives as the regression needs them: smooth pieces of the full state, from what was measured."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Samples, Trajectories, pieces
from sparsedyn.data.derivatives import AUTO, DERIVATIVES, Differentiator, Smoothed, differentiator, resolved, smoothed
from sparsedyn.data.pieces import jumping
from sparsedyn.estimators._known import Known
from sparsedyn.estimators.sindy._measured import Arrays, Measured, clocks, with_states

FEWEST = 4
"""Rows of a trajectory that a cubic spline needs, the method that needs fewest of those that `auto` takes."""


@dataclass(frozen=True)
class States:
    """Measured trajectories as the equations see them; for order 2, positions are followed by velocities."""

    measured: Measured
    order: int
    differentiate: Differentiator
    inputs: str = "held"
    known: Known | None = None

    @cached_property
    def whole(self) -> Trajectories:
        """What was measured of the full states: for order 2 positions, with velocities where these were measured."""
        data = self.measured.data
        if self.order == 1 or self.measured.x_dot is None:
            return data
        return with_states(data, self._joined(), list(data.inputs), self._names)

    @property
    def varying(self) -> bool:
        """Whether there are inputs that change within a trajectory."""
        return any((u != u[:1]).any() for u in self.measured.data.inputs)

    @cached_property
    def smoothed(self) -> list[Smoothed]:
        """The measured states of every trajectory without their noise, and the noise."""
        return [smoothed(x) for x in self.measured.data.states]

    @property
    def noise(self) -> Float[np.ndarray, " state"]:
        """The standard deviation of the noise of every measured state, over all trajectories by their lengths."""
        squares = [np.square(one.noise) for one in self.smoothed]
        noise: Float[np.ndarray, " state"] = np.sqrt(np.average(squares, axis=0, weights=self.measured.data.lengths))
        return noise

    @cached_property
    def jumping(self) -> bool:
        """Whether held inputs change too often for states to be cut into smooth pieces."""
        return self.inputs == "held" and jumping(self.measured.data)

    @cached_property
    def full(self) -> Trajectories:
        """The full states in smooth pieces; for order 2, velocities are the measured or estimated ones."""
        data = self.measured.data
        if self.order == 1 or self.measured.x_dot is not None:
            return self._smooth(self.whole)
        states, inputs, times = [], [], []
        smooth = self._smooth(data)
        for x, u, time, clock in zip(smooth.states, smooth.inputs, smooth.time, clocks(smooth), strict=True):
            rows, positions, velocities = self.differentiate(x, clock)
            if len(positions) > 1:
                states.append(np.concatenate([positions, velocities], axis=1))
                inputs.append(u[rows])
                times.append(time[rows])
        return with_states(data, states, inputs, self._names, times)

    @property
    def given(self) -> Arrays | None:
        """The derivatives that equations are for, where they were measured."""
        return self.measured.x_dot if self.order == 1 else self.measured.x_ddot

    def samples(self) -> list[Samples]:
        """Return states, inputs and the derivatives that equations are for, measured or estimated, piece by piece."""
        data = self.measured.data
        if self.given is not None:
            known = data.states if self.order == 1 else self._joined()
            return [Samples(*part) for part in zip(known, data.inputs, self.given, strict=True)]
        found = []
        for states, inputs, clock in zip(self.full.states, self.full.inputs, clocks(self.full), strict=True):
            rows, x, slopes = self.differentiate(states, clock)
            found.append(Samples(x, inputs[rows], slopes[:, -len(data.state_names) :]))
        if not any(len(part.x) for part in found):
            raise DataError(
                f"x: expected at least {FEWEST} rows in a trajectory to estimate derivatives from, and as many as its "
                f"window for derivative='savgol' (11); the longest has {max(data.lengths)}. Give longer trajectories, "
                "or x_dot."
            )
        return found

    def first(self) -> Float[np.ndarray, "trajectory state"]:
        """Return the full state of the first row of every trajectory; velocities are estimated by splines."""
        data = self.measured.data
        positions = np.stack([x[0] for x in data.states])
        if self.order == 1:
            return positions
        # Splines, smoothing ones where there is noise: other methods have no derivative at the first row.
        method = DERIVATIVES[resolved(AUTO, data.states, times=None if data.regular else data.time)]
        begins = [method(x, clock)[1][0] for x, clock in zip(data.states, clocks(data), strict=True)]
        return np.concatenate([positions, np.stack(begins)], axis=1)

    @property
    def _names(self) -> list[str]:
        return full_names(self.measured.data.state_names, self.order)

    def _smooth(self, data: Trajectories) -> Trajectories:
        """Return the pieces within which states are smooth."""
        return pieces(data) if self.inputs == "held" else data

    def _joined(self) -> Arrays:
        assert self.measured.x_dot is not None
        pairs = zip(self.measured.data.states, self.measured.x_dot, strict=True)
        return [np.concatenate(pair, axis=1) for pair in pairs]


def states_of(
    measured: Measured, order: int, derivative: str, inputs: str = "held", known: Known | None = None
) -> States:
    """Return the states; the method of differentiation is chosen by smooth pieces of the data, where it is needed."""

    @cache
    def chosen() -> Differentiator:
        smooth = pieces(measured.data) if inputs == "held" else measured.data
        return differentiator(derivative, smooth.states, None if smooth.regular else smooth.time)

    return States(measured, order, lambda states, clock: chosen()(states, clock), inputs, known)


def full_names(names: tuple[str, ...] | list[str], order: int) -> list[str]:
    """Return the names of the full state: of positions and, for order 2, of their velocities."""
    return [*names, *(f"{name}_dot" for name in names if order == 2)]

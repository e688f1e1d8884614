"""What a fitted ensemble of autoencoders can do: encode, decode, simulate, say its equations, be judged."""

from abc import abstractmethod
from typing import Any

import jax
import numpy as np
import pandas as pd
import sympy
import xarray as xr
from jaxtyping import Bool, Float, Int

from sparsedyn.data import DataError, Snapshots, Trajectories
from sparsedyn.data.reduction import lost_share
from sparsedyn.equations import Statement, combined, rounded, statements, symbol
from sparsedyn.equations.coordinates import Affine
from sparsedyn.estimators._base import AbstractEstimator
from sparsedyn.estimators._given import finite
from sparsedyn.estimators._inputs import is_own, snapshots_of
from sparsedyn.estimators._states import times_of
from sparsedyn.estimators.autoencoder import _canonical
from sparsedyn.estimators.autoencoder._jets import jet_of, pooled
from sparsedyn.estimators.autoencoder._judging import ERRORS, errors
from sparsedyn.estimators.autoencoder._members import member
from sparsedyn.estimators.autoencoder._reduction import Reduction
from sparsedyn.estimators.autoencoder._simulation import latent_state, simulated, substeps
from sparsedyn.forecast import Forecast
from sparsedyn.models import Autoencoder, Jet, Library, pushforward


class AbstractLatentDynamics(AbstractEstimator):
    """A fitted ensemble of autoencoders, each with an equation between its split.

    Attributes after `fit`: `models_` (stacked), `coordinates_`, `coefficients_`, `ranking_`, `alive_`, `states_`,
    `dt_`; see `SINDyAutoencoder`. Where a `member` may be named, it is the best one by default.
    """

    _fitted = "models_"

    derivative: str
    seed: int
    models_: Autoencoder
    coordinates_: Reduction
    coefficients_: Float[np.ndarray, "member term latent"]
    ranking_: pd.DataFrame
    alive_: Bool[np.ndarray, " member"]
    states_: Float[np.ndarray, "member sample state"]
    dt_: float

    @property
    @abstractmethod
    def library_(self) -> Library:
        """The candidate terms: of the latent variables, for `order` 2 and of their velocities."""

    @property
    @abstractmethod
    def _order(self) -> int:
        """The order of the latent equations."""

    @property
    def best(self) -> int:
        """The member that the ranking puts first."""
        self._check_fitted()
        return int(self.ranking_["member"].iloc[0])

    @property
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """How many terms every member's equations have."""
        self._check_fitted()
        return np.count_nonzero(self.coefficients_, axis=(1, 2))

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """The names of the latent variables: z, or z1, z2, ..."""
        return ("z",) if self._latent == 1 else tuple(f"z{i + 1}" for i in range(self._latent))

    @property
    def variable_names_(self) -> tuple[str, ...]:
        """The names of the library's variables: latent ones, and velocities such as z_dot."""
        names = self.latent_names_
        return names if self._order == 1 else (*names, *(f"{name}_dot" for name in names))

    def encode(self, x: Any, member: int | None = None) -> Float[np.ndarray, "*batch latent"]:
        """Return the latent variables of snapshots (..., dimension)."""
        return latent_state(self.member(member), self._reduced("x", x), None)

    def decode(self, z: Any, member: int | None = None) -> Float[np.ndarray, "*batch dimension"]:
        """Return the snapshots of latent variables (..., latent)."""
        self._check_fitted()
        # A path that blew up may be beyond single precision: it goes on as inf.
        with np.errstate(over="ignore"):
            values = np.asarray(z, np.float32)
        if values.ndim == 0 or values.shape[-1] != self._latent:
            raise DataError(f"z: expected a last axis of {self._latent} latent variables; got shape {values.shape}.")
        return self.coordinates_.restore(np.asarray(self.member(member).decoder(values), np.float64))

    def coefficients(self, member: int | None = None) -> pd.DataFrame:
        """Return the coefficients of a member's equations, term x latent variable; zero where there is no term."""
        self._check_fitted()
        names = self.library_.names(self.variable_names_)
        table = self.coefficients_[self._member(member)]
        return pd.DataFrame(table, index=pd.Index(names, name="term"), columns=list(self.latent_names_))

    def equations(
        self, member: int | None = None, *, digits: int | None = None, canonical: bool = False
    ) -> tuple[sympy.Expr, ...]:
        """Return the right-hand sides of `z'`, or of `z''` for `order` 2, one per latent variable.

        With `canonical`, in the affine coordinates in which they read best; see `canonical_form`.
        """
        self._check_fitted()
        found = self.canonical_form(member)[1] if canonical else self.coefficients_[self._member(member)]
        return self.expressions(found, digits=digits)

    def expressions(
        self, coefficients: Float[np.ndarray, "term latent"], *, digits: int | None = None
    ) -> tuple[sympy.Expr, ...]:
        """Return right-hand sides with these coefficients, such as `canonical_form` gives; see `equations`."""
        terms = self.library_.expressions([symbol(name) for name in self.variable_names_])
        made = tuple(combined(terms, coefficients))
        return made if digits is None else tuple(rounded(expression, digits) for expression in made)

    def statements(self, member: int | None = None) -> list[Statement]:
        """Return the equations of a member, by default the best, with their left sides, `z'` or `z''`."""
        return statements("prime" if self._order == 1 else "second", self.latent_names_, self.equations(member))

    def print(self, digits: int = 3) -> None:
        """Print the equations of the best member."""
        print("\n".join(statement.text(digits) for statement in self.statements()))

    def canonical_form(self, member: int | None = None) -> tuple[Affine, Float[np.ndarray, "term latent"]]:
        """Return the affine change of latent variables in which a member's equations read best, and them in it.

        These are the coordinates of fewest terms, with scales, signs and order as one would choose them. Terms of a
        contribution below 2 % are left out and the others fitted anew: as long as there are any, the equation is near
        the member's, not equal to it. Only for polynomials and first-order equations; others stay as they are.
        """
        self._check_fitted()
        chosen = self._member(member)
        return _canonical.canonical_form(
            self.library_, self.coefficients_[chosen], self.states_[chosen], seed=self.seed
        )

    def predict(self, x: Any, x_dot: Any = None, *, member: int | None = None) -> Float[np.ndarray, "*batch dimension"]:
        """Return the derivatives of snapshots (..., dimension) as decoded from the latent equation.

        For `order` 2 they are second derivatives, and the first ones, `x_dot`, are needed.
        """
        state = self.latent_state(x, x_dot, member)
        one = self.member(member)
        highest = self.library_.evaluate(state) @ self.coefficients_[self._member(member)]
        z, z_dot = state[..., : self._latent], state[..., self._latent :]
        path = Jet(z, highest) if self._order == 1 else Jet(z, z_dot, highest)
        restored = pushforward(one.decoder, path.map(lambda part: np.asarray(part, np.float32)))
        return self.coordinates_.restore(np.asarray(restored.highest, np.float64))

    def simulate(self, x0: Any, t: Any, member: int | None = None, *, x_dot0: Any = None) -> xr.DataArray:
        """Return snapshots ([trajectory], time, state) forecast from `x0`, ([trajectory], dimension), at the times `t`.

        The latent equation is integrated from the encoded snapshot and decoded. `t` counts from that of `x0` on and is
        regular, or a number of rows at the sample time of training. For `order` 2 the velocity of the snapshot,
        `x_dot0`, is needed too.
        """
        self._check_fitted()
        times, stamps = times_of(t, self.dt_)
        steps = np.diff(times) if len(times) > 1 else np.array([self.dt_])
        if np.ptp(steps) > 1e-6 * steps[0] * times.size:
            raise DataError("t: expected regular times, e.g. np.arange(0, 5, 0.02), or a number of rows.")
        if np.ndim(x0) not in (1, 2):
            raise DataError(f"x0: expected (dimension,) or (trajectory, dimension); got shape {np.shape(x0)}.")
        states = np.atleast_2d(self.latent_state(x0, x_dot0, member))
        path = self.latent_path(states, float(steps[0]), times.size, self._member(member))
        decoded = self.decode(path[..., : self._latent], member)
        result = xr.DataArray(decoded, dims=("trajectory", "time", "state"), coords={"time": stamps})
        return result.isel(trajectory=0) if np.ndim(x0) == 1 else result

    def forecast(
        self, x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None, *, member: int | None = None
    ) -> Forecast:
        """Return forecasts of every trajectory of snapshots from its first row; data as for `fit`.

        Errors are counted in one standard deviation of all columns of `x`: there may be columns that never change.
        """
        data = self._snapshots(x, t, x_dot, x_ddot)
        states = data.x.astype(np.float64)
        velocity = None
        if self._order == 2:
            jet = jet_of(data, self.coordinates_, 2, self.derivative)
            velocity = self.coordinates_.restore(np.asarray(jet.first, np.float64)[:, 0])
        times = data.dt * np.arange(states.shape[1])
        found = self.simulate(states[:, 0], times, member, x_dot0=velocity)
        size = np.sqrt(np.mean(np.var(states.reshape(-1, states.shape[-1]), axis=0)))
        return Forecast(found.to_numpy()[None], Trajectories(states, dt=data.dt), np.full(states.shape[-1], size))

    def latent_state(self, x: Any, x_dot: Any = None, member: int | None = None) -> Float[np.ndarray, "*batch state"]:
        """Return what the equation is integrated from: latent variables and, for `order` 2, their velocities."""
        reduced = self._reduced("x", x)
        if self._order == 1:
            return latent_state(self.member(member), reduced, None)
        if x_dot is None:
            raise DataError("x_dot0: expected the velocity of x0, since the equation is of second order; got None.")
        return latent_state(self.member(member), reduced, self._reduced("x_dot", x_dot))

    def latent_path(
        self, start: Float[np.ndarray, "trajectory state"], dt: float, rows: int, member: int | None = None
    ) -> Float[np.ndarray, "trajectory time state"]:
        """Return the latent states that a member's equation leads to from latent states, row 0 being these."""
        one = jax.tree.map(lambda leaf: leaf[None], self.member(member))
        return simulated(one, start[None], dt, rows, substeps(dt, self.dt_))[0]

    def evaluate(
        self, x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None, *, member: int | None = None
    ) -> pd.Series:
        """Return the relative squared errors `decoder`, `derivative` and `latent`, and the number of `terms`.

        `decoder` is that of `x` itself, `derivative` of its highest derivative, `latent` of the equation in the latent
        variables; each a sum of squared errors divided by the sum of squares. What the reduction to modes loses counts.
        """
        data = self._snapshots(x, t, x_dot, x_ddot)
        chosen = self._member(member)
        found = self.errors(data)[chosen]
        terms = int(np.count_nonzero(self.coefficients_[chosen]))
        return pd.Series({**dict(zip(ERRORS, found, strict=True)), "terms": terms})

    def score(
        self, x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None, *, member: int | None = None
    ) -> float:
        """Return one minus the relative squared error of the highest derivative, as decoded from the latent equation.

        1 is perfect, 0 what an equation without terms has. It is the one error in which encoder, equation and decoder
        all have a part, and does not depend on the scales of latent variables.
        """
        return float(1.0 - self.evaluate(x, t, x_dot, x_ddot, member=member)["derivative"])

    def errors(self, data: Snapshots) -> Float[np.ndarray, "member error"]:
        """Return `decoder`, `derivative` and `latent` errors of every member; see `evaluate`."""
        self._check_fitted()
        self._check_dimension("x", data.x)
        jet = pooled(jet_of(data, self.coordinates_, self._order, self.derivative))
        found = errors(self.models_, jet, self.coordinates_.importance)
        measured = data.pooled()
        highest = measured.x_dot if self._order == 1 else measured.x_ddot
        for column, values in ((0, measured.x), (1, highest)):
            if values is not None:
                lost = lost_share(values, self.coordinates_.basis)
                found[:, column] = found[:, column] * (1 - lost) + lost
        return found

    def member(self, index: int | None = None) -> Autoencoder:
        """Return one member's model, by default the best one's; it takes and gives scaled modes."""
        self._check_fitted()
        return member(self.models_, self._member(index))

    @property
    def _latent(self) -> int:
        return self.library_.variables // self._order

    def _member(self, index: int | None) -> int:
        if index is None:
            return self.best
        members = len(self.alive_)
        if not 0 <= index < members:
            raise ValueError(f"member: expected a number from 0 to {members - 1}; got {index!r}.")
        return index

    def _snapshots(self, x: Any, t: Any, x_dot: Any, x_ddot: Any) -> Snapshots:
        self._check_fitted()
        timed = isinstance(x, Snapshots) or is_own(x)
        return snapshots_of(x, self.dt_ if t is None and not timed else t, x_dot, x_ddot)

    def _reduced(self, place: str, values: Any) -> Float[np.ndarray, "*batch mode"]:
        self._check_fitted()
        array = finite(values, place)
        self._check_dimension(place, array)
        return self.coordinates_.reduce(array)

    def _check_dimension(self, place: str, values: np.ndarray) -> None:
        dimension = self.coordinates_.basis.shape[0]
        if values.ndim == 0 or values.shape[-1] != dimension:
            raise DataError(f"{place}: expected a last axis of {dimension}, as in fit; got shape {values.shape}.")

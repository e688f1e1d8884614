"""Coordinates and their governing equations together, with the face of a scikit-learn estimator."""

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sparsedyn.data import DataError, Snapshots
from sparsedyn.data.reduction import lost_share
from sparsedyn.data.splits import hold_out
from sparsedyn.equations import combined, rounded, symbol
from sparsedyn.equations.coordinates import (
    Affine,
    canonical,
    contributions_at,
    identity,
    polynomial,
    sparsest,
    transformed,
)
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._progress import phase_bar
from sparsedyn.estimators.autoencoder import _saving as autoencoder_saving
from sparsedyn.estimators.autoencoder._data import (
    Coordinates,
    coordinates_of,
    motion_of,
    numbers_of,
    pooled,
    snapshots_of,
)
from sparsedyn.estimators.autoencoder._errors import BOUND, ERRORS, SUBSTEPS, errors, ranking, simulated
from sparsedyn.estimators.autoencoder._recipes import Recipe, geodesic, projected
from sparsedyn.estimators.autoencoder._training import (
    SMALLEST,
    OnModels,
    Trained,
    drawn,
    encoded,
    member,
    trained,
)
from sparsedyn.models import PRIMITIVES, Autoencoder, Jet, Library
from sparsedyn.training import Checkpoint
from sparsedyn.training.least_squares import factor, solve

JUDGED = 50_000
"""Samples that members are judged on, at most."""
FEW = 5
"""Trajectories from which on some are held out as a whole."""
KEPT = 2000
"""Latent states of every member that are kept, for changing coordinates."""


OnErrors = Callable[[float, Callable[[], pd.DataFrame]], None]
"""Is told the share of training that is done, with a function that returns the held-out errors at that moment."""


class SINDyAutoencoder(BaseEstimator):
    """Finds few coordinates of high-dimensional measurements, and a sparse differential equation that they obey.

    An ensemble of autoencoders is trained, each with an equation of its own between its halves; the terms of equations
    are candidates of a library, thinned out in training. Members are ranked without knowing the truth (`ranking_`).

    Parameters
    ----------
    latent : number of coordinates.
    widths : hidden layers of the encoder; the decoder has them in reverse.
    order : 1 for `z' = f(z)`, 2 for `z'' = f(z, z')`.
    degree, sine : the library: monomials up to this degree, and sines of its variables.
    members, seed : autoencoders that are trained, and the seed of their weights.
    modes : how many modes `x` is reduced to first (POD): a number, `auto`, or `None` for none; see
        `autoencoder_data.coordinates_of`. Errors keep their meaning: modes are orthonormal.
    derivative : how missing derivatives are estimated: `spline`, `smoothing-spline`, or `auto`, by how noisy `x` looks.
    recipe : a `Recipe` of phases; `None` for the default: `autoencoder_recipes.geodesic` for equations of second order
        of one variable, `autoencoder_recipes.projected` for all others. `effort` multiplies its steps.
    share : of trajectories (or, if there are fewer than five, of rows at the end) that are held out to judge members.

    Attributes after `fit`: `models_` (stacked members), `coordinates_`, `coefficients_` (member, term, latent; float64,
    zero where there is no term), `ranking_` (a table, best first), `best`, `alive_`, `states_` (held-out latent states
    of every member), `histories_`, `dt_`.

    Source: Champion et al. 2019. Differs from it by default: projected coefficients, contributions instead of raw
    coefficients, linear parts, relative errors; `autoencoder_recipes.published` is the published recipe.
    """

    def __init__(
        self,
        latent: int = 3,
        widths: Sequence[int] = (64, 32),
        order: int = 1,
        degree: int = 3,
        sine: bool = False,
        members: int = 10,
        seed: int = 0,
        *,
        modes: int | str | None = "auto",
        derivative: str = "auto",
        recipe: Recipe | None = None,
        effort: float = 1.0,
        share: float = 0.1,
    ):
        self.latent = latent
        self.widths = widths
        self.order = order
        self.degree = degree
        self.sine = sine
        self.members = members
        self.seed = seed
        self.modes = modes
        self.derivative = derivative
        self.recipe = recipe
        self.effort = effort
        self.share = share

    def fit(
        self,
        x: Any,
        t: Any = None,
        x_dot: Any = None,
        x_ddot: Any = None,
        *,
        progress: bool | None = None,
        checkpoint: Callable[[int], Checkpoint | None] = lambda phase: None,
        on_progress: Callable[..., None] | None = None,
        on_errors: OnErrors | None = None,
    ) -> "SINDyAutoencoder":
        """Train on snapshots `x`: (time, dimension), (trajectory, time, dimension), a list, or `Snapshots`.

        `t` is the sampling time or the times of the rows; `x_dot` and `x_ddot` are time derivatives of the shape of
        `x`, estimated where they are not given. `checkpoint` names a file for every phase to be resumed from.
        `on_errors` is told now and then which share of training is done, with a function that returns the held-out
        errors of all members at that moment, and their `terms`; what it raises ends training. Raises
        `DataError` for data, `ValueError` for parameters that cannot be used.
        """
        check_autoencoder(self)
        data = snapshots_of(x, t, x_dot, x_ddot)
        coordinates = coordinates_of(data, self.modes)
        if self.latent > len(coordinates.scale):
            raise DataError(
                f"latent: expected at most {len(coordinates.scale)}, the columns of x or the modes it is reduced to; "
                f"got {self.latent}. Choose fewer latent variables, or more modes."
            )
        jet = motion_of(data, coordinates, self.order, self.derivative)
        train, held_out = _held_out(jet, self.share)
        recipe = self._recipe().scaled(self.effort)
        keys = jax.random.split(jax.random.key(self.seed), self.members)
        models = drawn(
            jet.value.shape[2], self._library(), self.order, tuple(int(width) for width in self.widths), recipe, keys
        )
        samples = pooled(train)
        with phase_bar("SINDy autoencoder", progress) as draw:
            found = trained(
                models,
                samples,
                recipe,
                importance=coordinates.importance,
                keys=keys,
                seed=self.seed,
                checkpoint=checkpoint,
                on_progress=on_progress or draw,
                on_models=None if on_errors is None else _shower(on_errors, held_out, coordinates),
            )
        return self._adopt(found, coordinates, data.dt, held_out)

    def _recipe(self) -> Recipe:
        if self.recipe is not None:
            return self.recipe
        return geodesic() if (self.latent, self.order) == (1, 2) else projected()

    _versions = (1,)

    @classmethod
    def _from_file(cls, stored: Stored) -> "SINDyAutoencoder":
        return autoencoder_saving.restored(stored.arrays, stored.header)

    def _adopt(self, found: Trained, coordinates: Coordinates, dt: float, held_out: Jet) -> "SINDyAutoencoder":
        """Become what was trained: only now, so that an earlier fit outlives one that fails."""
        models, coefficients, alive = found.models, found.coefficients, found.alive
        if not alive.any():
            warnings.warn(
                "SINDyAutoencoder: no member lived through training, their weights are not finite. Look for rows that "
                "stand out, derivatives that are zero, or another sampling time.",
                stacklevel=4,
            )
        self.models_, self.coefficients_, self.alive_, self.dt_ = models, coefficients, alive, dt
        self.coordinates_, self.histories_ = coordinates, found.histories
        table = _judged(models, held_out, coordinates)
        starts = encoded(models, pooled(held_out.map(lambda part: part[:, :1])))
        self.states_ = np.asarray(encoded(models, _thinned(held_out, KEPT)).state)
        size = np.abs(self.states_).max(axis=(1, 2))
        paths = simulated(models, np.asarray(starts.state), dt, held_out.value.shape[1])
        with np.errstate(invalid="ignore", over="ignore"):
            bounded = np.nanmax(np.where(np.isfinite(paths), np.abs(paths), np.inf), axis=(1, 2, 3)) <= BOUND * size
        table.insert(0, "member", np.arange(len(table)))
        table["bounded"], table["alive"] = bounded, alive
        self.ranking_: pd.DataFrame = ranking(table).reset_index(drop=True)
        return self

    @property
    def library_(self) -> Library:
        """The candidate terms: of the latent variables, for `order` 2 and of their velocities."""
        # Parameters may have been set since the fit.
        return self.models_.library if hasattr(self, "models_") else self._library()

    def _library(self) -> Library:
        functions = (PRIMITIVES["sin"],) if self.sine else ()
        # NumPy's integers, as grids of parameters have them, would make other libraries.
        return Library(int(self.order * self.latent), int(self.degree), functions)

    @property
    def _order(self) -> int:
        return self.models_.order if hasattr(self, "models_") else self.order

    @property
    def _latent(self) -> int:
        return self.library_.variables // self._order

    @property
    def best(self) -> int:
        """The member that the ranking puts first."""
        self._check_fitted()
        return int(self.ranking_["member"].iloc[0])

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
        reduced = self._reduced(x)
        return np.asarray(self.member(member).encoder(reduced.astype(np.float32)), np.float64)

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
        found = self.coefficients(member).to_numpy()
        if canonical:
            found = self.canonical_form(member)[1]
        return self.expressions(found, digits=digits)

    def expressions(
        self, coefficients: Float[np.ndarray, "term latent"], *, digits: int | None = None
    ) -> tuple[sympy.Expr, ...]:
        """Return right-hand sides with these coefficients, such as `canonical_form` gives; see `equations`."""
        terms = self.library_.expressions([symbol(name) for name in self.variable_names_])
        made = tuple(combined(terms, coefficients))
        return made if digits is None else tuple(rounded(expression, digits) for expression in made)

    def canonical_form(self, member: int | None = None) -> tuple[Affine, Float[np.ndarray, "term latent"]]:
        """Return the affine change of latent variables in which a member's equations read best, and them in it.

        These are the coordinates of fewest terms, with scales, signs and order as one would choose them. Terms of a
        contribution below 2 % are left out and the others fitted anew: as long as there are any, the equation is near
        the member's, not equal to it. Only for polynomials and first-order equations; others stay as they are.
        """
        self._check_fitted()
        chosen = self._member(member)
        library, coefficients = self.library_, self.coefficients_[chosen]
        if self._order == 2 or not polynomial(library, coefficients):
            return identity(self._latent), coefficients
        states = self.states_[chosen]
        change = sparsest(library, coefficients, states, threshold=SMALLEST, starts=4, seed=self.seed)
        moved = transformed(library, coefficients, change, states)
        theta = library.evaluate(change.states(states))
        kept = contributions_at(library, moved, change.states(states)) >= SMALLEST
        moved = solve(factor(theta, theta @ moved), kept)
        tidy = canonical(library, moved)
        return tidy.after(change), transformed(library, moved, tidy, change.states(states))

    def simulate(
        self, x0: Any, t: Any, member: int | None = None, *, x_dot0: Any = None
    ) -> Float[np.ndarray, "*trajectory time dimension"]:
        """Return snapshots forecast from the snapshot `x0`, (dimension,) or (trajectory, dimension), at the times `t`.

        The latent equation is integrated from the encoded snapshot and decoded. `t` counts from that of `x0` on and is
        regular. For `order` 2 the velocity of the snapshot, `x_dot0`, is needed too.
        """
        self._check_fitted()
        times = np.asarray(t, np.float64)
        steps = np.diff(times)
        regular = times.ndim == 1 and times.size >= 2 and np.isfinite(times).all() and (steps > 0).all()
        if not regular or np.ptp(steps) > 1e-6 * steps[0] * times.size:
            raise DataError("t: expected at least two regular, increasing times, e.g. np.arange(0, 5, 0.02).")
        if np.ndim(x0) not in (1, 2):
            raise DataError(f"x0: expected (dimension,) or (trajectory, dimension); got shape {np.shape(x0)}.")
        states = self.latent_state(x0, x_dot0, member)
        chosen = self._member(member)
        path = self.latent_path(states.reshape(-1, states.shape[-1]), float(steps[0]), times.size, chosen)
        decoded = self.decode(path[..., : self._latent], chosen)
        return decoded[0] if np.ndim(x0) == 1 else decoded

    def latent_state(self, x: Any, x_dot: Any = None, member: int | None = None) -> Float[np.ndarray, "*batch state"]:
        """Return what the equation is integrated from: latent variables and, for `order` 2, their velocities."""
        reduced = self._reduced(x)
        if self._order == 1:
            return self.encode(x, member)
        if x_dot is None:
            raise DataError("x_dot0: expected the velocity of x0, since the equation is of second order; got None.")
        encoder = self.member(member).encoder
        velocity = self._reduced(x_dot)
        z, z_dot = jax.jvp(encoder, (reduced.astype(np.float32),), (velocity.astype(np.float32),))
        return np.concatenate([np.asarray(z, np.float64), np.asarray(z_dot, np.float64)], axis=-1)

    def latent_path(
        self, start: Float[np.ndarray, "trajectory state"], dt: float, rows: int, member: int | None = None
    ) -> Float[np.ndarray, "trajectory time state"]:
        """Return the latent states that a member's equation leads to from latent states, row 0 being these."""
        one = jax.tree.map(lambda leaf: leaf[None], self.member(member))
        # Steps are as fine as between rows of the data, however far apart the rows asked for are.
        substeps = max(1, math.ceil(SUBSTEPS * dt / self.dt_ - 1e-6))
        return simulated(one, start[None], dt, rows, substeps)[0]

    def score(
        self, x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None, *, member: int | None = None
    ) -> pd.Series:
        """Return the relative squared errors `decoder`, `derivative` and `latent`, and the number of `terms`.

        `decoder` is that of `x` itself, `derivative` of its highest derivative, `latent` of the equation in the latent
        variables; each a sum of squared errors divided by the sum of squares. What the reduction to modes loses counts.
        """
        self._check_fitted()
        data = snapshots_of(x, self.dt_ if t is None and not isinstance(x, Snapshots) else t, x_dot, x_ddot)
        chosen = self._member(member)
        found = self.errors(data)[chosen]
        terms = int(np.count_nonzero(self.coefficients_[chosen]))
        return pd.Series({**dict(zip(ERRORS, found, strict=True)), "terms": terms})

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one file, atomically; see `sparsedyn.load`."""
        self._check_fitted()
        autoencoder_saving.save(self, path)

    def errors(self, data: Snapshots) -> Float[np.ndarray, "member error"]:
        """Return `decoder`, `derivative` and `latent` errors of every member; see `score`."""
        self._check_fitted()
        self._check_dimension(data.x)
        jet = pooled(motion_of(data, self.coordinates_, self._order, self.derivative))
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

    def _member(self, index: int | None) -> int:
        if index is None:
            return self.best
        members = len(self.alive_)
        if not 0 <= index < members:
            raise ValueError(f"member: expected a number from 0 to {members - 1}; got {index!r}.")
        return index

    def _reduced(self, x: Any) -> Float[np.ndarray, "*batch mode"]:
        self._check_fitted()
        values = numbers_of("x", x)
        self._check_dimension(values)
        return self.coordinates_.reduce(values)

    def _check_dimension(self, values: np.ndarray) -> None:
        dimension = self.coordinates_.basis.shape[0]
        if values.ndim == 0 or values.shape[-1] != dimension:
            raise DataError(f"x: expected a last axis of {dimension}, as in fit; got shape {values.shape}.")

    def _check_fitted(self) -> None:
        if not hasattr(self, "models_"):
            raise NotFittedError("SINDyAutoencoder: not fitted yet. Call fit(x, t) first.")


def check_autoencoder(estimator: SINDyAutoencoder) -> None:
    """Raise `ValueError` for the first parameter that is out of range."""

    def expect(name: str, fine: bool, wanted: str) -> None:
        if not fine:
            raise ValueError(f"{name}: expected {wanted}; got {getattr(estimator, name)!r}.")

    def whole(value: Any, least: int) -> bool:
        return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)

    def real(value: Any) -> bool:
        return isinstance(value, int | float | np.number) and not isinstance(value, bool)

    for name in ("latent", "members"):
        expect(name, whole(getattr(estimator, name), 1), "an integer of at least 1")
    widths = estimator.widths
    several = isinstance(widths, Sequence | np.ndarray) and not isinstance(widths, str)
    listed = several and all(whole(w, 1) for w in widths)
    expect("widths", listed, "widths of at least 1, e.g. (64, 32)")
    expect("order", estimator.order in (1, 2), "1 or 2")
    expect("degree", whole(estimator.degree, 0), "an integer of at least 0")
    expect("seed", whole(estimator.seed, 0) and estimator.seed < 2**32, "an integer from 0 to 2**32 - 1")
    modes = estimator.modes
    expect("sine", isinstance(estimator.sine, bool | np.bool_), "True or False")
    expect("modes", modes is None or modes == "auto" or whole(modes, 1), "a number of modes, 'auto' or None")
    known = ("auto", "spline", "smoothing-spline")
    expect("derivative", estimator.derivative in known, f"one of {', '.join(known)}")
    expect("effort", real(estimator.effort) and 0 < estimator.effort < np.inf, "a positive number")
    expect("share", real(estimator.share) and 0 < estimator.share < 1, "a share between 0 and 1 to hold out")
    a_recipe = estimator.recipe is None or isinstance(estimator.recipe, Recipe)
    expect("recipe", a_recipe, "a Recipe, such as autoencoder_recipes.projected(), or None")
    along_curve = estimator.recipe is not None and estimator.recipe.curve
    expect("latent", not along_curve or estimator.latent == 1, "1, since the recipe begins along a curve")


def _held_out(jet: Jet, share: float) -> tuple[Jet, Jet]:
    """Split off the last trajectories, or where there are few the last rows."""
    trajectories, rows, _ = jet.value.shape
    first, last = hold_out(trajectories, rows, share, from_trajectories=FEW)
    return jet.map(lambda part: part[first]), jet.map(lambda part: part[last])


def _shower(on_errors: OnErrors, held_out: Jet, coordinates: Coordinates) -> OnModels:
    return lambda share, read: on_errors(share, lambda: _judged(read(), held_out, coordinates))


def _judged(models: Autoencoder, held_out: Jet, coordinates: Coordinates) -> pd.DataFrame:
    """Return the errors of members, in their order, and how many terms they have."""
    judged = errors(models, _thinned(held_out, JUDGED), coordinates.importance)
    terms = np.count_nonzero(np.asarray(models.coefficients), axis=(1, 2))
    return pd.DataFrame(judged, columns=list(ERRORS)).assign(terms=terms)


def _thinned(jet: Jet, most: int) -> Jet:
    """At most so many samples of a jet, below each other."""
    samples = pooled(jet)
    step = -(-len(samples.value) // most)
    return samples.map(lambda part: part[::step])

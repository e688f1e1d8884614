"""Coordinates and their governing equations together, with the face of a scikit-learn estimator."""

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
from sparsedyn.equations import rounded, symbol
from sparsedyn.equations.coordinates import (
    Affine,
    canonical,
    identity,
    polynomial,
    sparsest,
    transformed,
    weights_of_terms,
)
from sparsedyn.estimators import autoencoder_saving
from sparsedyn.estimators.autoencoder_data import Coordinates, coordinates_of, motion_of, pooled, snapshots_of
from sparsedyn.estimators.autoencoder_judging import BOUND, ERRORS, errors, ranking, simulated
from sparsedyn.estimators.autoencoder_recipes import Recipe, geodesic, projected
from sparsedyn.estimators.autoencoder_training import (
    SMALLEST,
    OnModels,
    Trained,
    drawn,
    encoded,
    member,
    trained,
)
from sparsedyn.estimators.progress import phase_bar
from sparsedyn.models import PRIMITIVES, Autoencoder, Library, Motion
from sparsedyn.training import Checkpoint

JUDGED = 50_000
"""Samples that members are judged on, at most."""
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
        self.coordinates_: Coordinates = coordinates_of(data, self.modes)
        motion = motion_of(data, self.coordinates_, self.order, self.derivative)
        train, held_out = _held_out(motion, self.share)
        recipe = self._recipe().scaled(self.effort)
        keys = jax.random.split(jax.random.key(self.seed), self.members)
        models = drawn(motion.value.shape[2], self.library_, self.order, tuple(self.widths), recipe, keys)
        samples = pooled(train)
        with phase_bar("SINDy autoencoder", progress) as draw:
            found = trained(
                models,
                samples,
                recipe,
                importance=self.coordinates_.importance,
                keys=keys,
                seed=self.seed,
                checkpoint=checkpoint,
                on_progress=on_progress or draw,
                on_models=None if on_errors is None else self._shower(on_errors, held_out),
            )
        self.histories_ = found.histories
        return self._adopt(found, data.dt, held_out)

    def _shower(self, on_errors: OnErrors, held_out: Motion) -> OnModels:
        return lambda share, read: on_errors(share, lambda: self._judged(read(), held_out))

    def _judged(self, models: Autoencoder, held_out: Motion) -> pd.DataFrame:
        """Return the errors of members, in their order."""
        judged = errors(models, _thinned(held_out, JUDGED), self.coordinates_.importance)
        terms = np.count_nonzero(np.asarray(models.coefficients), axis=(1, 2))
        return pd.DataFrame(judged, columns=list(ERRORS)).assign(terms=terms)

    def _recipe(self) -> Recipe:
        if self.recipe is not None:
            return self.recipe
        return geodesic() if (self.latent, self.order) == (1, 2) else projected()

    def _adopt(self, found: Trained, dt: float, held_out: Motion) -> "SINDyAutoencoder":
        models, coefficients, alive = found.models, found.coefficients, found.alive
        self.models_, self.coefficients_, self.alive_, self.dt_ = models, coefficients, alive, dt
        table = self._judged(models, held_out)
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
        functions = (PRIMITIVES["sin"],) if self.sine else ()
        return Library(self.order * self.latent, self.degree, functions)

    @property
    def best(self) -> int:
        """The member that the ranking puts first."""
        self._check_fitted()
        return int(self.ranking_["member"].iloc[0])

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """The names of the latent variables: z, or z1, z2, ..."""
        return ("z",) if self.latent == 1 else tuple(f"z{i + 1}" for i in range(self.latent))

    @property
    def variable_names_(self) -> tuple[str, ...]:
        """The names of the library's variables: latent ones, and velocities such as z_dot."""
        names = self.latent_names_
        return names if self.order == 1 else (*names, *(f"{name}_dot" for name in names))

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
        if values.ndim == 0 or values.shape[-1] != self.latent:
            raise DataError(f"z: expected a last axis of {self.latent} latent variables; got shape {values.shape}.")
        return self.coordinates_.restore(np.asarray(self.member(member).decoder(values), np.float64))

    def coefficients(self, member: int | None = None) -> pd.DataFrame:
        """Return the coefficients of a member's equations, term x latent variable; zero where there is no term."""
        self._check_fitted()
        names = self.library_.names(self.variable_names_)
        table = self.coefficients_[self.best if member is None else member]
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
        made = tuple(
            sympy.Add(*(sympy.Float(c) * t for c, t in zip(column, terms, strict=True) if c))
            for column in coefficients.T
        )
        return made if digits is None else tuple(rounded(expression, digits) for expression in made)

    def canonical_form(self, member: int | None = None) -> tuple[Affine, Float[np.ndarray, "term latent"]]:
        """Return the affine change of latent variables in which a member's equations read best, and them in it.

        These are the coordinates of fewest terms, with scales, signs and order as one would choose them. Only for
        polynomials and first-order equations; others stay as they are.
        """
        self._check_fitted()
        chosen = self.best if member is None else member
        library, coefficients = self.library_, self.coefficients_[chosen]
        if self.order == 2 or not polynomial(library, coefficients):
            return identity(self.latent), coefficients
        states = self.states_[chosen]
        change = sparsest(library, coefficients, states, threshold=SMALLEST, starts=4, seed=self.seed)
        moved = transformed(library, coefficients, change, states)
        moved = np.where(weights_of_terms(library, moved, change.states(states)) >= SMALLEST, moved, 0.0)
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
        if times.ndim != 1 or times.size < 2 or not (steps > 0).all() or np.ptp(steps) > 1e-6 * steps[0] * times.size:
            raise DataError("t: expected at least two regular, increasing times, e.g. np.arange(0, 5, 0.02).")
        states = self.latent_state(x0, x_dot0, member)
        chosen = self.best if member is None else member
        path = self.latent_path(states.reshape(-1, states.shape[-1]), float(steps[0]), times.size, chosen)
        decoded = self.decode(path[..., : self.latent], chosen)
        return decoded[0] if np.ndim(x0) == 1 else decoded

    def latent_state(self, x: Any, x_dot: Any = None, member: int | None = None) -> Float[np.ndarray, "*batch state"]:
        """Return what the equation is integrated from: latent variables and, for `order` 2, their velocities."""
        reduced = self._reduced(x)
        if self.order == 1:
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
        return simulated(one, start[None], dt, rows)[0]

    def score(
        self, x: Any, t: Any = None, x_dot: Any = None, x_ddot: Any = None, *, member: int | None = None
    ) -> pd.Series:
        """Return the relative squared errors `decoder`, `derivative` and `latent`, and the number of `terms`.

        `decoder` is that of `x` itself, `derivative` of its highest derivative, `latent` of the equation in the latent
        variables; each a sum of squared errors divided by the sum of squares. What the reduction to modes loses counts.
        """
        self._check_fitted()
        data = snapshots_of(x, self.dt_ if t is None else t, x_dot, x_ddot)
        chosen = self.best if member is None else member
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
        motion = pooled(motion_of(data, self.coordinates_, self.order, self.derivative))
        found = errors(self.models_, motion, self.coordinates_.importance)
        measured = data.pooled()
        highest = measured.x_dot if self.order == 1 else measured.x_ddot
        for column, values in ((0, measured.x), (1, highest)):
            if values is not None:
                lost = lost_share(values, self.coordinates_.basis)
                found[:, column] = found[:, column] * (1 - lost) + lost
        return found

    def member(self, index: int | None = None) -> Autoencoder:
        """Return one member's model, by default the best one's; it takes and gives scaled modes."""
        self._check_fitted()
        return member(self.models_, self.best if index is None else index)

    def _reduced(self, x: Any) -> Float[np.ndarray, "*batch mode"]:
        self._check_fitted()
        values = np.asarray(x, np.float64)
        dimension = self.coordinates_.basis.shape[0]
        if values.ndim == 0 or values.shape[-1] != dimension:
            raise DataError(f"x: expected a last axis of {dimension}, as in fit; got shape {values.shape}.")
        return self.coordinates_.reduce(values)

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

    for name in ("latent", "members"):
        expect(name, whole(getattr(estimator, name), 1), "an integer of at least 1")
    widths = estimator.widths
    listed = isinstance(widths, Sequence) and not isinstance(widths, str) and all(whole(w, 1) for w in widths)
    expect("widths", listed, "widths of at least 1, e.g. (64, 32)")
    expect("order", estimator.order in (1, 2), "1 or 2")
    expect("degree", whole(estimator.degree, 0), "an integer of at least 0")
    expect("seed", whole(estimator.seed, 0) and estimator.seed < 2**32, "an integer from 0 to 2**32 - 1")
    modes = estimator.modes
    expect("modes", modes is None or modes == "auto" or whole(modes, 1), "a number of modes, 'auto' or None")
    known = ("auto", "spline", "smoothing-spline")
    expect("derivative", estimator.derivative in known, f"one of {', '.join(known)}")
    expect("effort", 0 < estimator.effort < np.inf, "a positive number")
    expect("share", 0 < estimator.share < 1, "a share between 0 and 1 to hold out")
    along_curve = estimator.recipe is not None and estimator.recipe.curve
    expect("latent", not along_curve or estimator.latent == 1, "1, since the recipe begins along a curve")


def _held_out(motion: Motion, share: float) -> tuple[Motion, Motion]:
    """Split off the last trajectories, or where there are few the last rows."""
    trajectories, rows, _ = motion.value.shape
    if trajectories >= 5:
        cut = trajectories - max(1, round(share * trajectories))
        sides = (slice(0, cut), slice(None)), (slice(cut, None), slice(None))
    else:
        cut = rows - max(2, round(share * rows))
        sides = (slice(None), slice(0, cut)), (slice(None), slice(cut, None))
    return motion.map(lambda part: part[sides[0]]), motion.map(lambda part: part[sides[1]])


def _thinned(motion: Motion, most: int) -> Motion:
    """At most so many samples of a motion, below each other."""
    samples = pooled(motion)
    step = -(-len(samples.value) // most)
    return samples.map(lambda part: part[::step])

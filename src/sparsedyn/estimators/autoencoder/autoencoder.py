"""Coordinates and their governing equations together, as a scikit-learn-compatible estimator."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd

from sparsedyn._warnings import Report
from sparsedyn.data.clock import sampling_time
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._inputs import snapshots_of
from sparsedyn.estimators._progress import phase_bar
from sparsedyn.estimators.autoencoder._files import arrays_of, models_from
from sparsedyn.estimators.autoencoder._fitted import AbstractLatentDynamics
from sparsedyn.estimators.autoencoder._jets import jet_of, pooled, split
from sparsedyn.estimators.autoencoder._judging import Judged, OnErrors, checked, judged, table_of_errors
from sparsedyn.estimators.autoencoder._members import drawn
from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.estimators.autoencoder._reduction import Reduction, reduction_of
from sparsedyn.estimators.autoencoder._settings import RULES, Settings, settings_of
from sparsedyn.estimators.autoencoder._training import Trained, trained
from sparsedyn.models import Library
from sparsedyn.models.library import check_terms
from sparsedyn.training import Checkpoint


class SINDyAutoencoder(AbstractLatentDynamics):
    """Finds few coordinates of high-dimensional measurements, and a sparse differential equation that they obey.

    An ensemble of autoencoders is trained, each with an equation of its own between its split; the terms of equations
    are candidates of a library, thinned out in training. Members are ranked without knowing the truth (`ranking_`).

    Parameters
    ----------
    latent : number of coordinates.
    widths : hidden layers of the encoder; the decoder has them in reverse.
    order : 1 for `z' = f(z)`, 2 for `z'' = f(z, z')`.
    degree, sine : the library: monomials up to this degree, and sines of its variables.
    members, seed : autoencoders that are trained, and the seed of their weights.
    modes : how many modes `x` is reduced to first (POD): a number, `auto`, or `None` for none; `auto` takes
        as many as restore `x` and its derivatives. Errors keep their meaning: modes are orthonormal.
    derivative : how missing derivatives are estimated: `spline`, `smoothing-spline`, or `auto`, by how noisy `x` looks.
    recipe : a `Recipe` of phases from `sparsedyn.estimators.autoencoder`; `None` for the default: `geodesic()` for
        equations of second order of one variable, `projected()` for all others. `effort` multiplies its steps.
    share : of trajectories (or, if there are fewer than five, of rows at the end) that are held out to judge members.

    Attributes after `fit`: `models_` (stacked members), `coordinates_`, `coefficients_` (member, term, latent; float64,
    zero where there is no term), `ranking_` (a table, best first), `best`, `alive_`, `states_` (held-out latent states
    of every member), `histories_`, `report_` (what the checks at the end of the fit found; each
    finding is also a `SparsedynWarning`), `dt_`.

    Source: Champion et al. 2019. Differs from it by default: projected coefficients, contributions instead of raw
    coefficients, linear parts, relative errors; `sparsedyn.estimators.autoencoder.published` is the published recipe.
    """

    _rules = RULES

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
        `on_errors` is called now and then with the share of training that is done, and a function that returns the
        held-out errors of all members at that moment, and their `terms`; what it raises ends training. Raises
        `DataError` for data, `ValueError` for parameters that cannot be used.
        """
        self.check_parameters()
        settings = self.settings()
        data = snapshots_of(x, t, x_dot, x_ddot)
        reduction = reduction_of(data, settings.modes, settings.latent)
        train, held_out = split(jet_of(data, reduction, settings.order, settings.derivative), settings.share)
        keys = jax.random.split(jax.random.key(settings.seed), settings.members)
        models = drawn(len(reduction.scale), settings.library, settings.order, settings.widths, settings.recipe, keys)
        with phase_bar("SINDy autoencoder", progress) as draw:
            found = trained(
                models,
                pooled(train),
                settings.recipe,
                importance=reduction.importance,
                keys=keys,
                seed=settings.seed,
                checkpoint=checkpoint,
                on_progress=on_progress or draw,
                on_models=None
                if on_errors is None
                else lambda share, read: on_errors(
                    share, lambda: table_of_errors(read(), held_out, reduction.importance)
                ),
            )
        ranked = judged(found.models, found.alive, held_out, reduction.importance, data.dt)
        self._adopt(found, ranked, reduction, data.dt)
        names = [f"{name}'" if settings.order == 1 else f"{name}''" for name in self.latent_names_]
        self.report_ = checked(self.ranking_, self.alive_, self.coefficients_, names)
        self.report_.warn()
        return self

    def settings(self) -> Settings:
        """Return the parameters in one form each; raises `ValueError` for a recipe of another number of variables."""
        return settings_of(self.get_params(deep=False))

    @property
    def library_(self) -> Library:
        """The candidate terms: of the latent variables, for `order` 2 and of their velocities."""
        # Parameters may have been set since the fit.
        return self.models_.library if self.__sklearn_is_fitted__() else self.settings().library

    @property
    def _order(self) -> int:
        return self.models_.order if self.__sklearn_is_fitted__() else self.order

    def _check_combination(self) -> None:
        self.settings()

    def _adopt(self, found: Trained, ranked: Judged, reduction: Reduction, dt: float) -> "SINDyAutoencoder":
        """Become what was trained: only now, so that an earlier fit outlives one that fails."""
        self.models_, self.coefficients_, self.alive_ = found.models, found.coefficients, found.alive
        self.histories_ = found.histories
        self.ranking_, self.states_ = ranked
        self.coordinates_, self.dt_ = reduction, dt
        return self

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        models, library = self.models_, self.library_
        # Parameters that arrays depend on as they were at the fit: they may have been set since.
        structure = {
            "latent": self._latent,
            "order": models.order,
            "degree": library.degree,
            "sine": bool(library.functions),
            "widths": [int(weights.shape[-1]) for weights in models.encoder.weights[:-1]],
            "members": len(self.alive_),
        }
        header = {
            # Of a recipe, only the network is kept.
            "parameters": {**self.get_params(deep=False), "recipe": None, **structure},
            "activation": models.encoder.activation,
            "linear": models.encoder.linear is not None,
            "dt": self.dt_,
            "truncation": self.coordinates_.truncation,
            "ranking": self.ranking_.to_dict(orient="list"),
            "histories": self.histories_,
            **self.report_.to_header(),
        }
        own = {"basis": self.coordinates_.basis, "scale": self.coordinates_.scale}
        fitted = {"coefficients": self.coefficients_, "alive": self.alive_, "states": self.states_}
        return arrays_of(models) | own | fitted, header

    @classmethod
    def _from_file(cls, stored: Stored) -> "SINDyAutoencoder":
        header, arrays = stored.header, stored.arrays
        estimator = cls(**{**header["parameters"], "widths": tuple(header["parameters"]["widths"])})
        estimator._check_rules("latent", "order", "degree", "members", "widths")
        terms = len(stored.array("coefficients", estimator.members, None, estimator.latent)[0])
        check_terms(estimator.order * estimator.latent, estimator.degree, terms)
        stored.array("states", estimator.members, None, estimator.order * estimator.latent)
        if arrays["alive"].dtype != bool or arrays["alive"].shape != (estimator.members,):
            raise ValueError(f"alive: a truth value per member expected; got {arrays['alive'].dtype}")
        if sorted(header["ranking"]["member"]) != list(range(estimator.members)):
            raise ValueError(f"ranking: every one of {estimator.members} members expected once")
        modes = len(stored.array("scale", None))
        reduction = Reduction(stored.array("basis", None, modes), arrays["scale"], float(header["truncation"]))
        network = Recipe((), activation=header["activation"], linear=header["linear"])
        models = models_from(arrays, len(reduction.scale), estimator.settings(), network)
        found = Trained(models, arrays["coefficients"], arrays["alive"], header["histories"])
        estimator.report_ = Report.from_header(header)
        return estimator._adopt(
            found, Judged(pd.DataFrame(header["ranking"]), arrays["states"]), reduction, sampling_time(header["dt"])
        )

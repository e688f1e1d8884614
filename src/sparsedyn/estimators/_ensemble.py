"""Ensembles of right-hand sides that are stepped through time at the sample time of their training."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import Scaling, Trajectories
from sparsedyn.equations import standardized, strength
from sparsedyn.estimators import _report as checks
from sparsedyn.estimators._dynamics import AbstractDynamics
from sparsedyn.estimators._inputs import Recorded
from sparsedyn.estimators._known import Known
from sparsedyn.estimators._runs import judged, stretches
from sparsedyn.estimators._states import steps_at
from sparsedyn.forecast import Forecast, forecast, rollout
from sparsedyn.forecast.rollout import outputs
from sparsedyn.models import AbstractModel


class AbstractEnsemble(AbstractDynamics):
    """A fitted ensemble of right-hand sides, integrated step by step.

    Attributes after `fit`: `models_` (stacked), `scaling_`, `variables_`, `alive_`, `known_`.
    """

    precision = "float32"
    """Of the steps of simulations and forecasts."""

    method: str
    models_: AbstractModel
    scaling_: Scaling
    alive_: Bool[np.ndarray, " member"]
    time_: str
    known_: Known | None
    _fitted = "models_"

    def forecast(self, data: Any, *, scaling: Scaling | None = None, check_units: bool = True) -> Forecast:
        """Roll every member forward over every trajectory, from its first row under its recorded inputs.

        Variables and errors are standardized by `scaling`, by default that of the training data. Values that look like
        another unit raise `DataError` unless `check_units` is off. The forecasts of a member that died in training are
        NaN and count as diverged.
        """
        made = forecast(
            self.models_,
            self._known(data, check_units=check_units),
            scaling=self.scaling_ if scaling is None else scaling,
            method=self._advance,
            precision=self.precision,
            std=self._measured.x_std if scaling is None else scaling.x_std,
            known=self._added,
        )
        made.predicted[~self.alive_] = np.nan
        return self._with_bands(made)

    def dependence(self, data: Trajectories) -> Float[np.ndarray, "member output feature"]:
        """Return how strongly every derivative depends on every state and input (states first), at samples of `data`.

        In standard deviations of the derivative, without its known part; see `sparsedyn.equations.total_effect`.
        """
        known = self._known(data, check_units=False)
        return strength(self.models_, *standardized(known, self.scaling_))

    def _checked(self, given: Recorded, of_data: Sequence[Finding | None] | None = None) -> Report:
        """Return what is doubtful about a fit, judged by free runs from rows of validation data if there are any.

        `of_data` is what the checks of that name find in the same data, where that is known.
        """
        data, runs = given.data, list[Finding]()
        judging, source = data, "rows of the training data"
        if given.validation is not None:
            judging, source = given.validation, "rows of the validation data"
        if self.alive_.any():
            rows, given_rows = stretches(judging), self.delays_.rows + 1
            if self.delays_.rows:
                found = self.delays_.rolled(self._derivatives, rows.states[:, :given_rows], rows.inputs)
            else:
                found = self._integrate(rows.states[:, 0], judging.dt * np.arange(rows.there.shape[1]), rows.inputs)
            measured = rows.states[:, given_rows:]
            there = np.broadcast_to(rows.there[:, given_rows:, None], measured.shape)
            runs = judged(data.state_names, found[self.alive_][:, :, given_rows:], measured, there, source)
        mapped = self.time_ == "discrete"
        said = checks.of_data(data, mapped=mapped, delayed=bool(self.delays_.rows)) if of_data is None else of_data
        few = checks.too_coarse(data, said) if runs and not mapped else None
        return checks.report_of([checks.died(self.alive_), *self._idle(data), *said, few, *runs])

    def _idle(self, data: Trajectories) -> list[Finding]:
        """Return findings for states whose derivatives depend on nothing though they change."""
        return []

    @property
    def _added(self) -> Callable[..., np.ndarray] | None:
        """The known part, to which outputs of the models are added."""
        return None if self.known_ is None else self.known_.values

    @property
    def _advance(self) -> str:
        """How forecasts go from row to row."""
        return self.method

    @property
    def _measured(self) -> Scaling:
        return self.scaling_

    def _derivatives(
        self, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
    ) -> Float[np.ndarray, "member sample state"]:
        scaling = self.scaling_
        with jax.enable_x64(True) if self.precision == "float64" else nullcontext():
            z = ((x - scaling.x_mean) / scaling.x_std).astype(self.precision)
            v = ((u - scaling.u_mean) / scaling.u_std).astype(self.precision)
            models = jax.tree.map(lambda leaf: jnp.asarray(leaf) if eqx.is_array(leaf) else leaf, self.models_)
            every = jnp.broadcast_to(z, (len(self.alive_), *z.shape))
            found = np.asarray(outputs(models, every, jnp.asarray(v)), np.float64) * scaling.dx_std + scaling.dx_mean
        if self._added is not None:
            found = found + self._added(x, u)
        found[~self.alive_] = np.nan
        return found

    def _integrate(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        inputs: Float[np.ndarray, "trajectory time input"],
    ) -> Float[np.ndarray, "member trajectory time state"]:
        states = rollout(
            self.models_,
            start,
            inputs,
            scaling=self.scaling_,
            dt=float(times[1]) if len(times) > 1 else self.dt_,
            method=self._advance,
            precision=self.precision,
            known=self._added,
        )
        states[~self.alive_] = np.nan
        return states

    def _clock(self, times: Float[np.ndarray, " time"]) -> tuple[Float[np.ndarray, " step"], np.ndarray]:
        return steps_at(times, self.dt_)

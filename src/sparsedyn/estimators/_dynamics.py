"""What every estimator of dynamics does once it is fitted: simulate, forecast, score."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.equations import standardized, strength
from sparsedyn.estimators._checks import (
    Variables,
    check_alike,
    check_plausible,
    check_trajectories,
    simulation_arrays,
)
from sparsedyn.forecast import Forecast, forecast, rollout
from sparsedyn.models import AbstractModel


class AbstractStepper(BaseEstimator):
    """A fitted ensemble of right-hand sides, integrated step by step.

    Attributes after `fit`: `models_` (stacked), `scaling_`, `variables_`, `alive_`.
    """

    precision = "float32"
    """Of the steps of simulations and forecasts."""

    method: str
    models_: AbstractModel
    scaling_: Scaling
    variables_: Variables
    alive_: Bool[np.ndarray, " member"]

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one file, atomically."""

    def simulate(
        self,
        x0: Float[np.ndarray, "*trajectory state"] | Sequence[float],
        inputs: Float[np.ndarray, "*trajectory time input"] | None = None,
        *,
        steps: int | None = None,
    ) -> xr.DataArray:
        """Return forecasts (member, trajectory, time, state) from `x0` under `inputs`, in the data's units.

        `x0` (state,) with `inputs` (time, input) is one trajectory, and the result has no trajectory axis.
        Row 0 is `x0`; the input of row i acts from row i to i + 1. A plant without inputs takes `steps` rows
        instead.
        """
        self._check_fitted()
        start, forcing = simulation_arrays(self.variables_, x0, inputs, steps)
        states = rollout(
            self.models_,
            start,
            forcing,
            scaling=self.scaling_,
            dt=self.dt_,
            method=self.method,
            precision=self.precision,
        )
        states[~self.alive_] = np.nan
        result = xr.DataArray(
            states,
            dims=("member", "trajectory", "time", "state"),
            coords={"time": np.arange(states.shape[2]) * self.dt_, "state": list(self.state_names_)},
        )
        return result.isel(trajectory=0) if np.ndim(x0) == 1 else result

    def forecast(self, data: Trajectories, *, scaling: Scaling | None = None, check_units: bool = True) -> Forecast:
        """Roll every member forward over every trajectory, from its first row under its recorded inputs.

        Variables and errors are standardized by `scaling`, by default that of the training data. Values that look like
        another unit raise `DataError` unless `check_units` is off. The forecasts of a member that died in training are
        NaN and count as diverged.
        """
        self._check_fitted()
        check_trajectories(data, "data")
        check_alike(self.variables_, data, "data")
        if check_units:
            check_plausible(self._measured, data)
        made = forecast(
            self.models_,
            data,
            scaling=self.scaling_ if scaling is None else scaling,
            method=self.method,
            precision=self.precision,
            std=self._measured.x_std if scaling is None else scaling.x_std,
        )
        made.predicted[~self.alive_] = np.nan
        return made

    def score(
        self,
        data: Trajectories,
        horizons: Sequence[int] = (100, 1000),
        *,
        reading: str = "absolute",
        check_units: bool = True,
    ) -> pd.DataFrame:
        """Return a table of `horizon`, `diverged` (share), `rfmse`, `rfmse_std` and 95 % intervals.

        See `Forecast.score`, whose `reading` this takes.
        """
        return self.forecast(data, check_units=check_units).score(horizons, reading=reading)

    def dependence(self, data: Trajectories) -> Float[np.ndarray, "member output feature"]:
        """Return how strongly every derivative depends on every state and input (states first), at samples of `data`.

        In standard deviations of the derivative; see `sparsedyn.equations.total_effect`.
        """
        self._check_fitted()
        check_trajectories(data, "data")
        check_alike(self.variables_, data, "data")
        return strength(self.models_, *standardized(data, self.scaling_))

    @property
    def dt_(self) -> float:
        """The sample time of the training data."""
        self._check_fitted()
        return self.variables_.dt

    @property
    def state_names_(self) -> tuple[str, ...]:
        """The names of the states."""
        self._check_fitted()
        return self.variables_.state_names

    @property
    def input_names_(self) -> tuple[str, ...]:
        """The names of the inputs."""
        self._check_fitted()
        return self.variables_.input_names

    @property
    def _measured(self) -> Scaling:
        """Means and standard deviations of the training data, in which errors are counted."""
        return self.scaling_

    def _check_fitted(self) -> None:
        if not hasattr(self, "models_"):
            name = type(self).__name__
            raise NotFittedError(f"{name}: not fitted yet. Call fit(data) first, or sparsedyn.load(path).")

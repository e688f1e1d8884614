"""Forecasts with the truth, and their scores."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn._warnings import Report
from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.forecast.intervals import bootstrap_mean, bootstrap_share, spread
from sparsedyn.forecast.metrics import Scores, deviation, forecast_scores, pad, skill, valid_time
from sparsedyn.forecast.rollout import rollout
from sparsedyn.models import AbstractModel

NOTHING = Report()


class Forecast:
    """Rolling forecasts of every member over every trajectory, from its first row under its recorded inputs.

    Attributes: `predicted` (member, trajectory, time, state) and `truth` (trajectory, time, state), in the
    data's units, short trajectories padded with NaN; `data`, the trajectories; `std`, the training data's
    standard deviations, in which errors are counted; `warmup`, how many first rows the model was shown, which are not
    scored; `report`, what is to be known about the forecasts.
    """

    def __init__(
        self,
        predicted: Float[np.ndarray, "member trajectory time state"],
        data: Trajectories,
        std: Float[np.ndarray, " state"],
        *,
        warmup: int = 0,
        report: Report = NOTHING,
    ):
        self.warmup = warmup
        self.report = report
        self.predicted = predicted
        self.data = data
        self.std = std
        self.truth = pad(data.states, np.nan)

    @property
    def inputs(self) -> Float[np.ndarray, "trajectory time input"]:
        """The inputs, padded with NaN."""
        return pad(self.data.inputs, np.nan)

    @property
    def dt(self) -> float:
        """The sample time."""
        return self.data.dt

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the states."""
        return self.data.state_names

    @property
    def state_units(self) -> tuple[str, ...]:
        """The units of the states."""
        return self.data.state_units

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the trajectories."""
        return self.data.labels

    @cached_property
    def error(self) -> Float[np.ndarray, "member trajectory time state"]:
        """Absolute errors in training standard deviations; infinite where a forecast is not finite."""
        return deviation(self.predicted, self.truth, self.std)

    @property
    def _scored(self) -> Float[np.ndarray, "member trajectory time state"]:
        """The errors after the warm-up."""
        return self.error[:, :, self.warmup :]

    def scores(self, horizon: int, *, reading: str = "absolute") -> Scores:
        """Return RFMSE and divergence of every forecast over the first `horizon` rows after the warm-up."""
        return forecast_scores(self._scored, horizon, reading=reading)

    def score(self, horizons: Sequence[int], *, reading: str = "absolute", level: float = 0.95) -> pd.DataFrame:
        """Return one row per horizon: share diverged and RFMSE (mean, standard deviation over the forecasts
        that did not diverge), with bootstrap intervals over members and trajectories.
        """
        if not isinstance(horizons, Iterable) or isinstance(horizons, str):
            raise DataError(f"horizons: expected a list of numbers of rows such as [100, 1000]; got {horizons!r}.")
        rows = []
        for horizon in horizons:
            rfmse, diverged = self.scores(int(horizon), reading=reading)
            share = bootstrap_share(diverged, level=level)
            mean = bootstrap_mean(rfmse, level=level)
            rows.append(
                {
                    "horizon": int(horizon),
                    "forecasts": diverged.size,
                    "diverged": share.value,
                    "diverged_low": share.low,
                    "diverged_high": share.high,
                    "rfmse": mean.value,
                    "rfmse_std": spread(rfmse),
                    "rfmse_low": mean.low,
                    "rfmse_high": mean.high,
                }
            )
        return pd.DataFrame(rows)

    def skill(self) -> Float[np.ndarray, "member trajectory"]:
        """Return a score of every forecast over its whole trajectory, from 0 (diverged) to 1 (perfect)."""
        return skill(self._scored)

    def rmse(self) -> Float[np.ndarray, " state"]:
        """Return root mean squared errors in the data's units, over all members, trajectories and rows after the
        warm-up; infinite where a forecast ran off to infinity.
        """
        with np.errstate(over="ignore"):
            mean: Float[np.ndarray, " state"] = np.nanmean(np.square(self._scored), axis=(0, 1, 2))
        return np.sqrt(mean) * self.std

    def valid_time(self) -> Float[np.ndarray, "member trajectory"]:
        """Return how long every forecast stays within 0.4 standard deviations (root mean square)."""
        return valid_time(self._scored, self.dt)

    def to_xarray(self) -> xr.Dataset:
        """Return predictions and truth with named axes; time counts from each trajectory's first row."""
        rows = self.truth.shape[1]
        return xr.Dataset(
            {
                "predicted": (("member", "trajectory", "time", "state"), self.predicted),
                "truth": (("trajectory", "time", "state"), self.truth),
            },
            coords={
                "member": np.arange(len(self.predicted)),
                "trajectory": list(self.labels),
                "time": np.arange(rows) * self.dt,
                "state": list(self.state_names),
            },
        )


def forecast(
    models: AbstractModel,
    data: Trajectories,
    *,
    scaling: Scaling,
    method: str = "euler",
    precision: str = "float32",
    std: Float[np.ndarray, " state"] | None = None,
) -> Forecast:
    """Roll stacked `models` forward over every trajectory of `data`.

    Errors are counted in `std`, by default the standard deviations of the `scaling` that the models see.
    """
    x0 = np.stack([states[0] for states in data.states])
    # Past the end of a short trajectory nothing is scored; the mean input keeps the padding harmless.
    inputs = pad(data.inputs, np.nan)
    inputs = np.where(np.isnan(inputs), np.asarray(scaling.u_mean), inputs)
    predicted = rollout(models, x0, inputs, scaling=scaling, dt=data.dt, method=method, precision=precision)
    return Forecast(predicted, data, np.asarray(scaling.x_std if std is None else std))

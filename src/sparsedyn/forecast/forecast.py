"""Forecasts with the truth, and their scores."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.forecast.calibration import Calibration, middle_of
from sparsedyn.forecast.intervals import bootstrap_mean, bootstrap_share, spread
from sparsedyn.forecast.metrics import DIVERGED_ABOVE, Scores, deviation, forecast_scores, pad, skill, valid_time
from sparsedyn.forecast.rollout import Known, rollout
from sparsedyn.models import AbstractModel

NOTHING = Report()
POINT = 48
"""Bytes of a forecast state at a row: forecast, deviation, and what comes between."""


class Forecast:
    """Rolling forecasts of every member over every trajectory, from its first row under its recorded inputs.

    Attributes: `predicted` (member, trajectory, time, state) and `truth` (trajectory, time, state), in the
    data's units, short trajectories padded with NaN; `data`, the trajectories; `std`, the training data's
    standard deviations, in which errors are counted; `warmup`, how many first rows the model was shown, which are not
    scored; `calibration`, what bands are made from, `None` for a model that was not calibrated.
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
        self._said = report
        self.predicted = predicted
        self.data = data
        self.std = std
        self.truth = pad(data.states, np.nan)
        self.calibration: Calibration | None = None

    @property
    def inputs(self) -> Float[np.ndarray, "trajectory time input"]:
        """The inputs, padded with NaN."""
        return pad(self.data.inputs, np.nan)

    @property
    def dt(self) -> float:
        """The sample time."""
        return self.data.dt

    @property
    def seconds(self) -> Float[np.ndarray, "trajectory time"]:
        """The times of the rows since the first, NaN past the end of short trajectories."""
        if self.data.regular:
            return np.tile(np.arange(self.truth.shape[1]) * self.dt, (len(self.labels), 1))
        return pad([time[:, None] - time[0] for time in self.data.time], np.nan)[..., 0]

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
    def report(self) -> Report:
        """What is to be known about the forecasts, as that some diverged."""
        lost, count = int(np.sum(self.skill() == 0.0)), self.predicted.shape[0] * self.predicted.shape[1]
        if not lost:
            return self._said
        message = (
            f"{lost} of {count} forecasts (members x trajectories) diverged: the mean error of a state is beyond "
            f"{DIVERGED_ABOVE:g} standard deviations. `rmse` counts them, RFMSE leaves them out. Train longer, with "
            "fewer weights or an L1 penalty, or on more data."
        )
        return Report((*self._said, Finding("diverged", message)))

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

        For a calibrated model, also what its bands hold, `covered`, `covered_last` and `trusted` as in `coverage`; NaN
        at horizons beyond the calibrated rows.
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
        table = pd.DataFrame(rows)
        if not self.has_bands:
            return table
        reached = [horizon for horizon in table["horizon"] if 1 < horizon <= self.reach]
        return table.merge(self.coverage(reached), on="horizon", how="left")

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
        times = self.seconds[:, self.warmup :]
        last = valid_time(self._scored, 1.0).astype(int)
        return times[np.arange(len(times)), last] - times[:, 0]

    @property
    def has_bands(self) -> bool:
        """Whether the model was calibrated, with the warm-up of these forecasts, which count regular rows."""
        calibrated = self.calibration is not None and max(1, self.warmup) == int(self.calibration.edges[0])
        return calibrated and self.data.regular

    @property
    def reach(self) -> int:
        """How many rows after the warm-up have bands, for a calibrated model."""
        return min(self.truth.shape[1], int(self._calibrated().edges[-1])) - self.warmup

    def bands(self) -> xr.Dataset:
        """Return `lower`, `middle` and `upper` (trajectory, time, state), and `trust` (trajectory, time).

        The band holds a row with the probability that the model was calibrated for, on average over neighbouring rows
        and over trajectories like those of calibration, each state for itself. It has no height at rows that are given,
        the first one or those of the warm-up, and is NaN beyond the rows of calibration. `trust` is whether the
        forecast and the inputs of a row are as near to the training data as 99 % of calibration rows are. Raises
        `ValueError` without calibration, or for another warm-up than in calibration.
        """
        calibration = self._calibrated()
        if not self.data.regular:
            raise ValueError("bands: expected regular times, since bands count rows; got irregular ones. Resample.")
        if not self.has_bands:
            raise ValueError(
                f"bands: expected a warm-up of {calibration.edges[0]} rows, as in calibration; got {self.warmup}. "
                "Calibrate with trajectories as long as these, or give forecast the same warmup."
            )
        middle = middle_of(self.predicted)
        width = calibration.width(middle)
        dims = ("trajectory", "time", "state")
        return xr.Dataset(
            {
                "lower": (dims, middle.value - width),
                "middle": (dims, middle.value),
                "upper": (dims, middle.value + width),
                "trust": (dims[:2], calibration.trust(middle.value, self.inputs)),
            },
            coords={
                "trajectory": list(self.labels),
                "time": np.arange(self.truth.shape[1]) * self.dt,
                "state": list(self.state_names),
            },
            attrs={"coverage": calibration.coverage},
        )

    def coverage(self, horizons: Sequence[int]) -> pd.DataFrame:
        """Return which share of recorded values the bands hold, up to each horizon and in its last tenth.

        Horizons count rows after the warm-up. The columns are `horizon`, `covered`, `covered_last` and `trusted`, the
        share of rows that are. Rows that are given are not counted. Raises `DataError` for horizons beyond the
        calibrated rows or the longest trajectory.
        """
        bands = self.bands()
        given = max(1, self.warmup) - self.warmup
        inside = (self.truth >= bands["lower"].to_numpy()) & (self.truth <= bands["upper"].to_numpy())
        there = ~np.isnan(self.truth)
        rows = []
        for horizon in horizons:
            if not given < horizon <= self.reach:
                raise DataError(f"horizons: expected {given + 1} to {self.reach} rows, as calibrated; got {horizon}.")
            first, end = self.warmup + given, self.warmup + horizon
            last = slice(max(first, end - max(1, horizon // 10)), end)
            parts = {"covered": slice(first, end), "covered_last": last}
            shares = {name: float(inside[:, part][there[:, part]].mean()) for name, part in parts.items()}
            trusted = bands["trust"].to_numpy()[:, first:end][there[:, first:end, 0]]
            rows.append({"horizon": int(horizon), **shares, "trusted": float(trusted.mean())})
        return pd.DataFrame(rows, columns=["horizon", "covered", "covered_last", "trusted"])

    def _calibrated(self) -> Calibration:
        if self.calibration is None:
            raise ValueError("bands: expected a calibrated model; got none. Call model.calibrate(validation) first.")
        return self.calibration

    def to_xarray(self) -> xr.Dataset:
        """Return predictions, truth and calibrated bands with named axes; time counts from the first row.

        At irregular times `time` numbers the rows, and the coordinate `seconds` (trajectory, time) has their times.
        """
        rows = self.truth.shape[1]
        made = xr.Dataset(
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
        if not self.data.regular:
            made = made.assign_coords(time=np.arange(rows), seconds=(("trajectory", "time"), self.seconds))
        return made.merge(self.bands()) if self.has_bands else made


def forecast(
    models: AbstractModel,
    data: Trajectories,
    *,
    scaling: Scaling,
    method: str = "euler",
    precision: str = "float32",
    std: Float[np.ndarray, " state"] | None = None,
    known: Known | None = None,
) -> Forecast:
    """Roll stacked `models` forward over every trajectory of `data`.

    Errors are counted in `std`, by default the standard deviations of the `scaling` that the models see. `known` is
    what their outputs are added to; see `rollout`.
    """
    x0 = np.stack([states[0] for states in data.states])
    # Past the end of a short trajectory nothing is scored; the mean input keeps the padding harmless.
    inputs = pad(data.inputs, np.nan)
    inputs = np.where(np.isnan(inputs), np.asarray(scaling.u_mean), inputs)
    predicted = rollout(
        models, x0, inputs, scaling=scaling, dt=data.dt, method=method, precision=precision, known=known
    )
    return Forecast(predicted, data, np.asarray(scaling.x_std if std is None else std))

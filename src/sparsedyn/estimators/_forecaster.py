"""What all models of dynamics share: they forecast records, are judged by that, say what they found, and take data."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn._warnings import Report
from sparsedyn.data import Scaling, Trajectories
from sparsedyn.estimators._base import AbstractEstimator
from sparsedyn.estimators._checks import Variables, check_alike, check_plausible, check_regular, warn_of_sample_time
from sparsedyn.estimators._inputs import trajectories_like
from sparsedyn.forecast import Calibration, Forecast, calibrated


class AbstractForecaster(AbstractEstimator):
    """A model that forecasts what is measured of a plant under inputs; one, or an ensemble of members.

    What is returned has named axes (xarray) and behaves as an array. There is an axis `member` where there are several
    members, and an axis `trajectory` where what was given has one.
    """

    variables_: Variables
    report_: Report = Report()
    """What the checks at the end of the fit found; each finding is also a `SparsedynWarning`."""

    @abstractmethod
    def fit(self, *args: Any, **options: Any) -> Any:
        """Fit to `x`, `t`, `u`; see `estimators._inputs.trajectories_of` for what these may be."""

    @abstractmethod
    def forecast(self, data: Any, *, check_units: bool = True) -> Forecast:
        """Return forecasts of every trajectory under its recorded inputs."""

    def calibrate(self, validation: Any, coverage: float = 0.9, *, check_units: bool = True) -> Any:
        """Calibrate the bands of forecasts on trajectories that the model was not fitted to, and return the model.

        Afterwards `forecast(data).bands()` holds a row of a trajectory like these with this probability. It assumes
        that the trajectories to forecast and those of calibration are exchangeable, and needs
        `coverage / (1 - coverage)` of them, 9 for 90 %. Bands are as long as that many of the trajectories. The
        calibration is saved with the model and ends with the next fit.

        Raises `DataError` for data that do not fit, or too few trajectories.
        """
        forecast = self.forecast(validation, check_units=check_units)
        check_regular(forecast.data, "validation")
        made = calibrated(forecast.predicted, forecast.data, self._measured, float(coverage), warmup=forecast.warmup)
        self._calibration = made, vars(self)[self._fitted]
        return self

    @property
    def calibration_(self) -> Calibration | None:
        """What bands are made from; `None` for a fit that was not calibrated."""
        made, fit = vars(self).get("_calibration", (None, None))
        return made if fit is vars(self).get(self._fitted) else None

    def _with_bands(self, forecast: Forecast) -> Forecast:
        forecast.calibration = self.calibration_
        return forecast

    def _extras(self) -> dict[str, Any]:
        """Return what every file of models of dynamics has beside what the family writes."""
        calibration = {} if self.calibration_ is None else {"calibration": self.calibration_.to_dict()}
        return {**self.report_.to_header(), **calibration}

    def _restore_extras(self, header: Mapping[str, Any]) -> None:
        self.report_ = Report.from_header(header)
        if "calibration" in header:
            self._calibration = Calibration.from_dict(header["calibration"]), vars(self)[self._fitted]

    def evaluate(
        self,
        data: Any,
        horizons: Sequence[int] = (100, 1000),
        *,
        reading: str = "absolute",
        check_units: bool = True,
    ) -> pd.DataFrame:
        """Return a table of `horizon`, `diverged` (share), `rfmse`, `rfmse_std` and 95 % intervals.

        See `Forecast.score`, whose `reading` this takes. For a calibrated model, also what its bands hold: `covered`,
        `covered_last` (in the last tenth of a horizon) and `trusted`.
        """
        return self.forecast(data, check_units=check_units).score(horizons, reading=reading)

    def score(self, x: Any, t: Any = None, u: Any = None) -> float:
        """Return how good forecasts of whole trajectories are: 1 is perfect, 0 is diverged.

        One minus the mean, over members and trajectories, of RFMSE as a share of the limit of divergence; see
        `Forecast.skill`. It is finite for forecasts that diverged, so that scikit-learn can compare models by it.
        """
        self._check_fitted()
        data = trajectories_like(self.variables_, x, t, u)
        return float(np.mean(self.forecast(data, check_units=False).skill()))

    def print(self, digits: int = 3) -> None:
        """Print what was found: equations, or a summary of the ensemble."""
        self._check_fitted()
        print("\n".join(self._summary(digits)))

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
    def _integrated_names(self) -> tuple[str, ...]:
        """The names of what is simulated: the states, unless equations are of second order."""
        return self.state_names_

    @property
    def _any_times(self) -> bool:
        """Whether forecasts go to any times, not only from row to row of the training's sample time."""
        return False

    @property
    @abstractmethod
    def _measured(self) -> Scaling:
        """Means and standard deviations of the training data, in which errors are counted."""

    @abstractmethod
    def _summary(self, digits: int) -> list[str]:
        """Return the lines that `print` shows."""

    def _known(self, data: Any, *, check_units: bool) -> Trajectories:
        """Return data of the fitted variables, in their order, or raise `DataError`."""
        self._check_fitted()
        known = trajectories_like(self.variables_, data, place="data", irregular=self._any_times)
        check_alike(self.variables_._replace(dt=known.dt) if self._any_times else self.variables_, known, "data")
        if check_units:
            warn_of_sample_time(self.variables_, known)
            check_plausible(self._measured, known)
        return known

    def _labelled(
        self, values: Float[np.ndarray, "member *batch state"], dims: Sequence[str], coords: Mapping[str, Any]
    ) -> xr.DataArray:
        """Return values with named axes, without that of members where there is one."""
        result = xr.DataArray(
            values, dims=("member", *dims, "state"), coords={**coords, "state": list(self._integrated_names)}
        )
        return result.isel(member=0) if len(values) == 1 else result

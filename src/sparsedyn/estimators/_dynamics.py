"""Models of how measured states change: derivatives, simulation from any state, forecasts from the first row."""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators._checks import check_alike
from sparsedyn.estimators._delays import NO_DELAYS, Delays
from sparsedyn.estimators._forecaster import AbstractForecaster
from sparsedyn.estimators._inputs import is_own, own
from sparsedyn.estimators._states import driven, function_at, inputs_at, rows_of, start_of, times_of
from sparsedyn.estimators._warmup import endless, warm_up
from sparsedyn.forecast import Forecast, pad

BATCH = ("trajectory", "sample")
"""Axes of states before that of variables."""


class AbstractDynamics(AbstractForecaster):
    """A model of how states change under inputs, `dx/dt = f(x, u)`; one, or an ensemble of members.

    What is returned has named axes (xarray) and behaves as an array. There is an axis `member` where there are several
    members, and an axis `trajectory` where what was given has one.
    """

    _delays: Delays = NO_DELAYS

    @property
    def delays_(self) -> Delays:
        """Lags of states and inputs, and dead times of inputs; for most models none."""
        self._check_fitted()
        return self._delays

    def predict(self, x: Any, u: Any = None) -> Any:
        """Return the derivatives ([member], [trajectory], [sample], state) at states `x` under inputs `u`.

        `x` is ([trajectory], [sample], state), in the data's units, and `u` laid out as `x`. Columns of tables are
        found by their names. For `Trajectories`, or a list of trajectories, a list of results. With lags, samples are
        rows in their order, and there is NaN for the first of them, which have too few earlier ones.
        """
        self._check_fitted()
        if is_own(x):
            data = own(x)
            check_alike(self.variables_._replace(dt=data.dt), data, "x")
            x, u = list(data.states), list(data.inputs) if data.input_names else None
        runs = (
            isinstance(x, list | tuple) and len(x) and isinstance(x[0], np.ndarray) and len(self._integrated_names) == 1
        )
        if runs or (isinstance(x, list | tuple) and len(x) and np.ndim(x[0]) == 2):
            if u is not None and len(u) != len(x):
                raise DataError(f"u: expected inputs for each of {len(x)} trajectories, as x has; got {len(u)}.")
            return [self.predict(*pair) for pair in zip(x, [None] * len(x) if u is None else u, strict=True)]
        states, forcing = self._rows(x, u)
        if self.delays_.rows:
            return self._labelled(self._delayed(states, forcing), BATCH[len(BATCH) + 1 - states.ndim :], {})
        rows = math.prod(states.shape[:-1])
        found = self._derivatives(*(part.reshape(rows, part.shape[-1]) for part in (states, forcing)))
        return self._labelled(found.reshape(len(found), *states.shape), BATCH[len(BATCH) + 1 - states.ndim :], {})

    def simulate(self, x0: Any, t: Any, u: Any = None) -> xr.DataArray:
        """Return states ([member], [trajectory], time, state) from `x0` under the inputs `u`, in the data's units.

        `x0` is (state,), or (trajectory, state). `t` are times or dates, row 0 being that of `x0`, or a number of rows
        at the sample time of training. `u` is an array or a table ([trajectory], time, input), values that stay the
        same, or a function `u(t)` of the times as they are given, in seconds since the first where these are dates.
        The input of a row is held until the next, unless the model says otherwise. Inputs in the place of `t` are at
        the times of their index, or at the sample time of training.

        The result is always as long as `t`: rows after a state has run off to infinity are not finite. With lags, `x0`
        are the first rows, (row, state) or (trajectory, row, state), `delays_.rows + 1` of them or more, with which the
        result begins.
        """
        self._check_fitted()
        if u is None and not callable(t) and np.ndim(t) >= 2:
            dated = isinstance(t, pd.DataFrame) and t.index.dtype.kind in "fMm"
            t, u = t.index if dated else np.shape(t)[-2], t
        if self.delays_.rows:
            return self._continued(x0, t, u)
        start, several = start_of(x0, self._integrated_names)
        times, stamps = times_of(t, self.dt_)
        steps, rows = self._clock(times)
        if callable(u):
            found = self._integrate_under(start, steps, function_at(u, times[0], self.input_names_))[:, :, rows]
        else:
            forcing = inputs_at(u, times, self.input_names_, len(start), stamps)
            forcing = forcing[:, np.searchsorted(rows, np.arange(len(steps)), side="right") - 1]
            found = self._integrate(start, steps, forcing)[:, :, rows]
        result = self._labelled(found, ("trajectory", "time"), {"time": stamps})
        return result if several else result.isel(trajectory=0)

    def forecast(self, data: Any, *, check_units: bool = True) -> Forecast:
        """Return forecasts of every trajectory, from its first row under its recorded inputs.

        Values that look like another unit raise `DataError` unless `check_units` is off. The forecasts of a member that
        died in training are NaN and count as diverged.
        """
        known = self._known(data, check_units=check_units)
        predicted = self._along(known, np.stack([states[0] for states in known.states]))
        return self._with_bands(Forecast(predicted, known, np.asarray(self._measured.x_std)))

    def _along(
        self, known: Trajectories, start: Float[np.ndarray, "trajectory state"]
    ) -> Float[np.ndarray, "member trajectory time state"]:
        """Return free runs from `start` under the inputs of trajectories, at the times of their rows."""
        if known.regular:
            inputs = pad(known.inputs, 0.0)
            return self._integrate(start, np.arange(inputs.shape[1]) * known.dt, inputs)
        longest = max(known.lengths)
        found = []
        for x0, time, u in zip(start, known.time, known.inputs, strict=True):
            one = self._integrate(x0[None], time - time[0], u[None])
            found.append(np.pad(one, ((0, 0), (0, 0), (0, longest - len(time)), (0, 0)), constant_values=np.nan))
        return np.concatenate(found, axis=1)

    def _after(self, known: Trajectories, warmup: int | None) -> Forecast:
        """Return forecasts that begin with the recorded first rows, `warmup` of them, of a model with lags."""
        least = self.delays_.rows + 1
        warm = warm_up(warmup, least, known.lengths, least=least)
        first = np.stack([states[:warm] for states in known.states])
        predicted = self.delays_.rolled(self._derivatives, first, endless(known, self._measured))
        return self._with_bands(Forecast(predicted, known, np.asarray(self._measured.x_std), warmup=warm))

    def _delayed(
        self, x: Float[np.ndarray, "*batch sample state"], u: Float[np.ndarray, "*batch sample input"]
    ) -> Float[np.ndarray, "1 *batch sample state"]:
        """Return what follows each row, given those before it; NaN where there are too few."""
        rows = self.delays_.rows
        if x.ndim < len(BATCH) or x.shape[-2] <= rows:
            raise DataError(
                f"x: expected more than {rows} rows in their order, which the lags go back; got the shape {x.shape}."
            )
        columns = self.delays_.columns(x, u)
        now = x[..., rows:, :]
        found = np.full((1, *x.shape), np.nan)
        found[..., rows:, :] = self._derivatives(
            now.reshape(-1, now.shape[-1]), columns.reshape(-1, columns.shape[-1])
        ).reshape(1, *now.shape)
        return found

    def _continued(self, x0: Any, t: Any, u: Any) -> xr.DataArray:
        """Return states that begin with the rows `x0`, of a model with lags."""
        names, least = self._integrated_names, self.delays_.rows + 1
        given = rows_of(x0, names, "x0").astype(np.float64)
        if not (2 <= given.ndim <= 3 and given.shape[-2] >= least):
            raise DataError(
                f"x0: expected the first {least} rows or more, ([trajectory], row, state), since the model has lags; "
                f"got the shape {given.shape}."
            )
        first = given.reshape((1,) * (3 - given.ndim) + given.shape)
        forcing, rows, stamps = driven(t, u, self.dt_, self.input_names_, len(first))
        if first.shape[1] > forcing.shape[1]:
            raise DataError(f"x0: expected at most {forcing.shape[1]} rows, as t has; got {first.shape[1]}.")
        found = self.delays_.rolled(self._derivatives, first, forcing)[:, :, rows]
        result = self._labelled(found, ("trajectory", "time"), {"time": stamps})
        return result if given.ndim == 3 else result.isel(trajectory=0)

    @abstractmethod
    def _derivatives(
        self, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
    ) -> Float[np.ndarray, "member sample state"]:
        """Return the derivatives of every member."""

    @abstractmethod
    def _integrate(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        inputs: Float[np.ndarray, "trajectory time input"],
    ) -> Float[np.ndarray, "member trajectory time state"]:
        """Return the states of every member at times that count from zero."""

    def _integrate_under(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        u: Callable[[float], Float[np.ndarray, " input"]],
    ) -> Float[np.ndarray, "member trajectory time state"]:
        """Return the same under inputs that are a function of time: here its values at `times`, held until the next."""
        values = np.stack([u(float(time)) for time in times])
        return self._integrate(start, times, np.broadcast_to(values, (len(start), *values.shape)))

    def _clock(self, times: Float[np.ndarray, " time"]) -> tuple[Float[np.ndarray, " step"], np.ndarray]:
        """Return the times from zero at which inputs may change, and which of them are asked for: here just these."""
        return times - times[0], np.arange(len(times))

    def _rows(self, x: Any, u: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return states and inputs of as many rows."""
        names, input_names = self._integrated_names, self.input_names_
        if u is None and input_names and isinstance(x, pd.DataFrame) and set(input_names) <= set(x.columns):
            x, u = x.drop(columns=list(input_names)), x[list(input_names)]
        states = rows_of(x, names, "x").astype(np.float64)
        if u is None and input_names:
            raise DataError(f"u: expected {len(input_names)} columns, {list(input_names)}; got none.")
        inputs = rows_of(np.zeros((*states.shape[:-1], 0)) if u is None else u, input_names, "u").astype(np.float64)
        if states.ndim > 1 + len(BATCH):
            raise DataError(f"x: expected ([trajectory], [sample], state); got the shape {states.shape}.")
        if inputs.shape[:-1] != states.shape[:-1]:
            raise DataError(f"u: expected {states.shape[:-1]} rows, as x has; got {inputs.shape[:-1]}.")
        return states, inputs

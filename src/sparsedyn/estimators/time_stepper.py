"""Sparse neural time-steppers, with the face of a scikit-learn estimator."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float, Int
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.equations import count_nonzeros, reach, sparsity, standardized, strength
from sparsedyn.estimators import saving
from sparsedyn.estimators.checks import (
    Variables,
    check_alike,
    check_plausible,
    check_trajectories,
    simulation_arrays,
    variables_of,
)
from sparsedyn.estimators.progress import progress_bar
from sparsedyn.estimators.together import fit_together
from sparsedyn.forecast import Forecast, forecast, rollout
from sparsedyn.models import MLP
from sparsedyn.training import AbstractAverage, Fit


class SparseTimeStepper(BaseEstimator):
    """An ensemble of sparse networks from states and inputs to derivatives, integrated step by step.

    Parameters
    ----------
    hidden : widths of the hidden layers.
    technique : one sparsification technique or a list of them, e.g. `[L1(1e-4), MagnitudePruning(0.75)]`; names
        (`"l1"`) and dictionaries (`{"type": "l1", "weight": 1e-4}`) will do; empty is dense.
    activation, skip, bias, fan : the network's activation, whether its inputs feed every layer, whether layers
        have biases, whether first weights have the variance 2 / fan-`"in"` or 2 / fan-`"out"`.
    members : number of networks, trained at once from different initializations.
    epochs, batch, optimizer, learning_rate, schedule, drops, clip : passes over the data, samples a step, Optax
        optimizer by name, peak rate, `constant` / `cosine` / `step` or an Optax schedule, the fractions of training
        at which `step` divides the rate by ten, bound on the gradient's norm.
    average : `None`, `"swa"`, `"ema"`, or `SWA(...)` / `EMA(...)`.
    select : which weights since the last mask change are kept, with validation data: those of the least error in a
        rolling `"forecast"` of the validation trajectories, the `"best"` by one-step loss, or (as without validation
        data) the `"last"`. With an average, the weights are the running average. The one-step loss is no guide to long
        forecasts.
    derivative : how derivative targets are made: `forward`, `central`, `savgol`, `spline`.
    method : the integrator of forecasts, `euler` or `rk4`.
    shuffle : `"shared"` batches for all members (fast) or one order per `"member"`.
    patience : validations without gain before a member stops; `None` trains to the end.
    seed : of initialization, masks and batches.

    Attributes after `fit`: `models_`, `scaling_`, `nonzeros_` (per member), `weights_` (in each),
    `sparsity_`, `alive_`, `history_`, `dt_`, `steps_`, `state_names_`, `input_names_`.

    Source: Haugstvedt et al. 2023; Lundby et al. 2023.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64, 64),
        technique: object = (),
        *,
        activation: str = "relu",
        skip: bool = False,
        bias: bool = True,
        fan: Literal["in", "out"] = "in",
        members: int = 10,
        epochs: int = 60,
        batch: int = 128,
        optimizer: str = "adam",
        learning_rate: float = 2e-3,
        schedule: str | Callable[[int], float] = "cosine",
        drops: Sequence[float] = (0.4, 0.7, 0.9),
        clip: float | None = 1.0,
        average: str | AbstractAverage | None = None,
        select: Literal["forecast", "best", "last"] = "forecast",
        derivative: str = "forward",
        method: str = "euler",
        shuffle: Literal["shared", "member"] = "shared",
        patience: int | None = None,
        seed: int = 0,
    ):
        self.hidden = hidden
        self.technique = technique
        self.activation = activation
        self.skip = skip
        self.bias = bias
        self.fan = fan
        self.members = members
        self.epochs = epochs
        self.batch = batch
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.drops = drops
        self.clip = clip
        self.average = average
        self.select = select
        self.derivative = derivative
        self.method = method
        self.shuffle = shuffle
        self.patience = patience
        self.seed = seed

    def fit(
        self,
        data: Trajectories,
        validation: Trajectories | None = None,
        *,
        progress: bool | None = None,
        checkpoint: str | Path | None = None,
        check_units: bool = True,
    ) -> "SparseTimeStepper":
        """Train all members on `data`; with `validation` trajectories, keep the best weights (see `select`).

        `progress` draws a bar (default: on a terminal). A `checkpoint` path makes the run resumable after a
        kill. Raises `DataError` for data that cannot be trained on, `ValueError` for parameters out of range.
        """
        with progress_bar("training", progress) as on_progress:
            fit_together(
                [self], data, validation, on_progress=on_progress, checkpoint=checkpoint, check_units=check_units
            )
        return self

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
        states = rollout(self.models_, start, forcing, scaling=self.scaling_, dt=self.dt_, method=self.method)
        states[~self.alive_] = np.nan
        result = xr.DataArray(
            states,
            dims=("member", "trajectory", "time", "state"),
            coords={"time": np.arange(states.shape[2]) * self.dt_, "state": list(self.state_names_)},
        )
        return result.isel(trajectory=0) if np.ndim(x0) == 1 else result

    def forecast(self, data: Trajectories, *, check_units: bool = True) -> Forecast:
        """Roll every member forward over every trajectory, from its first row under its recorded inputs.

        Values that look like another unit raise `DataError` unless `check_units` is off. The forecasts of a member that
        died in training are NaN and count as diverged.
        """
        self._check_fitted()
        check_trajectories(data, "data")
        check_alike(self.variables_, data, "data")
        if check_units:
            check_plausible(self.scaling_, data)
        made = forecast(self.models_, data, scaling=self.scaling_, method=self.method)
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

    def reach(self) -> Bool[np.ndarray, "member output feature"]:
        """Return whether a state or input (states first) reaches a derivative along nonzero weights."""
        self._check_fitted()
        return reach(self.models_)

    def dependence(self, data: Trajectories) -> Float[np.ndarray, "member output feature"]:
        """Return how strongly every derivative depends on every state and input (states first), at samples of `data`.

        In standard deviations of the derivative; see `sparsedyn.equations.total_effect`.
        """
        self._check_fitted()
        check_trajectories(data, "data")
        check_alike(self.variables_, data, "data")
        return strength(self.models_, *standardized(data, self.scaling_))

    def save(self, path: str | Path) -> None:
        """Write the fitted ensemble to one safetensors file, atomically."""
        self._check_fitted()
        saving.save(self, path)

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
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """Weights (biases aside) that are not zero, per member."""
        self._check_fitted()
        return count_nonzeros(self.models_)

    @property
    def weights_(self) -> int:
        """Weights (biases aside) of one member, zero or not."""
        self._check_fitted()
        return sum(int(np.prod(w.shape[1:])) for w in self.models_.weights)

    @property
    def sparsity_(self) -> dict[str, Float[np.ndarray, " member"]]:
        """Share of zero weights, three ways: `exact`, `mask`, `small`."""
        self._check_fitted()
        return sparsity(self.models_, self.active_)

    def resolved_average(self) -> AbstractAverage | None:
        """Return the average as an object."""
        return self.average if isinstance(self.average, AbstractAverage) else saving.average_from_spec(self.average)

    def shape_key(self) -> tuple[Any, ...]:
        """Return what must be equal for runs to share one computation."""
        return (
            tuple(self.hidden), self.activation, self.skip, self.bias, self.fan, self.epochs, self.batch,
            self.optimizer, self.clip, self.derivative, self.shuffle, self.patience, self.seed, self.select,
            self.method,
        )  # fmt: skip

    def _adopt(self, result: Fit, scaling: Scaling, data: Trajectories, epoch: int) -> None:
        """Take over what was trained."""
        end = result.averaged if self.resolved_average() else result.last
        chosen = end if self.select == "last" else result.best
        if not isinstance(chosen, MLP):
            raise TypeError(f"models: expected MLPs; got {type(chosen).__name__}.")
        self.models_: MLP = chosen
        self.active_ = result.active
        self.scaling_ = scaling
        self.alive_ = result.alive
        self.steps_ = result.steps
        self.variables_: Variables = variables_of(data)
        self.history_ = _history(result.history, epoch)

    def _check_fitted(self) -> None:
        if not hasattr(self, "models_"):
            raise NotFittedError("SparseTimeStepper: not fitted yet. Call fit(data) first, or sparsedyn.load(path).")


def load(path: str | Path) -> SparseTimeStepper:
    """Read a model that `SparseTimeStepper.save` or `sparsedyn fit` wrote."""
    return saving.load(path)


def _history(records: list[dict[str, Any]], epoch: int) -> pd.DataFrame:
    rows = [
        {"step": record["step"], "epoch": record["step"] / epoch, "member": member}
        | {name: record[name][member] for name in ("loss", "validation", "sparsity", "alive")}
        for record in records
        for member in range(len(record["loss"]))
    ]
    return pd.DataFrame(rows)

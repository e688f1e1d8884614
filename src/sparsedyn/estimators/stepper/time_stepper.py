"""Sparse neural time-steppers, with the face of a scikit-learn estimator."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.equations import count_nonzeros, reach, sparsity
from sparsedyn.estimators import _files as saving
from sparsedyn.estimators._checks import Variables, variables_of
from sparsedyn.estimators._dynamics import AbstractStepper
from sparsedyn.estimators._progress import progress_bar
from sparsedyn.estimators.stepper._training import fit_together
from sparsedyn.models import MLP
from sparsedyn.training import AbstractAverage, Fit


class SparseTimeStepper(AbstractStepper):
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

    def reach(self) -> Bool[np.ndarray, "member output feature"]:
        """Return whether a state or input (states first) reaches a derivative along nonzero weights."""
        self._check_fitted()
        return reach(self.models_)

    def save(self, path: str | Path) -> None:
        """Write the fitted ensemble to one safetensors file, atomically."""
        self._check_fitted()
        saving.save(self, path)

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


def _history(records: list[dict[str, Any]], epoch: int) -> pd.DataFrame:
    rows = [
        {"step": record["step"], "epoch": record["step"] / epoch, "member": member}
        | {name: record[name][member] for name in ("loss", "validation", "sparsity", "alive")}
        for record in records
        for member in range(len(record["loss"]))
    ]
    return pd.DataFrame(rows)

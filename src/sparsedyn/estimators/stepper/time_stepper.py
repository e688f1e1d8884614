"""Sparse neural time-steppers: scikit-learn-compatible ensembles of networks for dx/dt."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import Scaling, Trajectories
from sparsedyn.data.pieces import jumping
from sparsedyn.equations import count_nonzeros, prune_structure, reach, sparsity
from sparsedyn.estimators._checks import Variables, variables_of
from sparsedyn.estimators._ensemble import AbstractEnsemble
from sparsedyn.estimators._files import Stored, flags, numbered
from sparsedyn.estimators._inputs import Recorded, recorded
from sparsedyn.estimators._known import Known
from sparsedyn.estimators._progress import progress_bar
from sparsedyn.estimators._report import across
from sparsedyn.estimators.stepper._averages import average_from_spec, average_spec
from sparsedyn.estimators.stepper._divided import trained_by
from sparsedyn.estimators.stepper._settings import RULES, Settings, check_combination, settings_of
from sparsedyn.estimators.stepper._training import Trained, learned, trained
from sparsedyn.executors import Executor
from sparsedyn.models import MLP
from sparsedyn.sparsify import from_spec, to_spec
from sparsedyn.training import AbstractAverage


class SparseTimeStepper(AbstractEnsemble):
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
    rollout : rows ahead that training looks. With 1, derivatives are matched; with more, states of free runs over so
        many rows from every row on, by `method`. That costs as many times more, and stands noise, which derivatives do
        not.
    time : `continuous`, or `discrete` for maps, whose increments from row to row are learned; `predict` then gives the
        states of the next row.
    known : the known part of the right-hand side, to which networks learn the rest: texts or SymPy expressions by
        state, such as `{"w": "-2*sin(theta)"}`, or a function of states (row, state) and inputs (row, input) that gives
        derivatives (row, state), or for discrete time a part of the next states. A function cannot be saved.
    shuffle : `"shared"` batches for all members (fast) or one order per `"member"`.
    patience : validations without gain before a member stops; `None` trains to the end.
    seed : of initialization, masks and batches.

    Attributes after `fit`: `models_`, `scaling_`, `time_`, `nonzeros_` (per member), `weights_` (in each),
    `sparsity_`, `alive_`, `report_` (what the checks at the end of the fit found; each finding is also a
    `SparsedynWarning`), `history_`, `dt_`, `steps_`, `state_names_`, `input_names_`.

    Source: Haugstvedt et al. 2023; Lundby et al. 2023.
    """

    _rules = RULES

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
        learning_rate: float = 8e-3,
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
        time: str = "continuous",
        known: Any = None,
        rollout: int = 1,
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
        self.time = time
        self.known = known
        self.rollout = rollout

    def fit(
        self,
        x: Any,
        t: Any = None,
        u: Any = None,
        *,
        x_dot: Any = None,
        validation: Any = None,
        trajectory: str | None = None,
        names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
        progress: bool | None = None,
        checkpoint: str | Path | None = None,
        check_units: bool = True,
        executor: Executor | None = None,
    ) -> "SparseTimeStepper":
        """Train all members on states `x` at times `t` under inputs `u`, or on `Trajectories` alone.

        `x` is an array (time, state) or (trajectory, time, state), a list of trajectories, a table (rows of one
        trajectory have the same value in its column `trajectory`), or an xarray object; `t` the sample time or the
        times of all rows; `u` laid out as `x`. `x_dot` are measured derivatives, else they are estimated. With
        `validation` trajectories, also as the second argument, the best weights are kept (see `select`).

        `progress` draws a bar (default: on a terminal). A `checkpoint` path makes the run resumable after a
        kill. The workers of an `executor`, such as `sparsedyn.executors.Ray(address)`, train the members in parts,
        without checkpoints.

        Raises `DataError` for data that cannot be trained on, `ValueError` for parameters out of range.
        """
        self.check_parameters()
        options: dict[str, Any] = {
            "trajectory": trajectory,
            "names": names,
            "input_names": input_names,
            # Workers get data as a whole.
            "in_parts": executor is None,
        }
        given = recorded(x, t, u, x_dot=x_dot, validation=validation, time=self.time, known=self.known, **options)
        given = learned(given, self.time)
        with progress_bar("training", progress) as on_progress:
            options = {"on_progress": on_progress, "check_units": check_units}
            if executor is None:
                (found,) = trained([self.settings()], given, checkpoint=checkpoint, **options)
            elif checkpoint is None:
                found = trained_by(executor, self.settings(), given, **options)
            else:
                raise ValueError("checkpoint: expected none along with an executor; got both. Leave one of them out.")
        self._adopt(found, given)
        self.report_.warn()
        return self

    def settings(self) -> Settings:
        """Return the parameters in one form each; raises `ValueError` for an unknown technique or average."""
        own = ("time", "known")
        return settings_of({name: value for name, value in self.get_params(deep=False).items() if name not in own})

    def reach(self) -> Bool[np.ndarray, "member output feature"]:
        """Return whether a state or input (states first) reaches a derivative along nonzero weights."""
        self._check_fitted()
        return reach(self.models_)

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

    def prune_structure(self, member: int = 0) -> "SparseTimeStepper":
        """Return the model of one member with the smaller dense network that its sparse one is equivalent to.

        Units that reach nothing, and those that nothing reaches, are gone; see `sparsedyn.equations.prune_structure`.

        **Raises:** `ValueError` for a member that is not there.
        """
        self._check_fitted()
        if not 0 <= member < len(self.alive_):
            raise ValueError(f"member: expected 0 to {len(self.alive_) - 1}; got {member}.")
        network = prune_structure(jax.tree.map(lambda leaf: np.asarray(leaf)[member], self.models_))
        made = copy.copy(self)
        made.set_params(
            hidden=tuple(weight.shape[1] for weight in network.weights[:-1]),
            members=1,
            bias=network.biases[0] is not None,
        )
        made.models_ = jax.tree.map(lambda leaf: np.asarray(leaf)[None], network)
        made.active_ = jax.tree.map(lambda leaf: leaf != 0 if leaf.ndim == 3 else None, made.models_)
        made.alive_ = self.alive_[[member]]
        made.history_ = self.history_[self.history_["member"] == member].assign(member=0)
        return made

    def _check_combination(self) -> None:
        check_combination(self.settings(), self.time)
        if self.rollout > 1 and self.known is not None:
            raise ValueError(
                f"known: expected none along with rollout={self.rollout}: training does not differentiate "
                "through it. Leave one of the two out."
            )

    def _adopt(self, found: Trained, given: Recorded, of_data: Sequence[Finding | None] | None = None) -> None:
        """Take over what was trained, and check it; `of_data` is as in `_checked`."""
        result, settings = found.result, self.settings()
        end = result.last if settings.average is None else result.averaged
        chosen = end if settings.select == "last" else result.best
        if not isinstance(chosen, MLP):
            raise TypeError(f"models: expected MLPs; got {type(chosen).__name__}.")
        self.models_: MLP = chosen
        self.time_ = self.time
        self.known_ = given.known
        self.active_ = result.active
        self.scaling_ = found.scaling
        self.alive_ = result.alive
        self.steps_ = result.steps
        self.compiled_steps_ = result.compiled
        self.variables_ = variables_of(given.data)
        self.history_ = _history(result.history, found.epoch)
        self.report_ = self._checked(given, of_data)
        if self.derivative != "forward" and given.x_dot is None and jumping(given.data):
            self.report_ = Report((*self.report_, across(self.derivative, "Take derivative='forward'.")))

    def _derivatives(
        self, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
    ) -> Float[np.ndarray, "member sample state"]:
        found = super()._derivatives(x, u)
        return x + self.dt_ * found if self.time_ == "discrete" else found

    def _idle(self, data: Trajectories) -> list[Finding]:
        if self.known_ is not None:
            return []
        what = "change from row to row" if self.time_ == "discrete" else "derivative"
        lost = (~self.reach().any(axis=2) & self.alive_[:, None]).sum(axis=0)
        return [
            Finding(
                "empty-equation",
                f"fit: in {count} of {len(self.alive_)} members no weight is left that leads to {name}: its {what} "
                "is constant. Lower the penalty or the sparsity, or give more units.",
            )
            for name, count in zip(self.state_names_, lost, strict=True)
            if count
        ]

    def _summary(self, digits: int) -> list[str]:
        known = "" if self.known_ is None else " + what is known"
        arguments = ", ".join((*self.state_names_, *self.input_names_))
        left = "({name}[k+1] - {name}[k])/dt" if self.time_ == "discrete" else "d{name}/dt"
        units = " x ".join(str(weights.shape[-1]) for weights in self.models_.weights[:-1])
        return [
            *(left.format(name=name) + f" = f({arguments}){known}" for name in self.state_names_),
            f"f: networks of {units} units, {int(self.alive_.sum())} of {len(self.alive_)} members alive,",
            f"   {self.nonzeros_.mean():.{digits}g} of {self.weights_} weights not zero",
            f"stepped by {self.method} at the sample time {self.dt_:g}",
        ]

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        settings = self.settings()
        parameters = self.get_params(deep=False) | {
            **_structure(self.models_),
            "technique": [to_spec(link) for link in settings.technique.links],
            "average": average_spec(settings.average),
            "time": self.time_,
            "known": None,
            "schedule": "custom" if callable(self.schedule) else self.schedule,
        }
        header = {
            "parameters": parameters,
            "scaling": self.scaling_.to_dict(),
            "variables": self.variables_._asdict(),
            "alive": self.alive_.tolist(),
            "known": self.known_ and self.known_.to_dict(),
            "steps": self.steps_,
            "history": self.history_.to_dict(orient="list"),
        }
        arrays = {f"model.{i:03d}": a for i, a in enumerate(jax.tree.leaves(self.models_))}
        return arrays | {f"active.{i:03d}": a for i, a in enumerate(jax.tree.leaves(self.active_))}, header

    @classmethod
    def _from_file(cls, stored: Stored) -> "SparseTimeStepper":
        header = stored.header
        parameters = dict(header["parameters"])
        parameters["technique"] = [from_spec(spec) for spec in parameters["technique"]]
        parameters["average"] = average_from_spec(parameters["average"])
        parameters |= {name: tuple(parameters[name]) for name in ("hidden", "drops") if name in parameters}
        stepper = cls(**parameters)
        stepper._check_rules("hidden", "members", "activation", "skip", "bias", "method", "time")
        stored.check_layers(stepper.hidden)
        stepper.time_ = stepper.time
        stepper.variables_ = Variables.restored(header["variables"])
        names = (*stepper.variables_.state_names, *stepper.variables_.input_names)
        known = Known.from_dict(header.get("known"), names)
        stepper.known = known and known.parameter
        stepper.known_ = known and known.over(stepper.variables_.dt if stepper.time == "discrete" else 1.0)
        states, inputs = len(stepper.variables_.state_names), len(stepper.variables_.input_names)
        one = partial(MLP, states, inputs, tuple(stepper.hidden), activation=stepper.activation)
        skeleton = eqx.filter_eval_shape(
            lambda key: one(skip=stepper.skip, bias=stepper.bias, key=key), jax.random.key(0)
        )
        matrices = jax.tree.map(lambda a: a if len(a.shape) == 2 else None, skeleton)
        stepper.models_ = _filled(skeleton, numbered(stored.arrays, "model."), stepper.members)
        stepper.active_ = _filled(matrices, numbered(stored.arrays, "active."), stepper.members)
        stepper.scaling_ = Scaling.from_dict(header["scaling"])
        stepper.scaling_.check_sizes(states, inputs)
        stepper.alive_ = flags(header["alive"], stepper.members)
        stepper.steps_ = int(header["steps"])
        stepper.history_ = pd.DataFrame(header["history"])
        return stepper


def _structure(models: MLP) -> dict[str, Any]:
    """Return the parameters that say which networks these are, one per member; those of a model may be set anew."""
    return {
        "hidden": [weights.shape[-1] for weights in models.weights[:-1]],
        "members": len(models.weights[0]),
        "activation": models.activation,
        "skip": models.skip,
        "bias": models.biases[0] is not None,
    }


def _filled(skeleton: Any, arrays: list[np.ndarray], members: int) -> Any:
    """Put arrays into the places of a skeleton, with a leading member axis."""
    leaves, structure = jax.tree.flatten(skeleton)
    expected, got = [(members, *leaf.shape) for leaf in leaves], [array.shape for array in arrays]
    if expected != got or any(array.dtype.kind not in "fb" for array in arrays):
        raise ValueError(f"arrays of shapes {expected}, but there are {got}")
    return jax.tree.unflatten(structure, arrays)


def _history(records: list[dict[str, Any]], epoch: int) -> pd.DataFrame:
    rows = [
        {"step": record["step"], "epoch": record["step"] / epoch, "member": member}
        | {name: record[name][member] for name in ("loss", "validation", "sparsity", "alive")}
        for record in records
        for member in range(len(record["loss"]))
    ]
    return pd.DataFrame(rows)

"""What a training is told: an estimator's parameters, checked and in one form each, and their fingerprint."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES
from sparsedyn.estimators import _known as known_part
from sparsedyn.estimators._base import FLAG, SEED, TIME, Rule, is_real, is_whole, one_of, optional, positive, whole
from sparsedyn.estimators.stepper._averages import average_from_spec
from sparsedyn.forecast import METHODS
from sparsedyn.models import ACTIVATIONS, FANS
from sparsedyn.sparsify import AbstractSparsifier, Chain, On, resolve
from sparsedyn.training import OPTIMIZERS, SCHEDULES, AbstractAverage, learning_rates, raised


def _widths(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(is_whole(width, 1) for width in value)


def _fractions(value: Any) -> bool:
    return isinstance(value, Sequence) and all(is_real(drop) and 0 < drop < 1 for drop in value)


RULES: dict[str, Rule] = {
    "members": whole(1),
    "epochs": whole(1),
    "batch": whole(1),
    "hidden": Rule(_widths, "a list of widths of at least 1, e.g. (64, 64)"),
    "seed": SEED,
    "learning_rate": positive("a positive rate, usually 1e-4 to 2e-2", below=10.0),
    "clip": optional(positive("", below=np.inf), "none or a positive norm, e.g. 1.0"),
    "patience": optional(whole(1), "none or at least 1"),
    "activation": one_of(ACTIVATIONS),
    "optimizer": one_of(OPTIMIZERS),
    "derivative": one_of(DERIVATIVES),
    "method": one_of(METHODS),
    "rollout": whole(1),
    "time": TIME,
    "known": known_part.RULE,
    "shuffle": one_of(("shared", "member")),
    "select": one_of(("forecast", "best", "last")),
    "fan": one_of(FANS),
    "schedule": Rule(
        lambda value: value in SCHEDULES if isinstance(value, str) else callable(value),
        f"one of {', '.join(SCHEDULES)} or an Optax schedule",
    ),
    "skip": FLAG,
    "bias": FLAG,
    "drops": Rule(_fractions, "fractions of training between 0 and 1, e.g. (0.4, 0.7, 0.9)"),
}
"""Parameters of `SparseTimeStepper`, and what they may be."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The parameters of a `SparseTimeStepper` in one form each: techniques and averages as objects, lists as tuples."""

    hidden: tuple[int, ...]
    technique: Chain
    activation: str
    skip: bool
    bias: bool
    fan: Literal["in", "out"]
    members: int
    epochs: int
    batch: int
    optimizer: str
    learning_rate: float
    schedule: str | Callable[[int], float]
    drops: tuple[float, ...]
    clip: float | None
    average: AbstractAverage | None
    select: Literal["forecast", "best", "last"]
    derivative: str
    method: str
    shuffle: Literal["shared", "member"]
    patience: int | None
    seed: int
    rollout: int

    @property
    def shape_key(self) -> tuple[Any, ...]:
        """What must be equal for runs to share one computation."""
        own = {"technique", "members", "learning_rate", "schedule", "drops", "average"}
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self) if field.name not in own)

    def rates(self, steps: int) -> Float[np.ndarray, " step"]:
        """Return the learning rate of every step."""
        rates = learning_rates(self.schedule, self.learning_rate, steps, drops=self.drops)
        if self.average is None or not self.average.raised:
            return rates
        rate = 0.5 * self.learning_rate if self.average.learning_rate is None else self.average.learning_rate
        return raised(rates, self.average.start, rate)

    def fingerprint(self) -> str:
        """Return a text that is equal for equal settings, in every process and however they were written.

        A schedule is left out: a function has no text that says what it does, the `rates` say it.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return json.dumps(_plain({name: value for name, value in fields.items() if name != "schedule"}), sort_keys=True)


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings of checked parameters; raises `ValueError` or `TypeError` for techniques and averages."""
    given = {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}
    average = given["average"]
    given["hidden"] = tuple(int(width) for width in given["hidden"])
    given["drops"] = tuple(float(drop) for drop in given["drops"])
    given["technique"] = resolve(given["technique"])
    given["average"] = average if isinstance(average, AbstractAverage) else average_from_spec(average)
    return Settings(**given)


def check_combination(settings: Settings, time: str = "continuous") -> None:
    """Raise `ValueError` for settings that do not go together."""
    for name, needed in (("derivative", "forward"), ("method", "euler")):
        # A map is learned by its increments: the difference of rows, added again a row at a time.
        if time == "discrete" and (value := getattr(settings, name)) != needed:
            raise ValueError(f"{name}: expected {needed!r}, the default, along with time='discrete'; got {value!r}.")
    if settings.rollout > 1 and settings.derivative != "forward":
        raise ValueError(
            f"derivative: expected 'forward', the default, along with rollout={settings.rollout}, which compares "
            f"states; got {settings.derivative!r}."
        )
    _check_matrices(settings.technique, len(settings.hidden) + 1)
    average = settings.average
    if average is None:
        return
    average.turns()  # a start or a number of snapshots out of range speaks up now, not after compilation
    late = [turn for turn in settings.technique.turns() if turn > average.start]
    if late:
        raise ValueError(
            f"average: expected it to start after the last mask change (at {max(late):g} of training); got a start "
            f"of {average.start:g}. An average over changing masks is no network of any: end the pruning earlier."
        )
    if settings.patience is not None:
        raise ValueError(
            f"patience: expected none together with an average, which needs the whole run; got {settings.patience!r}."
        )


def _check_matrices(technique: AbstractSparsifier, count: int) -> None:
    """Raise `ValueError` where `On` names a matrix that the network does not have."""
    if isinstance(technique, Chain):
        for link in technique.links:
            _check_matrices(link, count)
    if isinstance(technique, On):
        if any(not -count <= number < count for number in technique.where):
            raise ValueError(
                f"technique: expected matrix numbers from {-count} to {count - 1} in On (the network has {count}); got "
                f"{technique.where}."
            )
        _check_matrices(technique.technique, len(technique.where))


def _plain(value: Any) -> Any:
    """Return JSON values: numbers as floats, whatever their type, and modules field by field."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": f"{type(value).__module__}.{type(value).__qualname__}", **fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "dtype"):
        return _plain(np.asarray(value).tolist())
    if isinstance(value, Integral | Real) and not isinstance(value, bool):
        return float(value)
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value

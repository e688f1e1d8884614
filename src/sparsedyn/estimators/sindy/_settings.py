"""The parameters of `SINDy`, checked and in one form each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES
from sparsedyn.data.derivatives import AUTO
from sparsedyn.estimators import _known as known_part
from sparsedyn.estimators._base import FLAG, SEED, TIME, Rule, nonnegative, one_of, optional, whole
from sparsedyn.estimators._delays import LAGS, check_lags
from sparsedyn.estimators.sindy._constraints import Constraints
from sparsedyn.models import Library, Primitive, units_of
from sparsedyn.training.least_squares import Scale

OPTIMIZERS = ("stlsq", "l0", "l1")
INPUTS = ("held", "interpolated")
"""What inputs do between rows: keep the value of the row, or run smoothly through the values at rows."""
SCALES: tuple[Scale, ...] = ("coefficients", "contributions")


def _thresholds(value: Any) -> bool:
    if isinstance(value, str):
        return value == AUTO
    several = isinstance(value, Sequence | np.ndarray) and np.ndim(value) == 1
    return all(map(nonnegative().fine, list(value) if several else [value]))


RULES: dict[str, Rule] = {
    "degree": whole(0),
    "threshold": Rule(_thresholds, "a number of at least 0, one per equation, or 'auto'"),
    "constant": FLAG,
    "weak": Rule(lambda value: FLAG.fine(value) or value == AUTO, "True, False or 'auto'"),
    "order": Rule(lambda value: value in (1, 2), "1 or 2"),
    "penalty": nonnegative(),
    "ridge": nonnegative(),
    "ensemble": optional(whole(2), "none or at least 2 members"),
    "seed": SEED,
    "derivative": one_of((AUTO, *DERIVATIVES)),
    "optimizer": one_of(OPTIMIZERS),
    "inputs": one_of((AUTO, *INPUTS)),
    "time": TIME,
    "lags": LAGS,
    "constraints": Rule(lambda value: value is None or isinstance(value, Constraints), "none or sparsedyn.Constraints"),
    "known": known_part.RULE,
    "scale": one_of(SCALES),
    "refine": Rule(lambda value: FLAG.fine(value) or value == AUTO, "True, False or 'auto'"),
}
"""Parameters of `SINDy`, and what they may be."""


@dataclass(frozen=True)
class Settings:
    """The parameters of a `SINDy` in one form each; where one may be `None`, the data choose."""

    degree: int
    threshold: Float[np.ndarray, "*equation"] | None
    functions: tuple[Primitive, ...]
    constant: bool
    order: int
    optimizer: str
    penalty: float
    ensemble: int | None
    weak: bool | None
    derivative: str
    inputs: str | None
    time: str
    lags: int | str
    constraints: Constraints | None
    known: Any
    ridge: float
    seed: int
    scale: Scale
    refine: bool | None

    def library(self, states: int, inputs: int) -> Library:
        """Return the candidate terms; raises `ValueError` for as many thresholds as there are no equations."""
        if self.threshold is not None and self.threshold.ndim and self.threshold.shape != (states,):
            raise ValueError(
                f"threshold: expected one number, or one for each of {states} equations; got {self.threshold.shape[0]}."
            )
        return Library(self.order * states + inputs, self.degree, self.functions, self.constant)


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings of checked parameters."""
    threshold, weak, refine = (parameters[name] for name in ("threshold", "weak", "refine"))
    # NumPy's integers, as grids of parameters have them, would make other libraries.
    forms = {"degree": int, "order": int, "penalty": float, "ridge": float, "seed": int, "constant": bool}
    return Settings(
        **dict(parameters)
        | {name: form(parameters[name]) for name, form in forms.items()}
        | {
            "threshold": None if isinstance(threshold, str) else np.asarray(threshold, np.float64),
            "functions": functions_of(parameters["functions"]),
            "weak": None if isinstance(weak, str) else bool(weak),
            "inputs": None if parameters["inputs"] == AUTO else parameters["inputs"],
            "refine": None if isinstance(refine, str) else bool(refine),
        }
    )


def check_combination(settings: Settings) -> None:
    """Raise `ValueError` for settings that do not go together."""
    check_lags(settings.lags, settings.time)
    if settings.time == "discrete":
        for name, expected in (("order", (1,)), ("weak", (None, False)), ("inputs", (None, "held"))):
            if (value := getattr(settings, name)) not in expected:
                raise ValueError(f"{name}: expected the default along with time='discrete'; got {value!r}.")
    if settings.constraints is not None or settings.known is not None:
        for name, only in (("ensemble", None), ("optimizer", "stlsq")):
            if (value := getattr(settings, name)) != only:
                raise ValueError(f"{name}: expected {only!r} along with constraints or a known part; got {value!r}.")
    if settings.ensemble is not None and settings.optimizer != "stlsq":
        raise ValueError(f"ensemble: expected optimizer='stlsq' along with it; got {settings.optimizer!r}.")


def functions_of(functions: Sequence[str | Primitive]) -> tuple[Primitive, ...]:
    """Return functions as primitives; raises `ValueError` for unknown names."""
    if isinstance(functions, str):
        raise ValueError(f"functions: expected a list of names such as ['sin', 'cos']; got {functions!r}.")
    chosen = list(functions)
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"functions: expected every function once; got {chosen}.")
    return tuple(primitive for primitive, _ in units_of(dict.fromkeys(chosen, 1), "functions")) if chosen else ()

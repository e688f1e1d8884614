"""What a fit is told: the parameters of `SINDy`, checked and in one form each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES
from sparsedyn.data.derivatives import AUTO
from sparsedyn.models import Library, Primitive, units_of

OPTIMIZERS = ("stlsq", "l0", "l1")


@dataclass(frozen=True)
class Settings:
    """The parameters of a `SINDy` in one form each; a threshold or a weak form of `None` is chosen by the data."""

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
    ridge: float
    seed: int

    def library(self, states: int, inputs: int) -> Library:
        """Return the candidate terms; raises `ValueError` for as many thresholds as there are no equations."""
        if self.threshold is not None and self.threshold.ndim and self.threshold.shape != (states,):
            raise ValueError(
                f"threshold: expected one number, or one for each of {states} equations; got {self.threshold.shape[0]}."
            )
        return Library(self.order * states + inputs, self.degree, self.functions, self.constant)


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings of parameters; raises `ValueError` for the first that is out of range."""
    check_sindy(parameters)
    threshold = parameters["threshold"]
    one_each = {"degree": int, "order": int, "penalty": float, "ridge": float, "seed": int}
    return Settings(
        **dict(parameters)
        | {name: form(parameters[name]) for name, form in one_each.items()}
        | {
            "threshold": None if isinstance(threshold, str) else np.asarray(threshold, np.float64),
            "functions": functions_of(parameters["functions"]),
            "weak": None if parameters["weak"] == AUTO else bool(parameters["weak"]),
        }
    )


def check_sindy(parameters: Mapping[str, Any]) -> None:
    """Raise `ValueError` for the first parameter that is out of range."""

    def expect(name: str, fine: bool, expected: str) -> None:
        if not fine:
            raise ValueError(f"{name}: expected {expected}; got {parameters[name]!r}.")

    expect("degree", _whole(parameters["degree"], 0), "an integer of at least 0")
    threshold: Any = parameters["threshold"]
    several = isinstance(threshold, Sequence | np.ndarray) and not isinstance(threshold, str)
    sizes = list(threshold) if several else [threshold]
    fine = threshold == AUTO if isinstance(threshold, str) else all(map(_least_zero, sizes))
    expect("threshold", fine, "a number of at least 0, one per equation, or 'auto'")
    expect("constant", isinstance(parameters["constant"], bool), "true or false")
    expect("weak", isinstance(parameters["weak"], bool) or parameters["weak"] == AUTO, "true, false or 'auto'")
    expect("order", parameters["order"] in (1, 2), "1 or 2")
    expect("penalty", _least_zero(parameters["penalty"]), "a number of at least 0")
    expect("ridge", _least_zero(parameters["ridge"]), "a number of at least 0")
    members = parameters["ensemble"]
    expect("ensemble", members is None or _whole(members, 2), "none or at least 2 members")
    expect("seed", _whole(parameters["seed"], 0) and parameters["seed"] < 2**32, "an integer from 0 to 2**32 - 1")
    for name, known in (("derivative", (AUTO, *DERIVATIVES)), ("optimizer", OPTIMIZERS)):
        expect(name, parameters[name] in known, f"one of {', '.join(known)}")
    if members is not None and parameters["optimizer"] != "stlsq":
        raise ValueError(f"ensemble: expected optimizer='stlsq' along with it; got {parameters['optimizer']!r}.")


def functions_of(functions: Sequence[str | Primitive]) -> tuple[Primitive, ...]:
    """Return functions as primitives; raises `ValueError` for unknown names."""
    if isinstance(functions, str):
        raise ValueError(f"functions: expected a list of names such as ['sin', 'cos']; got {functions!r}.")
    chosen = list(functions)
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"functions: expected every function once; got {chosen}.")
    return tuple(primitive for primitive, _ in units_of(dict.fromkeys(chosen, 1))) if chosen else ()


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _least_zero(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < np.inf

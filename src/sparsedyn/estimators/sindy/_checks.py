"""Checks of what `SINDy` is given besides data: one clear message each."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES, DataError
from sparsedyn.data.checks import number_array
from sparsedyn.estimators.sindy._data import ordered
from sparsedyn.estimators.sindy._gradient import PENALTIES
from sparsedyn.models import Primitive, units_of

if TYPE_CHECKING:
    from sparsedyn.estimators.sindy.sindy import SINDy


def check_sindy(estimator: "SINDy") -> None:
    """Raise `ValueError` for the first parameter that is out of range."""
    _expect(estimator, "degree", _whole(estimator.degree, 0), "an integer of at least 0")
    threshold: Any = estimator.threshold
    several = isinstance(threshold, Sequence | np.ndarray) and not isinstance(threshold, str)
    sizes = list(threshold) if several else [threshold]
    fine = threshold == "auto" if isinstance(threshold, str) else all(map(_least_zero, sizes))
    _expect(estimator, "threshold", fine, "a number of at least 0, one per equation, or 'auto'")
    _expect(estimator, "constant", isinstance(estimator.constant, bool), "true or false")
    _expect(estimator, "weak", isinstance(estimator.weak, bool) or estimator.weak == "auto", "true, false or 'auto'")
    _expect(estimator, "order", estimator.order in (1, 2), "1 or 2")
    _expect(estimator, "penalty", _least_zero(estimator.penalty), "a number of at least 0")
    _expect(estimator, "ridge", _least_zero(estimator.ridge), "a number of at least 0")
    members = estimator.ensemble
    _expect(estimator, "ensemble", members is None or _whole(members, 2), "none or at least 2 members")
    _expect(estimator, "seed", _whole(estimator.seed, 0) and estimator.seed < 2**32, "an integer from 0 to 2**32 - 1")
    for name, known in (("derivative", ("auto", *DERIVATIVES)), ("optimizer", ("stlsq", *PENALTIES))):
        _expect(estimator, name, getattr(estimator, name) in known, f"one of {', '.join(known)}")
    if members is not None and estimator.optimizer != "stlsq":
        raise ValueError(f"ensemble: expected optimizer='stlsq' along with it; got {estimator.optimizer!r}.")
    functions_of(estimator.functions)


def check_thresholds(threshold: Any, equations: int) -> None:
    """Raise `ValueError` unless there is a threshold per equation, where there are several."""
    if np.ndim(threshold) and np.shape(threshold) != (equations,):
        raise ValueError(
            f"threshold: expected one number, or one for each of {equations} equations; got {np.shape(threshold)[0]}."
        )


def functions_of(functions: Sequence[str | Primitive]) -> tuple[Primitive, ...]:
    """Return functions as primitives; raises `ValueError` for unknown names."""
    if isinstance(functions, str):
        raise ValueError(f"functions: expected a list of names such as ['sin', 'cos']; got {functions!r}.")
    chosen = list(functions)
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"functions: expected every function once; got {chosen}.")
    return tuple(primitive for primitive, _ in units_of(dict.fromkeys(chosen, 1))) if chosen else ()


def columns(place: str, values: Any, names: Sequence[str]) -> Float[np.ndarray, "*batch column"]:
    """Return numbers whose last axis has a column per name, or raise `DataError`; those of tables are put in order."""
    array = number_array(ordered(values, names, place), place)
    if len(names) == 1 and array.ndim == 1 and array.shape != (1,):
        array = array[:, None]
    if not array.ndim or array.shape[-1] != len(names):
        raise DataError(f"{place}: expected {len(names)} columns, {list(names)}; got the shape {array.shape}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{place}: expected finite numbers; got {array[where]} at {where}. Fill or remove such rows.")
    return array


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _least_zero(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < np.inf


def _expect(estimator: "SINDy", name: str, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}; got {getattr(estimator, name)!r}.")

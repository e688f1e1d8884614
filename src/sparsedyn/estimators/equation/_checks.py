"""Checks of what a search for equations is given: one clear message before anything is trained."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES, DataError, Samples, Trajectories
from sparsedyn.equations import compiled, symbol
from sparsedyn.estimators.equation._search import REGULARIZERS
from sparsedyn.forecast import METHODS
from sparsedyn.models import PRIMITIVES, Primitive, units_of

LEAST = 12
"""Fewer samples than this say nothing about a form."""
LARGEST = 1e100
"""Largest size of a column, and one over the smallest: cubes and quotients of such columns are still numbers."""
ROUNDING = 1e-12
"""A column whose values differ by a smaller share of their size is constant."""
PROBES = np.asarray([-1.37, -0.42, 0.29, 0.83, 1.71])
"""Where primitives of one's own are tried."""
AT_REST = 1e-14
"""Derivatives that differ by less, in a state's size per sample, do so by rounding: some fifty times float64's."""
KINDS = {
    "M": "dates. Give the time since the first of them, in seconds or days",
    "m": "durations. Give them in seconds or days",
    "c": "complex ones. Give real and imaginary parts as columns of their own",
}
"""What NumPy would turn into numbers without a word, by the kind of its type."""


def check_search(estimator: Any) -> None:
    """Raise `ValueError` for the first parameter of an equation estimator that is out of range."""
    for name in ("trials", "networks", "generations", "steps", "hidden"):
        _expect(estimator, name, _whole(getattr(estimator, name), 1), "an integer of at least 1")
    _expect(estimator, "seed", _whole(estimator.seed, 0) and estimator.seed < 2**32, "an integer from 0 to 2**32 - 1")
    _expect(estimator, "regularizer", estimator.regularizer in REGULARIZERS, f"one of {', '.join(REGULARIZERS)}")
    share = estimator.share
    fine = isinstance(share, Real) and not isinstance(share, bool) and 0 < float(share) < 1
    _expect(estimator, "share", fine, "a share between 0 and 1 of the samples to hold out")
    for primitive, _ in units_of(estimator.primitives):
        if PRIMITIVES.get(primitive.name) is not primitive:
            check_own(primitive)
    for name, known in (("derivative", ("auto", *DERIVATIVES)), ("method", METHODS)):
        if hasattr(estimator, name):
            _expect(estimator, name, getattr(estimator, name) in known, f"one of {', '.join(known)}")


def check_own(primitive: Primitive) -> None:
    """Raise `ValueError` for a primitive of one's own that JAX cannot use, or whose two forms disagree."""
    what = f"primitives: {primitive.name!r}"
    columns = np.stack([np.roll(PROBES, place) for place in range(primitive.arity)] or [PROBES], axis=1)
    arguments = columns.T[: primitive.arity]
    names = [f"g{place}" for place in range(columns.shape[1])]
    try:
        with jax.enable_x64(True):
            computed = np.broadcast_to(jax.jit(partial(primitive.of, guard=False))(*arguments), PROBES.shape)
            if primitive.arity:
                guarded = partial(primitive.of, guard=True)
                jax.eval_shape(jax.grad(lambda g: jnp.sum(guarded(*g))), list(arguments))
    except Exception as error:
        raise ValueError(
            f"{what}: expected a function of {primitive.arity} JAX arrays, such as jax.numpy has; it raises "
            f"{type(error).__name__} ({str(error).splitlines()[0]})."
        ) from error
    try:
        form = sympy.sympify(primitive.symbol(*map(symbol, names[: primitive.arity])))
        written = compiled([form], names)(columns)[:, 0]
    except Exception as error:
        raise ValueError(
            f"{what}: expected its symbol to make a SymPy expression of {primitive.arity}; it raises "
            f"{type(error).__name__} ({error})."
        ) from error
    same = np.isclose(computed, written, rtol=1e-5, atol=1e-7) | ~(np.isfinite(computed) | np.isfinite(written))
    if not same.all():
        worst = int(np.argmin(same))
        raise ValueError(
            f"{what}: expected its function and its symbol, {form}, to agree; at {columns[worst].tolist()} they give "
            f"{computed[worst]:.6g} and {written[worst]:.6g}. Equations are printed with the one and fitted with the "
            "other."
        )


def columns_of(
    X: Any, *, names: Sequence[str] | None = None, check_spread: bool = True
) -> tuple[Float[np.ndarray, "sample feature"], list[str]]:
    """Return the columns of an array or a DataFrame as numbers, and their names: x0, x1, ... where they have none.

    With `names` those are the columns that are wanted: a DataFrame's are picked by name.
    """
    found = _names_of(X) if isinstance(X, pd.DataFrame) else None
    if found is not None and names is not None:
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(f"X: expected the columns {list(names)}; {missing} missing. Give all that fit was given.")
        # By place: names need not be texts, and a label of several levels would pick several columns.
        wanted = [place for place, name in enumerate(found) if name in names]
        X, found = X.iloc[:, wanted], [found[place] for place in wanted]
    columns = _numbers("X", X)
    if columns.ndim != 2 or not columns.shape[1]:
        raise DataError(f"X: expected (sample, feature); got {columns.shape}. Make one column X[:, None].")
    found = [f"x{i}" for i in range(columns.shape[1])] if found is None else found
    if len(set(found)) != len(found):
        raise DataError(f"X: expected column names that differ; got {found}. Rename one.")
    if names is not None:
        if columns.shape[1] != len(names):
            raise DataError(f"X: expected {len(names)} columns, {list(names)}; got {columns.shape[1]}.")
        if isinstance(X, pd.DataFrame):
            columns = columns[:, [found.index(name) for name in names]]
        found = list(names)
    if check_spread:
        check_samples("X", len(columns))
        for name, column in zip(found, columns.T, strict=True):
            check_size(f"X: column {name!r}", column)
            if unchanging(column):
                raise DataError(
                    f"X: column {name!r} is constant ({_constant(column)}); nothing can be learned from it. Leave it "
                    "out."
                )
    return columns, found


def target_of(y: Any, count: int) -> Float[np.ndarray, " sample"]:
    """Return the target as numbers."""
    target = _numbers("y", y)
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    if target.shape != (count,):
        raise DataError(f"y: expected ({count},), a value for every row of X; got {target.shape}.")
    check_size("y", target)
    if unchanging(target):
        raise DataError(
            f"y: expected values that change; they are all {_constant(target)}. Its equation is that constant."
        )
    return target


def check_samples(what: str, count: int) -> None:
    """Raise `DataError` for fewer samples than a search needs."""
    if count < LEAST:
        raise DataError(f"{what}: expected at least {LEAST} samples; got {count}. Give more data.")


def check_size(what: str, column: Float[np.ndarray, " sample"]) -> None:
    """Raise `DataError` for numbers whose products and quotients floating point would not hold."""
    largest = np.abs(column).max()
    if largest > 0 and not 1 / LARGEST <= largest <= LARGEST:
        raise DataError(
            f"{what}: expected sizes from {1 / LARGEST:g} to {LARGEST:g}; got {largest:.3g} as the largest. Choose "
            "another unit."
        )


def unchanging(column: Float[np.ndarray, " sample"]) -> bool:
    """Whether numbers are all the same, up to rounding."""
    return bool(np.ptp(column) <= ROUNDING * np.abs(column).max())


def check_sizes(data: Trajectories) -> None:
    """Raise `DataError` for a state or input that `check_size` refuses."""
    for arrays, names in ((data.states, data.state_names), (data.inputs, data.input_names)):
        for name, column in zip(names, np.concatenate(arrays).T, strict=True):
            check_size(f"column {name!r}", column)


def check_rates(pooled: Samples, data: Trajectories) -> None:
    """Raise `DataError` for too few samples of derivatives, or ones that `check_size` refuses."""
    check_samples("data", len(pooled.x))
    for name, column in zip(data.state_names, pooled.dx.T, strict=True):
        check_size(f"d{name}/dt", column)


def at_rest(states: Float[np.ndarray, " sample"], rates: Float[np.ndarray, " rate"], dt: float) -> bool:
    """Whether the rates at which a state changes are all the same, up to the rounding of differences of states."""
    return bool(np.ptp(rates) <= AT_REST * np.abs(states).max() / dt)


def _constant(column: Float[np.ndarray, " sample"]) -> str:
    """The value of a column that does not change, and what is said of one that hardly does."""
    value = f"{column[0]:.6g}"
    if np.ptp(column) == 0:
        return value
    return f"{value} to within a share of {ROUNDING:g}, which is rounding: subtract an offset before it gets lost"


def _names_of(table: pd.DataFrame) -> list[str]:
    """The names of a table's columns; x0, x1, ... where they are numbers, which an equation has others of."""
    if pd.api.types.is_integer_dtype(table.columns.dtype):
        return [f"x{number}" for number in table.columns]
    names = ["" if np.ndim(column) == 0 and pd.isna(column) else str(column) for column in table.columns]
    for place, name in enumerate(names):
        if not name.strip():
            raise DataError(f"X: expected a name for every column; column {place} has none. Name it or leave it out.")
    return names


def _numbers(what: str, values: Any) -> Float[np.ndarray, "..."]:
    if values is None:
        raise DataError(f"{what}: expected numbers; got None.")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DataError(f"{what}: expected numbers in every place; some are masked. Remove or fill such rows.")
    try:
        given = np.asarray(values)
        array = np.asarray(given, np.float64) if given.dtype.kind not in KINDS else None
    except (TypeError, ValueError, OverflowError) as error:
        if "inhomogeneous" in str(error):
            raise DataError(f"{what}: expected rows of one length; they differ.") from error
        raise DataError(f"{what}: expected numbers; got {type(values).__name__} ({error}).") from error
    if array is None:
        raise DataError(f"{what}: expected real numbers; got {KINDS[given.dtype.kind]}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{what}: expected finite numbers; got {array[where]} at {where}. Remove or fill such rows.")
    return array


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _expect(estimator: Any, name: str, fine: bool, expected: str) -> None:
    if not fine:
        raise ValueError(f"{name}: expected {expected}; got {getattr(estimator, name)!r}.")

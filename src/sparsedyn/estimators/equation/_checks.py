"""Checks of what a search for equations is given: one clear message before anything is trained."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import DERIVATIVES, DataError, Samples, Trajectories
from sparsedyn.equations import compiled, symbol
from sparsedyn.estimators import _known as known_part
from sparsedyn.estimators._base import HELD_OUT, SEED, TIME, Rule, is_whole, one_of, positive, whole
from sparsedyn.estimators._delays import LAGS
from sparsedyn.estimators.equation import _forms as forms
from sparsedyn.estimators.equation._settings import REGULARIZERS
from sparsedyn.forecast import METHODS
from sparsedyn.models import PRIMITIVES, Primitive, units_of

LEAST = 12
"""Fewer samples than this say nothing about a form."""
LARGEST = 1e100
"""Largest size of a column, and one over the smallest: cubes and quotients of such columns are still numbers."""
ROUNDING = 1e-12
"""A column whose values differ by a smaller share of their size is constant."""
WAYS = ("auto", "states", "networks")
"""How equations of trajectories are searched for."""
PROBES = np.asarray([-1.37, -0.42, 0.29, 0.83, 1.71])
"""Where primitives of one's own are tried."""
AT_REST = 1e-14
"""Derivatives that differ by less, in a state's size per sample, do so by rounding: some fifty times float64's."""


DEEPEST = 100
"""Layers of primitives, at most."""
RULES: dict[str, Rule] = {
    **{name: whole(1) for name in ("trials", "networks", "generations", "steps")},
    "hidden": Rule(lambda value: is_whole(value, 1) and value <= DEEPEST, f"an integer from 1 to {DEEPEST}"),
    "seed": SEED,
    "regularizer": one_of(REGULARIZERS),
    "share": HELD_OUT,
}
"""Parameters of a search for equations, and what they may be."""
LEARNER_RULES = RULES | {
    "derivative": one_of(("auto", *DERIVATIVES)),
    "search": one_of(WAYS),
    "floor": positive("a share of a state between 0 and 0.1", below=0.1),
    "method": one_of(METHODS),
    "time": TIME,
    "lags": LAGS,
    "known": known_part.RULE,
    "candidates": forms.RULE,
}


def check_primitives(primitives: str | Mapping[str | Primitive, int]) -> None:
    """Raise `ValueError` for primitives of no known name, and for those of one's own that cannot be used."""
    for primitive, _ in units_of(primitives):
        if PRIMITIVES.get(primitive.name) is not primitive:
            check_own(primitive)


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


def check_features(columns: Float[np.ndarray, "sample feature"], names: Sequence[str]) -> None:
    """Raise `DataError` for columns that nothing can be learned from."""
    check_samples("X", *columns.shape)
    for name, column in zip(names, columns.T, strict=True):
        check_size(f"X: column {name!r}", column)
        if unchanging(column):
            raise DataError(
                f"X: column {name!r} is constant ({_constant(column)}); nothing can be learned from it. Leave it out."
            )


def check_target(target: Float[np.ndarray, " sample"]) -> None:
    """Raise `DataError` for a target whose equation is a constant, or whose numbers floating point would not hold."""
    check_size("y", target)
    if unchanging(target):
        raise DataError(
            f"y: expected values that change; they are all {_constant(target)}. Its equation is that constant."
        )


def check_samples(what: str, count: int, features: int) -> None:
    """Raise `DataError` for fewer samples than a search needs."""
    if count < LEAST:
        raise DataError(
            f"{what}: expected at least {LEAST} samples; got {count} sample(s) of {features} feature(s). Give more."
        )


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
    check_samples("data", len(pooled.x), pooled.x.shape[1] + pooled.u.shape[1])
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

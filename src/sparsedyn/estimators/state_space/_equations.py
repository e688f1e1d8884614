"""A fitted model in the data's units: as matrices, as a table, as expressions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import sympy

from sparsedyn.data import Scaling
from sparsedyn.equations import combined, symbol
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import UNITS


def state_names(count: int, taken: Sequence[str]) -> tuple[str, ...]:
    """Return z1, z2, ... as names of latent states, or those of the next letter where a variable has such a name."""
    for letter in ("z", "latent", "latent_state"):
        names = tuple(f"{letter}{i + 1}" for i in range(count))
        if not set(names) & set(taken):
            return names
    raise ValueError(f"names: expected variables that are not called latent_state1; got {', '.join(taken)}.")


def in_units(model: StateSpace, scaling: Scaling) -> StateSpace:
    """Return the model of standardized variables as one of variables in the data's units."""
    u_mean, u_std, y_mean, y_std = scaling.u_mean, scaling.u_std, scaling.x_mean, scaling.x_std
    B, H, D = model.B / u_std, model.H / u_std, model.D / u_std
    return StateSpace(
        model.A, B, model.c - B @ u_mean, model.F, model.G, H, model.b - H @ u_mean,
        y_std[:, None] * model.C, y_std[:, None] * D, y_mean + y_std * (model.d - D @ u_mean),
        model.low, model.high, y_mean + y_std * model.floor, y_mean + y_std * model.ceiling, model.units,
    )  # fmt: skip


def table(model: StateSpace, states: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]) -> pd.DataFrame:
    """Return all weights: a row per state of the next row, argument of a unit, and output; a column per term."""
    units = unit_names(model)
    rows = [f"{name}+" for name in states] + [f"argument of {name}" for name in units] + list(outputs)
    n, q, p = len(states), len(units), len(outputs)
    values = np.block(
        [
            [model.A, model.B, model.c[:, None], model.F],
            [model.G, model.H, model.b[:, None], np.zeros((q, q))],
            [model.C, model.D, model.d[:, None], np.zeros((p, q))],
        ]
    )
    return pd.DataFrame(values.reshape(n + q + p, -1), index=rows, columns=[*states, *inputs, "1", *units])


def unit_names(model: StateSpace) -> list[str]:
    """Return the names of the units: square1, cube2, cube3."""
    return [f"{name}{i + 1}" for i, name in enumerate(model.units)]


def expressions(
    model: StateSpace, states: Sequence[str], inputs: Sequence[str]
) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]]:
    """Return the states of the next row and the outputs; arguments of units stand as they are, not clipped."""
    terms = [symbol(name) for name in (*states, *inputs)] + [sympy.Integer(1)]
    arguments = combined(terms, np.concatenate([model.G, model.H, model.b[:, None]], axis=1).T)
    units = [UNITS[name][1](argument) for name, argument in zip(model.units, arguments, strict=True)]
    whole = np.concatenate([model.A, model.B, model.c[:, None], model.F], axis=1).T
    following = combined([*terms, *units], whole)
    outputs = combined(terms, np.concatenate([model.C, model.D, model.d[:, None]], axis=1).T)
    clipped = []
    for value, floor, ceiling in zip(outputs, model.floor, model.ceiling, strict=True):
        value = sympy.Min(value, sympy.Float(ceiling)) if np.isfinite(ceiling) else value
        clipped.append(sympy.Max(value, sympy.Float(floor)) if np.isfinite(floor) else value)
    return tuple(following), tuple(clipped)

"""Whether equations are found by the states or by networks, and what the states leave open, as tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import sympy
from scipy.stats import t

from sparsedyn._native import compiled, native
from sparsedyn.equations import symbol
from sparsedyn.estimators._inputs import Recorded
from sparsedyn.estimators._known import Known
from sparsedyn.estimators.equation._plant_units import PlantUnits
from sparsedyn.estimators.equation.trajectories._outcome import Constant
from sparsedyn.estimators.equation.trajectories._reading import terms_of
from sparsedyn.estimators.shooting_search._prior import Prior
from sparsedyn.training.shooting import products as shooting
from sparsedyn.training.shooting.needed import kernel

AUTO, STATES, NETWORKS = "auto", "states", "networks"
Alternative = tuple[tuple[sympy.Expr, ...], float]


def way_of(estimator: Any, given: Recorded, prior: Prior | None) -> str:
    """Return `states` or `networks`; `ValueError` where states are asked for along with what they do not have.

    `NativeError` where states are asked for and Numba cannot be imported.
    `prior` is what states are told beforehand, nothing where they cannot be told.
    """
    reasons = {
        "primitives": estimator.primitives != "general",
        "derivative": estimator.derivative != AUTO,
        "a known part that is a function, or no sum of products": prior is None,
        "x_dot": given.x_dot is not None,
        "time='discrete'": estimator.time == "discrete",
        "SPARSEDYN_NATIVE=0": not native(),
    }
    against = [name for name, holds in reasons.items() if holds]
    if estimator.search == STATES and against:
        raise ValueError(
            f"search: 'states' does not go with {', '.join(against)}, which networks have. Leave out the one or the "
            "other, or take search='auto'."
        )
    if estimator.search == STATES:
        kernel()
    if estimator.search == AUTO:
        return NETWORKS if against or not _compiled() else STATES
    return str(estimator.search)


def _compiled() -> bool:
    return compiled("sparsedyn.training.shooting.kernel", "fitted", "Equations are sought by networks") is not None


def prior_of(known: Known | None, units: PlantUnits | None, names: Sequence[str]) -> Prior | None:
    """Return what the search by states is told of the equations of variables; nothing where it has no such terms."""
    found: list[shooting.Known] = []
    symbols = [symbol(name) for name in names]
    if known is not None:
        for equation, expr in enumerate(known.expressions or (None,)):
            read = None if expr is None else terms_of(expr, symbols)
            if read is None:
                return None
            found += [shooting.Known(number, term, equation) for number, term in read]
    sized = () if units is None else (place for place, name in enumerate(names) if units.columns[name])
    return Prior(tuple(found), frozenset(sized))


def constants_table(constants: Sequence[Constant], level: float) -> pd.DataFrame:
    """Return constants with intervals of a level."""
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number between 0 and 1; got {level!r}.")
    widths = [float(t.ppf(0.5 + level / 2, c.freedom)) * c.error for c in constants]
    rows = [
        (c.state, c.value, c.value - width, c.value + width, c.unit, c.name)
        for c, width in zip(constants, widths, strict=True)
    ]
    return pd.DataFrame(rows, columns=["state", "value", "low", "high", "unit", "name"])


def alternatives_table(models: Sequence[Alternative], odds: float) -> pd.DataFrame:
    """Return models up to these odds against them."""
    if not models:
        return pd.DataFrame(columns=["equations", "odds"])
    best = min(score for _, score in models)
    rows = [(list(exprs), float(np.exp(min((score - best) / 2, 700.0)))) for exprs, score in models]
    return pd.DataFrame([row for row in rows if row[1] <= odds], columns=["equations", "odds"])

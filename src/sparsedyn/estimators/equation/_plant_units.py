"""Units of states, inputs and time: as they are written, or made of those of the SI."""

import contextlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sympy

from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators.equation._units import Dimension, Unit, dimension_of, exponents_of, registry, times, written

CLOCKS = ("t", "time")
"""What time is called, unless a column is called so."""


class PlantUnits(NamedTuple):
    """Dimensions of states and inputs by name, and of time; nothing for time where equations are maps."""

    columns: dict[str, Dimension]
    time: Dimension

    def rate(self, state: str) -> Dimension:
        """Return the dimension of an equation of a state."""
        return times(self.columns[state], self.time, -1)


def plant_units(
    units: Mapping[str, Unit] | None,
    states: Sequence[str],
    inputs: Sequence[str],
    columns: Sequence[str],
    *,
    discrete: bool,
) -> PlantUnits | None:
    """Return dimensions of states, inputs and time, or nothing where no units were given.

    Units that do not depend on each other, such as mg, L and day, are the base units. Others are expressed by those of
    the SI where that takes no factors, else they stay as they are: coefficients then have units such as km/m. Columns
    with lags have the unit of what is lagged. **Raises:** `DataError` for names that are not there, for states and
    inputs without a unit, for time without one, and as `exponents_of`.
    """
    if units is None:
        return None
    names = [*states, *inputs]
    clock = next((name for name in CLOCKS if name in units and name not in names), None)
    unknown = [name for name in units if name not in (*names, clock)]
    missing = [name for name in names if name not in units] + ([] if discrete or clock else ["t"])
    if unknown or missing:
        raise DataError(
            f"units: expected one for every state and input, {', '.join(map(repr, names))}, and for time, 't'"
            + (f"; {', '.join(map(repr, unknown))} unknown" if unknown else "")
            + (f"; {', '.join(map(repr, missing))} missing" if missing else "")
            + ". Use 1 or None for numbers."
        )
    found = {name: exponents_of(unit, repr(name))[1] for name, unit in units.items()}
    if not _independent(found):
        with contextlib.suppress(DataError):
            found = {name: dimension_of(unit, repr(name)) for name, unit in units.items()}
    own = {name: found[name if name in found else name.partition("[")[0]] for name in (*names, *columns)}
    return PlantUnits(own, {} if discrete or clock is None else found[clock])


def check_clock(units: PlantUnits | None, x: Any, t: Any, data: Trajectories) -> None:
    """Raise `DataError` where times that are dates, or called as a unit is, were made seconds, and others are given."""
    if units is None or units.time == {"second": 1} or not isinstance(x, pd.DataFrame):
        return
    times = x[t] if isinstance(t, str) and t in x.columns else x.index if t is None else None
    if times is None:
        return
    numbers = pd.api.types.is_numeric_dtype(times.dtype)
    if numbers and np.isclose(np.ptp(times), max(time[-1] for time in data.time) - min(time[0] for time in data.time)):
        return
    if units.time and not (numbers and np.ptp(times) == 0):
        raise DataError(
            "units: time is in seconds here, since it was read from dates or a column that is called as a unit is; "
            f"got {written(units.time)}. Give 's', or the sample time or times as numbers in that unit."
        )


def _independent(dimensions: Mapping[str, Dimension]) -> bool:
    """Whether no unit can be expressed by others."""
    bases = sorted({base for one in dimensions.values() for base in one})
    kinds = [registry().Unit(base).dimensionality for base in bases]
    every = sorted({str(kind) for one in kinds for kind in one})
    rows = [[Fraction(one.get(kind, 0)).limit_denominator(60) for kind in every] for one in kinds]
    return not bases or (bool(every) and sympy.Matrix(rows).rank() == len(bases))

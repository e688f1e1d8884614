"""What the page knows of a model and of recorded trajectories, as JSON values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Trajectories
from sparsedyn.estimators import SparseStateSpace
from sparsedyn.export.lowering import places_of
from sparsedyn.export.program import Program, Variable
from sparsedyn.export.whatif.domain import Domain, Interval, domain_of, slider
from sparsedyn.export.whatif.starts import starts_of
from sparsedyn.forecast.calibration import INNER, Calibration

DIGITS = 10
"""Significant digits of recorded values: what no sensor has, and half of what a file takes otherwise."""


def facts_of(model: Any, program: Program, data: Trajectories) -> dict[str, Any]:
    """Return what `simulate.js` and the controls of the page are made from.

    `own` are the states that a run begins from, `places` what each state of the exported step is (of a state or an
    input, which, how many rows old), `shown` what is drawn: outputs where the model has some, else its own states.
    """
    domain, (starts, warm) = domain_of(model, data), starts_of(model, data)
    lagged = not isinstance(model, SparseStateSpace) and bool(model.delays_.rows)
    own = program.states[: len(data.state_names)] if lagged else program.states
    places = [(True, i, 0) for i in range(len(own))]
    if lagged:
        places = places_of(model.delays_, len(own), len(program.inputs))
    shown = program.outputs or own
    return {
        "dt": program.dt,
        "latent": isinstance(model, SparseStateSpace),
        "warm": warm,
        "inputs": _inputs(program.inputs, data, domain),
        "own": [_own(one, np.stack([rows[:, i] for rows in starts]), domain, i) for i, one in enumerate(own)],
        "places": [["x" if of_state else "u", i, old] for of_state, i, old in places],
        "shown": [
            {"name": one.name, "unit": one.unit, "near": _finite(domain.states[i : i + 1])}
            for i, one in enumerate(shown)
        ],
        "domain": domain.what,
        "calibration": None if model.calibration_ is None else _calibration(model.calibration_, warm),
        "trajectories": [
            {
                "label": label,
                "rows": len(states),
                "start": first.tolist(),
                "recorded": [packed(column) for column in states.T],
                "inputs": [packed(column) for column in inputs.T],
            }
            for label, states, inputs, first in zip(data.labels, data.states, data.inputs, starts, strict=True)
        ],
    }


def packed(column: Float[np.ndarray, " row"]) -> list[float] | dict[str, Any]:
    """Return a column as its values, or as the rows at which it changes where these are few, as of inputs held."""
    changes = np.flatnonzero(np.diff(column, prepend=np.nan) != 0)
    if 3 * len(changes) < len(column):
        return {"at": changes.tolist(), "to": _short(column[changes])}
    return _short(column)


def _short(values: Float[np.ndarray, " row"]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values.tolist()]


def _inputs(inputs: Sequence[Variable], data: Trajectories, domain: Domain) -> list[dict[str, Any]]:
    pooled = np.concatenate(data.inputs).T
    return [
        {
            "name": one.name,
            "unit": one.unit,
            "near": _finite([near]),
            "range": slider(column, near),
        }
        for one, column, near in zip(inputs, pooled, domain.inputs, strict=True)
    ]


def _own(one: Variable, starts: Float[np.ndarray, "run row"], domain: Domain, place: int) -> dict[str, Any]:
    """A state that a run begins from: measured ones come first, as in the data; latent ones have their own mean."""
    near: Interval | None = None
    if one.mean is not None and one.std is not None:
        near = one.mean - 3 * one.std, one.mean + 3 * one.std
    return {"name": one.name, "unit": one.unit, "range": slider(starts, near)}


def _finite(near: Sequence[Interval]) -> Interval | None:
    """The interval, if there is one with ends."""
    return near[0] if near and np.isfinite(near[0]).all() else None


def _calibration(made: Calibration, warm: int) -> dict[str, Any] | None:
    """What bands are made from, if the model is shown as many rows as in calibration; infinite factors are null."""
    if int(made.edges[0]) != max(1, warm):
        return None
    factor = [[value if np.isfinite(value) else None for value in row] for row in made.factor.tolist()]
    return {
        "coverage": made.coverage,
        "inner": INNER,
        "edges": made.edges.tolist(),
        "residual": made.residual.tolist(),
        "factor": factor,
    }

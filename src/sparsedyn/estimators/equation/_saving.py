"""Fitted equations in a file: the equations as text, the networks that they are read off as arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparsedyn.equations import from_text, to_text
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators.equation._expressions import Equation
from sparsedyn.estimators.equation._forms import Fate
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models import PRIMITIVES, Primitive
from sparsedyn.models.primitives import Units

KINDS: dict[str, type[Any]] = {"weights": int, "complexity": int, "error": float, "score": float}
"""What an equation's numbers are."""


def stored_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON values; raises `ValueError` for primitives that are not built in."""
    if parameters.get("units"):
        units = {
            name: {base: float(power) for base, power in unit.items()} if isinstance(unit, Mapping) else unit
            for name, unit in parameters["units"].items()
        }
        parameters = {**parameters, "units": units}
    chosen = parameters["primitives"]
    if isinstance(chosen, str):
        return dict(parameters)
    counts = {(key.name if isinstance(key, Primitive) else key): count for key, count in chosen.items()}
    own = [key.name for key in chosen if isinstance(key, Primitive) and PRIMITIVES.get(key.name) is not key]
    if own:
        raise ValueError(
            f"primitives: {', '.join(own)} cannot be saved, being functions of your own. Keep the equation: its text "
            "says everything."
        )
    return {**parameters, "primitives": counts}


def stored_equations(
    equations: Sequence[Sequence[Equation]], names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the networks of equations as arrays, and the rest as what a header holds."""
    rows = [
        [{**one._asdict(), "expression": to_text(one.expression, names), "model": None} for one in candidates]
        for candidates in equations
    ]
    arrays = {
        f"target.{i:03d}.{j:03d}": np.concatenate([np.asarray(matrix).ravel() for matrix in one.model.weights])
        for i, candidates in enumerate(equations)
        for j, one in enumerate(candidates)
        if one.model is not None
    }
    # The key is that of the files' format, which is older than this name.
    return arrays, {"names": list(names), "laws": rows}


def restored_equations(stored: Stored, hidden: tuple[Units, ...]) -> list[list[Equation]]:
    """Return the equations that `stored_equations` made a file of, for networks of these layers."""
    names = list(stored.header["names"])
    layout = Layout(len(names), hidden)
    found = []
    for i, rows in enumerate(stored.header["laws"]):
        candidates = []
        for j, row in enumerate(rows):
            weights = stored.arrays.get(f"target.{i:03d}.{j:03d}")
            model = None if weights is None else layout.model(layout.split(_fitting(weights, layout))).exact()
            numbers = {key: kind(row[key]) for key, kind in KINDS.items()}
            candidates.append(Equation(from_text(row["expression"], names), model, **numbers))
        if not candidates:
            raise ValueError("an equation without candidates")
        found.append(candidates)
    return found


def _fitting(weights: np.ndarray, layout: Layout) -> np.ndarray:
    """The weights, if there are as many as the layout has places for."""
    expected = sum(rows * columns for rows, columns in layout.shapes())
    if weights.shape != (expected,) or weights.dtype.kind != "f":
        raise ValueError(f"{expected} weights of a network expected; got {weights.dtype} {weights.shape}")
    return weights


def stored_fates(fates: Sequence[Fate], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return how forms of a user's own fared as JSON values."""
    return [
        {**one._asdict(), "equation": None if one.equation is None else to_text(one.equation, names)}
        | ({} if np.isfinite(one.score) else {"error": None, "score": None})
        for one in fates
    ]


def restored_fates(stored: Stored, names: Sequence[str]) -> list[Fate]:
    """Undo `stored_fates`; older files have none."""
    return [
        Fate(
            row["name"],
            row["text"],
            None if row["equation"] is None else from_text(row["equation"], names),
            *(np.inf if row[name] is None else float(row[name]) for name in ("error", "score")),
        )
        for row in stored.header.get("fates", ())
    ]

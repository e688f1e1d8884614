"""Fitted equations as one safetensors file: the equations as text, the networks that they are read off as arrays."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedyn.data import Scaling
from sparsedyn.equations import from_text, to_text
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators.equation._expressions import Law
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models import PRIMITIVES, Primitive, units_of
from sparsedyn.training import save_arrays

if TYPE_CHECKING:
    from sparsedyn.estimators.equation.learner import EquationLearner
    from sparsedyn.estimators.equation.regressor import EquationRegressor

REGRESSOR, LEARNER = "sparsedyn.EquationRegressor/1", "sparsedyn.EquationLearner/2"


def save_regressor(regressor: "EquationRegressor", path: str | Path) -> None:
    """Write a fitted regressor; raises `ValueError` for primitives that are not built in."""
    names = [str(name) for name in regressor.feature_names_in_]
    header = {"format": REGRESSOR, "parameters": _parameters(regressor), "names": names}
    _write(path, header, [regressor.laws_], names)


def save_learner(learner: "EquationLearner", path: str | Path) -> None:
    """Write a fitted learner; raises `ValueError` for primitives that are not built in."""
    names = [*learner.state_names_, *learner.input_names_]
    header = {
        "format": LEARNER,
        "parameters": _parameters(learner),
        "names": names,
        "scaling": learner.scaling_.to_dict(),
        "statistics": learner.statistics_.to_dict(),
        "variables": learner.variables_._asdict(),
    }
    _write(path, header, learner.laws_, names)


def restored_regressor(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "EquationRegressor":
    """Return the regressor of a file that `save_regressor` wrote."""
    from sparsedyn.estimators.equation.regressor import EquationRegressor

    regressor = EquationRegressor(**header["parameters"])
    regressor._adopt(_laws(arrays, header, regressor)[0], list(header["names"]))
    return regressor


def restored_learner(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "EquationLearner":
    """Return the learner of a file that `save_learner` wrote."""
    from sparsedyn.estimators.equation.learner import EquationLearner

    learner = EquationLearner(**header["parameters"])
    variables: dict[str, Any] = {
        key: value if key == "dt" else tuple(value) for key, value in header["variables"].items()
    }
    scaling, statistics = (Scaling.from_dict(header[name]) for name in ("scaling", "statistics"))
    learner._adopt(_laws(arrays, header, learner), scaling, statistics, Variables(**variables))
    return learner


def _write(path: str | Path, header: dict[str, Any], laws: Sequence[Sequence[Law]], names: Sequence[str]) -> None:
    rows = [
        [{**law._asdict(), "expression": to_text(law.expression, names), "model": None} for law in candidates]
        for candidates in laws
    ]
    arrays = {
        f"target.{i:03d}.{j:03d}": np.concatenate([np.asarray(matrix).ravel() for matrix in law.model.weights])
        for i, candidates in enumerate(laws)
        for j, law in enumerate(candidates)
    }
    versions = {name: importlib.metadata.version(name) for name in ("sparsedyn", "jax", "equinox", "sympy")}
    save_arrays(path, arrays, {**header, "laws": rows, "versions": versions})


def _laws(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any], estimator: Any) -> list[list[Law]]:
    names = list(header["names"])
    layout = Layout(len(names), (units_of(estimator.primitives),) * estimator.hidden)
    found = []
    for i, rows in enumerate(header["laws"]):
        candidates = []
        for j, row in enumerate(rows):
            model = layout.model(layout.split(arrays[f"target.{i:03d}.{j:03d}"])).exact()
            candidates.append(Law(**{**row, "expression": from_text(row["expression"], names), "model": model}))
        found.append(candidates)
    return found


def _parameters(estimator: Any) -> dict[str, Any]:
    parameters = dict(estimator.get_params(deep=False))
    chosen = parameters["primitives"]
    if isinstance(chosen, str):
        return parameters
    counts = {(key.name if isinstance(key, Primitive) else key): count for key, count in chosen.items()}
    own = [key.name for key in chosen if isinstance(key, Primitive) and PRIMITIVES.get(key.name) is not key]
    if own:
        raise ValueError(
            f"primitives: {', '.join(own)} cannot be saved, being functions of your own. Keep the equation: its text "
            "says everything."
        )
    return parameters | {"primitives": counts}

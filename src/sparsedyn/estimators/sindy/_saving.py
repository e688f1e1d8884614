"""Fitted `SINDy` estimators as one safetensors file: coefficients as arrays, all else in its JSON header."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators.sindy._fitting import Found
from sparsedyn.estimators.sindy._settings import functions_of
from sparsedyn.models import PRIMITIVES, Library
from sparsedyn.training import save_arrays

if TYPE_CHECKING:
    from sparsedyn.estimators.sindy.sindy import SINDy

FORMAT = "sparsedyn.SINDy/1"


def save(estimator: "SINDy", path: str | Path) -> None:
    """Write a fitted estimator; raises `ValueError` for functions that are not built in."""
    library = estimator.library_
    own = [f.name for f in library.functions if PRIMITIVES.get(f.name) is not f]
    if own:
        raise ValueError(
            f"functions: {', '.join(own)} cannot be saved, being of your own. Keep the equations: their text says "
            "everything."
        )
    parameters = estimator.get_params(deep=False)
    # What was fitted, whatever has been set since: coefficients have the shape of this order.
    parameters["order"] = estimator.model_.order
    parameters["functions"] = [f.name for f in functions_of(estimator.functions)]
    parameters["threshold"] = (
        threshold if isinstance(threshold := estimator.threshold, str) else np.asarray(threshold).tolist()
    )
    header = {
        "format": FORMAT,
        "parameters": parameters,
        "library": {
            "degree": library.degree,
            "constant": library.constant,
            "functions": [f.name for f in library.functions],
        },
        "variables": estimator._variables()._asdict(),
        "versions": {name: importlib.metadata.version(name) for name in ("sparsedyn", "numpy")},
    }
    arrays = {"coefficients": estimator.coefficients_, "thresholds": estimator.thresholds_}
    save_arrays(path, arrays | ({} if estimator.members_ is None else {"members": estimator.members_}), header)


def restored(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "SINDy":
    """Return the estimator of a file that `save` wrote."""
    from sparsedyn.estimators.sindy.sindy import SINDy

    parameters: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in header["parameters"].items()}
    named: dict[str, Any] = {k: v if k == "dt" else tuple(v) for k, v in header["variables"].items()}
    estimator, variables = SINDy(**parameters), Variables(**named)
    count = estimator.order * len(variables.state_names) + len(variables.input_names)
    made = header["library"]
    library = Library(count, made["degree"], functions_of(made["functions"]), made["constant"])
    coefficients = arrays["coefficients"]
    if coefficients.shape != (library.size, len(variables.state_names)):
        raise ValueError(f"coefficients of {library.size} terms expected, there are {coefficients.shape}")
    return estimator._adopt(Found(coefficients, arrays["thresholds"], arrays.get("members")), library, variables)

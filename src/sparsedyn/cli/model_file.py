"""Model files, which also hold the column options of the training data, so that a forecast need not repeat them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.source import ColumnOptions

if TYPE_CHECKING:
    from sparsedyn.estimators import EquationLearner, SINDy, SparseStateSpace, SparseTimeStepper

    Fitted = EquationLearner | SINDy | SparseStateSpace | SparseTimeStepper

KEY = "columns"


def save_model(model: "Fitted", path: Path, columns: ColumnOptions) -> None:
    """Write a fitted model and the column options; the file is complete or absent."""
    from sparsedyn.training import load_arrays, save_arrays

    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        model.save(temporary)
        arrays, header = load_arrays(temporary)
        save_arrays(path, arrays, {**header, KEY: columns.given})
    finally:
        temporary.unlink(missing_ok=True)


def load_model(path: Path) -> tuple["Fitted", ColumnOptions]:
    """Read a model of dynamics, and the column options that it was trained with; raises `CheckpointError`."""
    from sparsedyn.estimators import EquationLearner, SINDy, SparseStateSpace, SparseTimeStepper, load
    from sparsedyn.training import CheckpointError, load_arrays

    model = load(path)
    if not isinstance(model, EquationLearner | SINDy | SparseTimeStepper | SparseStateSpace):
        raise CheckpointError(
            f"{path}: expected a model that `sparsedyn fit` or `sparsedyn sindy` wrote; this is an "
            f"{type(model).__name__}. Read it in Python with sparsedyn.load."
        )
    return model, ColumnOptions.restored(load_arrays(path)[1].get(KEY, {}))


def with_statements(path: Path) -> Any:
    """Read a model that has equations; raises `CheckpointError`."""
    from sparsedyn.estimators import load
    from sparsedyn.training import CheckpointError

    model = load(path)
    if not hasattr(model, "statements"):
        raise CheckpointError(
            f"{path}: expected a model that has equations; this is a {type(model).__name__}, an ensemble of networks. "
            "`sparsedyn sindy` finds equations in the data that it was trained on."
        )
    return model


def described(path: Path) -> dict[str, Any]:
    """Return the content of a model file of any kind, for JSON; raises `CheckpointError`."""
    from sparsedyn.equations import text
    from sparsedyn.estimators import EquationRegressor, SINDyAutoencoder, load

    model = load(path)
    facts: dict[str, Any] = {"file": str(path), "kind": type(model).__name__}
    if isinstance(model, EquationRegressor):
        chosen = model.candidates_[0]
        return facts | {
            "inputs": list(model.feature_names_in_),
            "equation": text(chosen.expression),
            "error": chosen.error,
        }
    if not isinstance(model, SINDyAutoencoder):
        facts |= {"states": list(model.state_names_), "inputs": list(model.input_names_), "dt": model.dt_}
    if hasattr(model, "statements"):
        facts["equations"] = [statement.text() for statement in model.statements()]
    if hasattr(model, "members"):
        facts["members"] = model.members
    facts["nonzeros"] = float(model.nonzeros_.mean())
    return facts | ({"weights": model.weights_} if hasattr(model, "weights_") else {})

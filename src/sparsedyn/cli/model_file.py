"""Model files, which also hold the column options of the training data, so that a forecast need not repeat them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.source import ColumnOptions

if TYPE_CHECKING:
    from sparsedyn.estimators import SparseStateSpace, SparseTimeStepper

KEY = "columns"


def save_model(model: "SparseTimeStepper | SparseStateSpace", path: Path, columns: ColumnOptions) -> None:
    """Write a fitted model and the column options; the file is complete or absent."""
    from sparsedyn.training import load_arrays, save_arrays

    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        model.save(temporary)
        arrays, header = load_arrays(temporary)
        save_arrays(path, arrays, {**header, KEY: columns.given})
    finally:
        temporary.unlink(missing_ok=True)


def load_model(path: Path) -> tuple["SparseTimeStepper | SparseStateSpace", ColumnOptions]:
    """Read a model, and the column options that it was trained with; raises `CheckpointError`."""
    from sparsedyn.estimators import SparseStateSpace, SparseTimeStepper, load
    from sparsedyn.training import CheckpointError, load_arrays

    model = load(path)
    if not isinstance(model, SparseTimeStepper | SparseStateSpace):
        raise CheckpointError(
            f"{path}: expected a model that `sparsedyn fit` wrote; this is an {type(model).__name__}. Read it in "
            "Python with sparsedyn.load."
        )
    return model, ColumnOptions.restored(load_arrays(path)[1].get(KEY, {}))


def described(path: Path) -> dict[str, Any]:
    """Return the content of a model file of any kind, for JSON; raises `CheckpointError`."""
    from sparsedyn.equations import text
    from sparsedyn.estimators import EquationLearner, EquationRegressor, SparseStateSpace, load

    model = load(path)
    facts: dict[str, Any] = {"file": str(path), "kind": type(model).__name__}
    if isinstance(model, EquationRegressor):
        chosen = model.candidates_[0]
        return facts | {
            "inputs": list(model.feature_names_in_),
            "equation": text(chosen.expression),
            "error": chosen.error,
        }
    facts |= {"states": list(model.state_names_), "inputs": list(model.input_names_), "dt": model.dt_}
    if isinstance(model, EquationLearner):
        pairs = zip(model.state_names_, model.equations(), strict=True)
        return facts | {"equations": [f"d{name}/dt = {text(right)}" for name, right in pairs]}
    if isinstance(model, SparseStateSpace):
        names = [f"{name}[k+1]" for name in model.latent_names_] + [f"{name}[k]" for name in model.state_names_]
        facts["equations"] = [f"{n} = {text(right)}" for n, right in zip(names, model.equations(), strict=True)]
        return facts | {"nonzeros": float(model.nonzeros_.mean()), "weights": model.weights_}
    return facts | {"members": model.members, "nonzeros": float(model.nonzeros_.mean()), "weights": model.weights_}

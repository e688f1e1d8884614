"""A model's file, and in it the columns of its training data, so that a forecast need not repeat them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sparsedyn.cli.source import Columns

if TYPE_CHECKING:
    from sparsedyn.estimators import SparseTimeStepper

KEY = "columns"


def save_model(stepper: "SparseTimeStepper", path: Path, columns: Columns) -> None:
    """Write a fitted model and the column options; the file appears whole."""
    from sparsedyn.training import load_arrays, save_arrays

    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        stepper.save(temporary)
        arrays, header = load_arrays(temporary)
        save_arrays(path, arrays, {**header, KEY: columns.given})
    finally:
        temporary.unlink(missing_ok=True)


def load_model(path: Path) -> tuple["SparseTimeStepper", Columns]:
    """Read a model, and the column options that it was trained with; raises `CheckpointError`."""
    from sparsedyn.estimators import load
    from sparsedyn.training import load_arrays

    stepper = load(path)
    stored = load_arrays(path)[1].get(KEY, {})
    return stepper, Columns(**{name: value for name, value in stored.items() if name in Columns._fields})

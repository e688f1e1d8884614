"""The one format of model files: arrays, and a JSON header that says what they are and who wrote them."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparsedyn.training import CheckpointError, load_arrays, save_arrays

PACKAGE = "sparsedyn"
WRITERS = ("sparsedyn", "jax", "equinox", "optax", "numpy", "sympy")
"""Packages whose versions a file keeps."""


class Stored(NamedTuple):
    """What is in a model file: the class that wrote it, the version of its format, arrays, and a header."""

    kind: str
    version: int
    arrays: dict[str, np.ndarray]
    header: dict[str, Any]


def write(path: str | Path, kind: str, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write a model file of a kind such as `SparseTimeStepper/1`, atomically."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise CheckpointError(f"{path}: expected a file in a folder that exists; there is no {folder}. Make it first.")
    versions = {name: importlib.metadata.version(name) for name in WRITERS}
    save_arrays(path, dict(arrays), {"format": f"{PACKAGE}.{kind}", **header, "versions": versions})


def read(path: str | Path) -> Stored:
    """Read a model file; raises `CheckpointError` for a file that is missing, cut short or something else."""
    arrays, header = load_arrays(path)
    package, _, rest = str(header.get("format", "")).partition(".")
    kind, _, version = rest.partition("/")
    if package != PACKAGE or not version.isdigit():
        raise CheckpointError(
            f"{path}: expected a model file; got {header.get('format', 'another file')!r}. Give the file that `save` "
            "or `sparsedyn fit` wrote."
        )
    return Stored(kind, int(version), arrays, header)


def numbered(arrays: Mapping[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """Return the arrays whose names begin with `prefix`, in the order of their names."""
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]

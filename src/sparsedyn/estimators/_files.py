"""The one format of model files: arrays, and a JSON header that says what they are and who wrote them."""

import importlib.metadata
from collections.abc import Mapping, Sequence
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

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        """Return an array of real numbers of this shape, of any length where it is None; `ValueError` for another."""
        found = self.arrays[name]
        same = len(found.shape) == len(shape) and all(map(lambda want, n: want in (None, n), shape, found.shape))
        if not same or found.dtype.kind != "f":
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(f"{name}: expected real numbers of the shape ({wanted}); got {found.dtype} {found.shape}")
        return found

    def check_layers(self, layers: Sequence[Any]) -> None:
        """Raise `ValueError` for more layers of a network than there are arrays: each has one at least."""
        if len(layers) > len(self.arrays):
            raise ValueError(f"there are {len(layers)} layers, and {len(self.arrays)} arrays")


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


def flags(values: Any, count: int) -> np.ndarray:
    """Return so many truth values as an array; `ValueError` for others."""
    if not isinstance(values, list) or len(values) != count or not all(isinstance(one, bool) for one in values):
        raise ValueError(f"{count} truth values expected; got {values!r:.80}")
    return np.asarray(values, bool)


def numbered(arrays: Mapping[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """Return the arrays whose names begin with `prefix`, in the order of their names."""
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]

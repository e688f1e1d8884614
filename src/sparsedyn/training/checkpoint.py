"""Snapshots of a run on disk: arrays in safetensors, the rest as JSON in its header; never a pickle."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialized

from sparsedyn import _disk
from sparsedyn.data import DataError
from sparsedyn.data.budget import check_memory, parsed_json, short


class CheckpointError(ValueError):
    """A file is missing, cut short, or belongs to another run."""


class OtherRunError(CheckpointError):
    """A checkpoint is whole, but of another run."""


class Checkpoint(NamedTuple):
    """Where a run is saved, the identity that must match for it to be resumed, and the seconds between saves."""

    path: Path
    identity: str
    seconds: float = 15.0

    def save(self, state: PyTree, header: dict[str, Any]) -> None:
        """Write the state of a run."""
        save_tree(self.path, state, {"identity": self.identity} | header)

    def load(self, like: PyTree) -> tuple[PyTree, dict[str, Any]] | None:
        """Return the saved state and header, `None` where nothing is saved; another run's file is refused."""
        if not self.path.exists():
            return None
        _, header = load_arrays(self.path)
        if header.get("identity") != self.identity:
            raise OtherRunError(
                f"{self.path}: expected a checkpoint of this run; it is of another one (other data, settings or "
                "seed). Delete it or choose another folder."
            )
        return load_tree(self.path, like)


def save_arrays(path: str | Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write named arrays and a JSON header, atomically and durably."""
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a file name to write to; this is a folder. Name a file in it.")
    try:
        # safetensors takes the bytes as they lie: without a contiguous copy, a transposed array is saved
        # wrongly.
        contiguous = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
        shapes = {name: list(np.shape(a)) for name, a in arrays.items()}
        contiguous = {name: a.reshape(shapes[name]) for name, a in contiguous.items()}
        text = json.dumps(header, default=_scalar)
        data = serialized(contiguous, metadata={"sparsedyn": text, "sha256": _digest(contiguous, text)})
        with _disk.replacing(path) as temporary:
            temporary.write_bytes(_in_order(data))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: cannot be written ({error}). Choose another place.") from error


def load_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the header that `save_arrays` wrote; `CheckpointError` for anything else.

    They are compared with the file's checksum, a SHA-256 of both.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: expected a file written by sparsedyn; there is none. Check the path.")
    try:
        size = path.stat().st_size
        # The arrays, and the bytes of one of them for the checksum.
        check_memory(2 * size, f"arrays of {size} bytes")
        with safe_open(str(path), framework="numpy") as handle:
            header = handle.metadata() or {}
            arrays = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        found = parsed_json(header["sparsedyn"])
        if not isinstance(found, dict):
            raise TypeError("its header is no table")
    except DataError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:
        raise CheckpointError(
            f"{path}: expected a safetensors file written by sparsedyn; it cannot be read as one ({short(error)}). "
            "It may be cut short or something else: write it again."
        ) from error
    # Files of versions before checksums have none.
    if "sha256" in header and header["sha256"] != _digest(arrays, header["sparsedyn"]):
        raise CheckpointError(
            f"{path}: expected the content that was written; its checksum is that of another one, so that the file was "
            "damaged or changed. Take a copy of it, or write it again."
        )
    return arrays, found


def has_checksum(path: str | Path) -> bool:
    """Whether a file that `save_arrays` wrote has a checksum, which `load_arrays` compares."""
    with safe_open(str(path), framework="numpy") as handle:
        return "sha256" in (handle.metadata() or {})


def save_tree(path: str | Path, tree: PyTree, header: dict[str, Any]) -> None:
    """Write the array leaves of any pytree in their order."""
    leaves = jax.tree.leaves(tree)
    save_arrays(path, {f"{i:05d}": np.asarray(_plain(leaf)) for i, leaf in enumerate(leaves)}, header)


def load_tree(path: str | Path, like: PyTree) -> tuple[PyTree, dict[str, Any]]:
    """Return a pytree like `like` with the leaves of the file, bit for bit, and the header."""
    arrays, header = load_arrays(path)
    leaves, structure = jax.tree.flatten(like)
    stored = [arrays[name] for name in sorted(arrays)]
    expected = [(jnp.shape(_plain(leaf)), jnp.dtype(_plain(leaf).dtype)) for leaf in leaves]
    if [(a.shape, a.dtype) for a in stored] != expected:
        raise CheckpointError(
            f"{path}: expected {len(leaves)} arrays of this run's shapes and types; the file has {len(stored)} of "
            "others. It belongs to another run: delete it or choose another folder."
        )
    restored = [_like(a, leaf) for a, leaf in zip(stored, leaves, strict=True)]
    return jax.tree.unflatten(structure, restored), header


def _digest(arrays: dict[str, np.ndarray], text: str) -> str:
    """Return the SHA-256 of a header and of arrays with their names, types and shapes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"\0{name}\0{array.dtype.str}\0{np.shape(arrays[name])}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _in_order(data: bytes) -> bytes:
    """Return a file's content with its metadata in order, which safetensors writes in another one each time."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[start:]


def _scalar(value: Any) -> Any:
    """Convert NumPy scalars to plain numbers."""
    return value.item()


def _plain(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf


def _like(array: np.ndarray, leaf: Any) -> Any:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(array))
    return jnp.asarray(array)

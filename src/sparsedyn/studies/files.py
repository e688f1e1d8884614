"""Files that are written atomically: they appear under their name when they are whole."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn import _disk
from sparsedyn._disk import replacing
from sparsedyn.studies.checksums import SUMS, sums_of
from sparsedyn.studies.errors import StudyError


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill, which replaces `folder` on success, with checksums of its files."""
    with _disk.appearing(folder) as temporary:
        yield temporary
        (temporary / SUMS).write_text(sums_of(temporary), encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically; numbers must be finite, as JSON demands."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a study directory."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: expected JSON written by a study; it cannot be read ({error}).") from error
    return content


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file, of `names` those that are in it; none where there is no such file."""
    if not path.is_file():
        return {}
    # NumPy leaves a file that it cannot read open.
    with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if names is None or name in names}


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a Parquet file atomically."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)

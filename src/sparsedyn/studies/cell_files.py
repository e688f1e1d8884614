"""Finished cells on disk, there whole or not at all; and the table over all of them."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsedyn.studies.cells import Cell, Outcome
from sparsedyn.studies.store import Store, appearing, read_arrays, read_json, read_of_cell, replacing, write_json


class Stored(NamedTuple):
    """What is stored of a finished cell: facts (cell.json), arrays (npz), tables by the names of their files."""

    slug: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({})


def write_cell(folder: Path, cell: Cell, outcome: Outcome) -> None:
    """Store a cell."""
    with appearing(folder) as room:
        np.savez_compressed(room / "arrays.npz", allow_pickle=False, **outcome.arrays)
        write_json(room / "cell.json", _finite({"label": cell.label, "slug": cell.slug, **outcome.facts}))


def stored_cells(store: Store, cells: Sequence[Cell]) -> list[Stored]:
    """Return those of the cells that are finished; raises `StudyError` for damaged files."""
    store.check_cells()
    return [_stored(store.cell(cell.slug)) for cell in cells if store.is_finished(cell.slug)]


def write_results(store: Store, table: pd.DataFrame) -> None:
    """Write `results.parquet`. Equal cells give equal bytes; times are in `run.json`."""
    with replacing(store.results_file) as temporary:
        table.to_parquet(temporary, index=False)


def run_facts(store: Store) -> dict[str, Any]:
    """Return the content of `run.json`, nothing where there is none."""
    return read_json(store.run_file) if store.run_file.is_file() else {}


def _stored(folder: Path) -> Stored:
    facts = read_of_cell(folder / "cell.json", lambda path: json.loads(path.read_text("utf-8")))
    arrays: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.npz")):
        arrays |= read_of_cell(path, read_arrays)
    tables = {path.stem: read_of_cell(path, pd.read_parquet) for path in sorted(folder.glob("*.parquet"))}
    return Stored(folder.name, facts, arrays, tables)


def _finite(value: Any) -> Any:
    """What JSON can hold: no number in place of one that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

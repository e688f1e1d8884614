"""Finished cells on disk, each written atomically, and the table over all of them."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsedyn.studies.cells import Cell, CellFiles, Outcome
from sparsedyn.studies.files import appearing, read_arrays, read_json, write_json, write_table
from sparsedyn.studies.store import Store, read_of_cell


class StoredCell(NamedTuple):
    """What is stored of a finished cell: facts (cell.json), arrays, tables by the stems of their files."""

    slug: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({})


def write_cell(folder: Path, files: CellFiles, cell: Cell, outcome: Outcome, made: Mapping[str, Any]) -> None:
    """Store a cell, and what it was made with."""
    with appearing(folder) as room:
        np.savez_compressed(room / files.arrays, allow_pickle=False, **outcome.arrays)
        for stem in files.tables:
            outcome.tables[stem].to_parquet(room / f"{stem}.parquet", index=False)
        for name in files.others:
            outcome.others[name](room / name)
        facts = {"label": cell.label, "slug": cell.slug, **outcome.facts, "made": made}
        write_json(room / "cell.json", _finite(facts))


def stored_cells(store: Store, files: CellFiles, cells: Sequence[Cell]) -> list[StoredCell]:
    """Return those of the cells that are finished; raises `StudyError` where files are missing or damaged."""
    store.check_cells(files)
    return [_stored(store.cell(cell.slug), files) for cell in cells if store.is_finished(cell.slug)]


def write_results(store: Store, table: pd.DataFrame) -> None:
    """Write `results.parquet`. The bytes depend only on the cells; times are in `run.json`."""
    write_table(store.results_file, table)


def run_facts(store: Store) -> dict[str, Any]:
    """Return the content of `run.json`, nothing where there is none."""
    return read_json(store.run_file) if store.run_file.is_file() else {}


def _stored(folder: Path, files: CellFiles) -> StoredCell:
    return StoredCell(
        folder.name,
        read_of_cell(folder / "cell.json", lambda path: json.loads(path.read_text(encoding="utf-8"))),
        read_of_cell(folder / files.arrays, read_arrays),
        {stem: read_of_cell(folder / f"{stem}.parquet", pd.read_parquet) for stem in files.tables},
    )


def _finite(value: Any) -> Any:
    """Return a value that JSON can hold: null in place of numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Finished cells on disk: `cell.json` and `arrays.npz`, there whole or not at all; and the table over all of them."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsedyn.studies.equations.cells import Cell, Outcome
from sparsedyn.studies.equations.experiments import experiment_of
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.store import Store, appearing, read_arrays, read_of_cell, replacing, write_json


class Stored(NamedTuple):
    """What is stored of a finished cell."""

    slug: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


def write_cell(folder: Path, cell: Cell, outcome: Outcome) -> None:
    """Store a cell."""
    with appearing(folder) as room:
        np.savez_compressed(room / "arrays.npz", allow_pickle=False, **outcome.arrays)
        write_json(room / "cell.json", _finite({"label": cell.label, "slug": cell.slug, **outcome.facts}))


def stored_cells(store: Store, spec: EquationsSpec) -> list[Stored]:
    """Return the finished cells in the order of the study; raises `StudyError` for damaged files."""
    store.check_cells()
    cells = [cell for cell in experiment_of(spec).cells(spec) if store.is_finished(cell.slug)]
    return [
        Stored(
            cell.slug,
            read_of_cell(store.cell(cell.slug) / "cell.json", lambda path: json.loads(path.read_text("utf-8"))),
            read_of_cell(store.cell(cell.slug) / "arrays.npz", read_arrays),
        )
        for cell in cells
    ]


def collect(store: Store, spec: EquationsSpec, cells: Sequence[Stored]) -> pd.DataFrame:
    """Write `results.parquet`, and return it. Equal cells give equal bytes; times are in `run.json`."""
    table = results_of(spec, cells)
    with replacing(store.results_file) as temporary:
        table.to_parquet(temporary, index=False)
    return table


def results_of(spec: EquationsSpec, cells: Sequence[Stored]) -> pd.DataFrame:
    """Return the table over some cells."""
    rows = experiment_of(spec).rows
    return pd.DataFrame([row for cell in cells for row in rows(cell.facts, cell.arrays)])


def _finite(value: Any) -> Any:
    """What JSON can hold: no number in place of one that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

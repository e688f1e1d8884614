"""What is stored of a study, read from the directory of its run, or from the few files that are kept for its page.

A kept folder has what the page is made from, without models and bulk:

    study.toml, run.json, results.parquet    as in the directory of the run
    cells.json                               the facts of all finished cells, a cell a line
    arrays.npz                               their arrays, as SLUG/NAME
    NAME.parquet                             a table of all cells, as forecasts and history, or of the study, as rung-1
    test.npz                                 some test trajectories of a comparison
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from sparsedyn._disk import replacing
from sparsedyn.data import Trajectories, read, write
from sparsedyn.studies.cell_files import StoredCell, run_facts, stored_cells
from sparsedyn.studies.cells import Cell, CellFiles
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import read_arrays, write_json, write_table, write_text
from sparsedyn.studies.search_files import SearchFiles
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store

Spec = TypeVar("Spec", bound=AbstractStudySpec)
Spec_co = TypeVar("Spec_co", bound=AbstractStudySpec, covariant=True)

CELLS, ARRAYS, TEST = "cells.json", "arrays.npz", "test.npz"
PLAIN = ("study.toml", "run.json", "claims.json")
CELL = "cell"
"""The column of a table of all cells that names the cell by its slug."""


@dataclass(frozen=True)
class StoredStudy(Generic[Spec_co]):
    """The finished part of a study.

    `run` is the content of run.json, `results` the table over the cells. `tables` are those of the study as a whole,
    `test` the test trajectories; both are empty for most kinds.
    """

    spec: Spec_co
    run: Mapping[str, Any]
    cells: Sequence[StoredCell]
    results: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    test: Trajectories | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds that each cell took, by its slug, as far as they are known."""
        cells = self.run.get("cells", {})
        return {slug: float(cell["seconds"]) for slug, cell in cells.items() if "seconds" in cell}


def read_run(
    store: Store, files: CellFiles, spec: Spec, cells: Sequence[Cell], results: pd.DataFrame
) -> StoredStudy[Spec]:
    """Return the study in the directory of its run, with those of `cells` that are finished, and their `results`.

    Raises `StudyError` where `files` are missing or damaged.
    """
    return _of_run(store, spec, stored_cells(store, files, cells), results)


def read_finished(store: Store, files: CellFiles, spec: Spec, cells: Sequence[Cell]) -> StoredStudy[Spec]:
    """Return the study in the directory of its run with the results that are stored there.

    Raises `StudyError` where files are missing or damaged, and for a cell that is not among the results.
    """
    stored, file = stored_cells(store, files, cells), store.results_file
    results = _read(file, pd.read_parquet) if file.is_file() else pd.DataFrame({CELL: []})
    known = set(results[CELL])
    absent = [label for cell in stored if (label := cell.facts["label"]) not in known]
    if absent:
        raise StudyError(
            f"{store.directory}: expected every cell in results.parquet; {absent[0]!r} is not in it. Collect the "
            f"results again: sparsedyn study report {store.directory}"
        )
    return _of_run(store, spec, stored, results)


def _of_run(store: Store, spec: Spec, cells: Sequence[StoredCell], results: pd.DataFrame) -> StoredStudy[Spec]:
    rungs = SearchFiles(store.directory).finished()
    test = store.data_file("test")
    return StoredStudy(
        spec,
        run_facts(store),
        cells,
        results,
        {path.stem: _read(path, pd.read_parquet) for path in rungs},
        _read(test, read) if test.is_file() else None,
    )


def is_kept(directory: Path) -> bool:
    """Whether `directory` has what was kept of a study rather than the files of its run."""
    return (directory / CELLS).is_file()


def read_kept(directory: Path, spec: Spec) -> StoredStudy[Spec]:
    """Return the study of a kept folder; raises `StudyError` for damaged files."""
    store = Store(directory)
    arrays: dict[str, dict[str, np.ndarray]] = {}
    for name, array in _read(directory / ARRAYS, _arrays).items():
        slug, _, own = name.partition("/")
        arrays.setdefault(slug, {})[own] = array
    tables = {path.stem: _read(path, pd.read_parquet) for path in sorted(directory.glob("[!.]*.parquet"))}
    results = tables.pop(store.results_file.stem, None)
    if results is None:
        raise _damaged(store.results_file, "is missing")
    of_cells = {name: table for name, table in tables.items() if CELL in table}
    cells = [
        StoredCell(
            facts["slug"],
            facts,
            arrays.get(facts["slug"], {}),
            {name: _of_cell(table, facts["slug"]) for name, table in of_cells.items()},
        )
        for facts in _read(directory / CELLS, lambda path: json.loads(path.read_text(encoding="utf-8")))
    ]
    whole = {name: table for name, table in tables.items() if name not in of_cells}
    test = directory / TEST
    return StoredStudy(spec, run_facts(store), cells, results, whole, _read(test, read) if test.is_file() else None)


def write_kept(study: StoredStudy[Any], spec: str, folder: Path) -> None:
    """Write `study` to the empty `folder`, with `spec` as its study.toml; equal studies give equal bytes."""
    store = Store(folder)
    if study.run:
        write_json(store.run_file, study.run)
    lines = [json.dumps({**cell.facts, "slug": cell.slug}, ensure_ascii=False, allow_nan=False) for cell in study.cells]
    write_text(folder / CELLS, "[\n" + ",\n".join(lines) + "\n]\n")
    write_arrays(folder / ARRAYS, {f"{c.slug}/{name}": a for c in study.cells for name, a in c.arrays.items()})
    for name in dict.fromkeys(name for cell in study.cells for name in cell.tables):
        parts = [cell.tables[name].assign(**{CELL: cell.slug}) for cell in study.cells if name in cell.tables]
        write_table(folder / f"{name}.parquet", pd.concat(parts, ignore_index=True))
    for name, table in {**study.tables, store.results_file.stem: study.results}.items():
        write_table(folder / f"{name}.parquet", table)
    if study.test is not None:
        _write_test(study.test, folder / TEST)
    # Last: it marks the folder as a study's.
    write_text(store.spec_file, spec)


def is_kept_file(path: str) -> bool:
    """Whether a kept folder may have a file of this name in it."""
    return "/" not in path and (path in (*PLAIN, CELLS, ARRAYS, TEST) or path.endswith(".parquet"))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file, compressed; equal arrays give equal bytes."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
            # A fixed date, the earliest that zip files have.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, stream.getvalue(), zipfile.ZIP_DEFLATED, 9)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    # A missing file is an error, unlike an empty one.
    path.stat()
    return read_arrays(path)


def _write_test(test: Trajectories, path: Path) -> None:
    """Write trajectories in single precision, which is enough for pictures."""
    write(test, path)
    arrays = read_arrays(path)
    write_arrays(path, {**arrays, **{name: arrays[name].astype(np.float32) for name in ("states", "inputs")}})


def _of_cell(table: pd.DataFrame, slug: str) -> pd.DataFrame:
    return table[table[CELL] == slug].drop(columns=CELL).reset_index(drop=True)


def _read(path: Path, how: Any) -> Any:
    try:
        return how(path)
    except Exception as error:  # every format raises errors of its own
        why = f"cannot be read ({' '.join(str(error).split())})" if path.is_file() else "is missing"
        raise _damaged(path, why) from error


def _damaged(path: Path, why: str) -> StudyError:
    fix = f"sparsedyn study resume {path.parent}"
    if is_kept(path.parent):
        fix = "This folder is only what was kept of a study: publish and keep it again from where it was run."
    return StudyError(f"{path.parent}: expected the files of a study; {path.name} {why}. {fix}")

"""The functions by which a kind of study is read, run, reported and published."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.cells import Cell, CellFiles
from sparsedyn.studies.document import Document
from sparsedyn.studies.spec import AbstractStudySpec, Table
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy
from sparsedyn.studies.summary import Overview, Summary
from sparsedyn.studies.units import StudyRun, Unit

ONE_FILE = CellFiles()


def _fits(spec: Any) -> None:
    """Accept any spec."""


def _whole(study: StoredStudy[Any]) -> StoredStudy[Any]:
    return study


def _never(spec: Any) -> bool:
    return False


def _none_yet(spec: Any, store: Store) -> str:
    return "before its cells were chosen"


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    How it is read: `spec` is the class of its specs, which names the kind; `check` raises `Misfit` for errors that
    validation cannot find; `paths` are dotted keys of files, which are looked for beside the TOML file; `tables` are
    those that cannot be read off the class, by their keys, for messages; `overview` says what a study will compute.

    How it is run: `cells` lists the cells that a study has in the end, none until they are chosen; `undecided` then
    says how far the choice is. `units` yields what is computed together, each when the one before it is stored.
    `chained` says whether a unit depends on those before it, as in a search: otherwise one that fails leaves the others
    as they are. `files` are those of a finished cell.

    How it is reported: `results` is the table over finished cells, whose column `cell` has their labels; `document` is
    the report; `kept` is the study reduced to what the report needs, for publishing; `summary` gives its results in a
    few lines.
    """

    spec: type[AbstractStudySpec]
    cells: Callable[[Any, Store], Sequence[Cell]]
    units: Callable[[StudyRun[Any]], Iterable[Unit]]
    results: Callable[[Any, Sequence[StoredCell]], pd.DataFrame]
    document: Callable[[StoredStudy[Any]], Document]
    overview: Callable[[Any], Overview]
    summary: Callable[[Any, Store, pd.DataFrame], Summary]
    kept: Callable[[StoredStudy[Any]], StoredStudy[Any]] = _whole
    files: CellFiles = ONE_FILE
    check: Callable[[Any], object] = _fits
    undecided: Callable[[Any, Store], str] = _none_yet
    chained: Callable[[Any], bool] = _never
    paths: Sequence[str] = ()
    tables: Mapping[str, type[Table]] = field(default_factory=dict)

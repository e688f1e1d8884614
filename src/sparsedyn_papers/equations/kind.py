"""Studies of equation learners as a kind of study: one of three experiments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.document import Document
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy
from sparsedyn.studies.summary import Overview, listed_cells
from sparsedyn.studies.units import StudyRun, Unit, one_by_one
from sparsedyn_papers.equations import composite, composite_report, functions, functions_report
from sparsedyn_papers.equations.spec import EquationsSpec
from sparsedyn_papers.equations.summary import summary


@dataclass(frozen=True)
class Experiment:
    """What its cells are, how one is computed, which rows it gives, its report, and cells with what that needs."""

    cells: Callable[[EquationsSpec], Sequence[Cell]]
    compute: Callable[[EquationsSpec, Any, OnProgress], Outcome]
    rows: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], list[dict[str, Any]]]
    document: Callable[[StoredStudy[EquationsSpec]], Document]
    kept: Callable[[Sequence[StoredCell]], list[StoredCell]]


EXPERIMENTS = {
    "functions": Experiment(
        functions.cells, functions.compute, functions.rows, functions_report.document, functions_report.kept
    ),
    "digits": Experiment(
        composite.cells,
        composite.compute_digits,
        composite.rows_digits,
        composite_report.digits_document,
        composite_report.kept_digits,
    ),
    "propagation": Experiment(
        composite.cells,
        composite.compute_propagation,
        composite.rows_propagation,
        composite_report.propagation_document,
        composite_report.kept_propagation,
    ),
}
"""Experiments by the names of their tables."""


def document(study: StoredStudy[EquationsSpec]) -> Document:
    """Return the report."""
    return EXPERIMENTS[study.spec.experiment].document(study)


def results_of(spec: EquationsSpec, cells: Sequence[StoredCell]) -> pd.DataFrame:
    """Return the table over some cells."""
    rows = EXPERIMENTS[spec.experiment].rows
    return pd.DataFrame([row for cell in cells for row in rows(cell.facts, cell.arrays)])


def _compute(store: Store, spec: EquationsSpec, cell: Cell, on_progress: OnProgress) -> Outcome:
    return EXPERIMENTS[spec.experiment].compute(spec, cell, on_progress)


def _kept(study: StoredStudy[EquationsSpec]) -> StoredStudy[EquationsSpec]:
    return replace(study, cells=EXPERIMENTS[study.spec.experiment].kept(study.cells))


def _cells(spec: EquationsSpec, store: Store) -> Sequence[Cell]:
    return EXPERIMENTS[spec.experiment].cells(spec)


def _units(run: StudyRun[EquationsSpec]) -> Iterator[Unit]:
    return one_by_one(run, _cells(run.spec, run.store), _compute)


def _overview(spec: EquationsSpec) -> Overview:
    return listed_cells(EXPERIMENTS[spec.experiment].cells(spec))


EQUATIONS = Kind(
    spec=EquationsSpec,
    paths=("digits.mnist",),
    overview=_overview,
    cells=_cells,
    units=_units,
    results=results_of,
    document=document,
    kept=_kept,
    summary=summary,
)

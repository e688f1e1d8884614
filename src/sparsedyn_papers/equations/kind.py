"""Studies of equation learners as a kind of study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.cellwise.page import Page
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.store import Store
from sparsedyn_papers.equations import embedded_page, functions_page
from sparsedyn_papers.equations.experiments import experiment_of
from sparsedyn_papers.equations.page import Material
from sparsedyn_papers.equations.spec import EquationsSpec


@dataclass(frozen=True)
class Layout:
    """How an experiment is reported: its page, and its cells with no more than the page and the table need."""

    page: Callable[[Material], Page]
    slim: Callable[[Sequence[Stored]], list[Stored]]


LAYOUTS = {
    "functions": Layout(functions_page.page, functions_page.slim),
    "digits": Layout(embedded_page.digits_page, embedded_page.slim_digits),
    "propagation": Layout(embedded_page.propagation_page, embedded_page.slim_propagation),
}


def page_of(spec: EquationsSpec, cells: Sequence[Stored], results: pd.DataFrame, run: Mapping[str, Any]) -> Page:
    """Return what the report says and shows; `run` is the content of run.json."""
    seconds = {slug: float(cell["seconds"]) for slug, cell in run.get("cells", {}).items()}
    return LAYOUTS[spec.experiment].page(Material(spec, cells, results, seconds))


def results_of(spec: EquationsSpec, cells: Sequence[Stored]) -> pd.DataFrame:
    """Return the table over some cells."""
    rows = experiment_of(spec).rows
    return pd.DataFrame([row for cell in cells for row in rows(cell.facts, cell.arrays)])


def _cells(spec: EquationsSpec) -> Sequence[Cell]:
    return experiment_of(spec).cells(spec)


def _compute(store: Store, spec: EquationsSpec, cell: Cell, on_progress: OnProgress) -> Outcome:
    return experiment_of(spec).compute(spec, cell, on_progress)


def _slim(spec: EquationsSpec, cells: Sequence[Stored]) -> list[Stored]:
    return LAYOUTS[spec.experiment].slim(cells)


EQUATIONS = Kind(cells=_cells, compute=_compute, results=results_of, page=page_of, slim=_slim)

"""Studies of equation learners as a kind of study: one of three experiments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.cellwise.page import Page
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.store import Store
from sparsedyn_papers.equations import composite, embedded_page, functions, functions_page
from sparsedyn_papers.equations.page import Material
from sparsedyn_papers.equations.spec import EquationsSpec


@dataclass(frozen=True)
class Experiment:
    """What its cells are, how one is computed, which rows it gives, its page, and cells without what that needs not."""

    cells: Callable[[EquationsSpec], Sequence[Cell]]
    compute: Callable[[EquationsSpec, Any, OnProgress], Outcome]
    rows: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], list[dict[str, Any]]]
    page: Callable[[Material], Page]
    slim: Callable[[Sequence[Stored]], list[Stored]]


EXPERIMENTS = {
    "functions": Experiment(
        functions.cells, functions.compute, functions.rows, functions_page.page, functions_page.slim
    ),
    "digits": Experiment(
        composite.cells,
        composite.compute_digits,
        composite.rows_digits,
        embedded_page.digits_page,
        embedded_page.slim_digits,
    ),
    "propagation": Experiment(
        composite.cells,
        composite.compute_propagation,
        composite.rows_propagation,
        embedded_page.propagation_page,
        embedded_page.slim_propagation,
    ),
}
"""Experiments by the names of their tables."""


def page_of(spec: EquationsSpec, cells: Sequence[Stored], results: pd.DataFrame, run: Mapping[str, Any]) -> Page:
    """Return what the report says and shows; `run` is the content of run.json."""
    seconds = {slug: float(cell["seconds"]) for slug, cell in run.get("cells", {}).items()}
    return EXPERIMENTS[spec.experiment].page(Material(spec, cells, results, seconds))


def results_of(spec: EquationsSpec, cells: Sequence[Stored]) -> pd.DataFrame:
    """Return the table over some cells."""
    rows = EXPERIMENTS[spec.experiment].rows
    return pd.DataFrame([row for cell in cells for row in rows(cell.facts, cell.arrays)])


def _compute(store: Store, spec: EquationsSpec, cell: Cell, on_progress: OnProgress) -> Outcome:
    return EXPERIMENTS[spec.experiment].compute(spec, cell, on_progress)


EQUATIONS = Kind(
    cells=lambda spec: EXPERIMENTS[spec.experiment].cells(spec),
    compute=_compute,
    results=results_of,
    page=page_of,
    slim=lambda spec, cells: EXPERIMENTS[spec.experiment].slim(cells),
)

"""The experiments by the name of their table: what their cells are, how one is computed, which rows it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsedyn.studies.cells import Cell, Outcome
from sparsedyn_papers.equations import embedded, functions
from sparsedyn_papers.equations.spec import EquationsSpec

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Experiment:
    """One kind of experiment."""

    cells: Callable[[EquationsSpec], Sequence[Cell]]
    compute: Callable[[EquationsSpec, Any, Callable[[float, str], None]], Outcome]
    rows: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], Rows]


EXPERIMENTS = {
    "functions": Experiment(functions.cells, functions.compute, functions.rows),
    "digits": Experiment(embedded.cells, embedded.compute_digits, embedded.rows_digits),
    "propagation": Experiment(embedded.cells, embedded.compute_propagation, embedded.rows_propagation),
}


def experiment_of(spec: EquationsSpec) -> Experiment:
    """Return the experiment of a study."""
    return EXPERIMENTS[spec.experiment]

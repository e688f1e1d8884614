"""What there is to say of a kind of study for it to be run, reported and published cell by cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.document import Document
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy


def _nothing(store: Store, cell: Any) -> None:
    """Leave nothing behind."""


def _whole(study: StoredStudy[Any]) -> StoredStudy[Any]:
    return study


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    `cells` lists what is computed for a spec, `compute` computes one, `results` is the table over finished cells,
    `document` is the report, and `kept` the study with no more than the report needs, to be published. `forget` removes
    what `compute` left in the store for the case that it is stopped.
    """

    cells: Callable[[Any], Sequence[Cell]]
    compute: Callable[[Store, Any, Any, OnProgress], Outcome]
    results: Callable[[Any, Sequence[Stored]], pd.DataFrame]
    document: Callable[[StoredStudy[Any]], Document]
    kept: Callable[[StoredStudy[Any]], StoredStudy[Any]] = _whole
    forget: Callable[[Store, Any], None] = _nothing

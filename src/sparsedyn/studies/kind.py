"""What there is to say of a kind of study for it to be run, reported and published cell by cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.cellwise.page import Page
from sparsedyn.studies.store import Store


def _nothing(store: Store, cell: Any) -> None:
    """Leave nothing behind."""


def _whole(spec: Any, cells: Sequence[Stored]) -> list[Stored]:
    return list(cells)


@dataclass(frozen=True)
class Kind:
    """A kind of study; the first argument of all but two functions is its spec.

    `cells` lists what is computed, `compute` computes one, `results` is the table over finished cells, and `page` what
    the report says of them, given that table and the content of `run.json`. `slim` returns cells with no more than page
    and table need. `forget` removes what `compute` left in the store for the case that it is stopped.
    """

    cells: Callable[[Any], Sequence[Cell]]
    compute: Callable[[Store, Any, Any, OnProgress], Outcome]
    results: Callable[[Any, Sequence[Stored]], pd.DataFrame]
    page: Callable[[Any, Sequence[Stored], pd.DataFrame, Mapping[str, Any]], Page]
    slim: Callable[[Any, Sequence[Stored]], list[Stored]] = _whole
    forget: Callable[[Store, Any], None] = _nothing

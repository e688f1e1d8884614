"""What is computed together, and the pass over a study in which it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.events import CellProgress, CellStarted, CellStored, Event, OnEvent
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store

SpecT = TypeVar("SpecT", bound=AbstractStudySpec)


@dataclass(frozen=True)
class StudyRun(Generic[SpecT]):
    """One pass over a study: its spec, its directory, the record of the run, and who watches it."""

    spec: SpecT
    store: Store
    record: RunRecord
    tell: OnEvent


def _nothing(*_: Any) -> None:
    """Leave nothing behind."""


@dataclass(frozen=True)
class Unit:
    """Cells that are computed together; one that shares nothing with others is a unit by itself.

    Where any cell is not stored yet, `compute` does what they have in common and returns a function that is called for
    each of those that are missing; what came of a cell is stored before the next one's turn. `stored` returns the event
    that tells of it, given the cell, what came of it, and its seconds. When all cells are stored, `forget` removes what
    `compute` left in the directory for the case that it is stopped.
    """

    cells: Sequence[Cell]
    compute: Callable[[], Callable[[Any], Outcome]]
    stored: Callable[[Any, Outcome, float], Event]
    forget: Callable[[], None] = _nothing


Compute = Callable[[Store, Any, Any, OnProgress], Outcome]
"""Computes a cell by itself, given the directory, the spec, the cell and who is told how far it is."""


def one_by_one(
    run: StudyRun[Any], cells: Sequence[Cell], compute: Compute, forget: Callable[[Store, Any], None] = _nothing
) -> Iterator[Unit]:
    """Yield a unit for every cell; `forget` removes what `compute` left in the directory."""
    for number, cell in enumerate(cells, 1):
        yield _single(run, cell, number, len(cells), compute, partial(forget, run.store, cell))


def _single(
    run: StudyRun[Any], cell: Cell, number: int, cells: int, compute: Compute, forget: Callable[[], None]
) -> Unit:
    def watch(share: float, remark: str) -> None:
        run.tell(CellProgress(cell.label, number, cells, share, remark))

    def begun() -> Callable[[Cell], Outcome]:
        run.tell(CellStarted(cell.label, number, cells))
        return lambda cell: compute(run.store, run.spec, cell, watch)

    def stored(cell: Cell, outcome: Outcome, seconds: float) -> Event:
        return CellStored(cell.label, number, cells, outcome.summary, seconds)

    return Unit((cell,), begun, stored, forget)

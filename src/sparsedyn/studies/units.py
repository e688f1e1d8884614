"""Units of work of a study, and the run in which they are computed."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.events import CellProgress, CellStarted, CellStored, Event, OnEvent
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store

SpecT = TypeVar("SpecT", bound=AbstractStudySpec)
CellT = TypeVar("CellT", bound=Cell)


def _nothing(*_: Any) -> None:
    """Leave everything as it is."""


@dataclass(frozen=True)
class StudyRun(Generic[SpecT]):
    """One run of a study: its spec, its directory, its run record, its observer, what raises if it is to stop.

    Where cells are `wanted`, by their slugs, the others are left to other runs. Where they are computed `apart`, by
    workers, as many units as there are cells can be computed at once.
    """

    spec: SpecT
    store: Store
    record: RunRecord
    tell: OnEvent
    check: Callable[[], None] = _nothing
    wanted: Collection[str] | None = None
    apart: bool = False

    def chosen(self, cells: Sequence[CellT]) -> list[CellT]:
        """Return the cells that are this run's to compute."""
        return [cell for cell in cells if self.wanted is None or cell.slug in self.wanted]


@dataclass(frozen=True)
class Unit:
    """Cells that are computed together; a cell that shares nothing with others is a unit by itself.

    Unless all cells are stored already, `compute` does what they have in common and returns a function that is called
    for each missing cell; its outcome is stored before the next cell is computed. `stored` returns the event that
    reports it, given the cell, its outcome, and its seconds. When all cells are stored, `forget` removes the
    checkpoints of `compute` from the directory. `work` compares units of one study by the time that they take.
    """

    cells: Sequence[Cell]
    compute: Callable[[], Callable[[Any], Outcome]]
    stored: Callable[[Any, Outcome, float], Event]
    forget: Callable[[], None] = _nothing
    work: int = 1


Compute = Callable[[Store, Any, Any, OnProgress], Outcome]
"""Computes a cell by itself, given the directory, the spec, the cell and a function to report progress to."""


def one_by_one(
    run: StudyRun[Any], cells: Sequence[Cell], compute: Compute, forget: Callable[[Store, Any], None] = _nothing
) -> Iterator[Unit]:
    """Yield a unit for every cell of the run; `forget` removes the checkpoints of `compute` from the directory."""
    cells = run.chosen(cells)
    for number, cell in enumerate(cells, 1):
        yield _single(run, cell, number, len(cells), compute, partial(forget, run.store, cell))


def _single(
    run: StudyRun[Any], cell: Cell, number: int, cells: int, compute: Compute, forget: Callable[[], None]
) -> Unit:
    def watch(share: float, remark: str) -> None:
        run.tell(CellProgress(cell.label, number, cells, share, remark, number - 1 + share))

    def begun() -> Callable[[Cell], Outcome]:
        run.tell(CellStarted(cell.label, number, cells))
        return lambda cell: compute(run.store, run.spec, cell, watch)

    def stored(cell: Cell, outcome: Outcome, seconds: float) -> Event:
        return CellStored(cell.label, number, cells, outcome.summary, seconds)

    return Unit((cell,), begun, stored, forget)

"""Run a study cell by cell, each stored when it is finished, and report it."""

import time
from pathlib import Path
from typing import Any

from sparsedyn.studies.cell_files import stored_cells, write_cell, write_results
from sparsedyn.studies.document.writing import write_report
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import CellProgress, CellStarted, CellStored, Event, OnEvent, ReportStarted, StudyFinished
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy, is_kept, read_kept, read_run


def run(kind: Kind, spec: AbstractStudySpec, directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Run `spec` in `directory`, or go on with it, and return the report's path; see `sparsedyn.studies.run`."""
    store, tell = Store(Path(directory)), on_event or _silence
    with store.claimed(spec), interruptible(store.directory, lambda: how_far(kind, store, spec)):
        record = RunRecord(store, spec)
        cells = kind.cells(spec)
        for number, cell in enumerate(cells, 1):
            if store.is_finished(cell.slug):
                kind.forget(store, cell)
                continue
            tell(CellStarted(cell.label, number, len(cells)))

            def watch(share: float, remark: str, label: str = cell.label, number: int = number) -> None:
                tell(CellProgress(label, number, len(cells), share, remark))

            started = time.monotonic()
            outcome = kind.compute(store, spec, cell, watch)
            write_cell(store.cell(cell.slug), cell, outcome)
            kind.forget(store, cell)
            seconds = time.monotonic() - started
            record.trials(cell.slug, cell.label, seconds)
            tell(CellStored(cell.label, number, len(cells), outcome.summary, seconds))
        tell(ReportStarted(len(cells)))
        # Before the report, which shows the times, and after it for its own.
        record.finish()
        path = _reported(kind, store, spec)
        record.finish()
        tell(StudyFinished(store.directory, path, record.seconds))
        return path


def report(kind: Kind, spec: AbstractStudySpec, directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew and draw its report again."""
    store = Store(Path(directory))
    if not is_kept(store.directory) and not any(store.is_finished(cell.slug) for cell in kind.cells(spec)):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it first: "
            f"sparsedyn study resume {directory}"
        )
    with store.lock():
        return _reported(kind, store, spec)


def how_far(kind: Kind, store: Store, spec: AbstractStudySpec) -> str:
    """Say how many cells are finished."""
    cells = kind.cells(spec)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def stored(kind: Kind, store: Store, spec: AbstractStudySpec) -> StoredStudy[Any]:
    """Return the study as far as it is finished; raises `StudyError` where files are missing or damaged."""
    if is_kept(store.directory):
        return read_kept(store.directory, spec)
    cells = kind.cells(spec)
    return read_run(store, spec, cells, kind.results(spec, stored_cells(store, cells)))


def _reported(kind: Kind, store: Store, spec: AbstractStudySpec) -> Path:
    study = stored(kind, store, spec)
    if not is_kept(store.directory):
        write_results(store, study.results)
    return write_report(kind.document(study), store.directory)


def _silence(event: Event) -> None:
    """Tell nobody."""

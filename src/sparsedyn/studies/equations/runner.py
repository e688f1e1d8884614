"""Run a study of equation learners: cell by cell, each stored when it is finished."""

import time
from pathlib import Path

from sparsedyn.studies.equations.experiments import experiment_of
from sparsedyn.studies.equations.files import collect, stored_cells, write_cell
from sparsedyn.studies.equations.report import write_report
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import CellProgress, CellStarted, CellStored, Event, OnEvent, ReportStarted, StudyFinished
from sparsedyn.studies.ledger import Ledger
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store


def run(spec: EquationsSpec, directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Run `spec` in `directory`, or go on with it, and return the report's path; see `sparsedyn.studies.run`."""
    store, tell = Store(Path(directory)), on_event or _silence
    with store.claimed(spec), interruptible(store.directory, lambda: how_far(store, spec)):
        ledger = Ledger(store, spec)
        experiment = experiment_of(spec)
        cells = experiment.cells(spec)
        for number, cell in enumerate(cells, 1):
            if store.is_finished(cell.slug):
                continue
            tell(CellStarted(cell.label, number, len(cells)))

            def watch(share: float, remark: str, label: str = cell.label, number: int = number) -> None:
                tell(CellProgress(label, number, len(cells), share, remark))

            started = time.monotonic()
            outcome = experiment.compute(spec, cell, watch)
            write_cell(store.cell(cell.slug), cell, outcome)
            seconds = time.monotonic() - started
            ledger.trials(cell.slug, cell.label, seconds)
            tell(CellStored(cell.label, number, len(cells), outcome.summary, seconds))
        tell(ReportStarted(len(cells)))
        # Before the report, which shows the times, and after it for its own.
        ledger.finish()
        path = _reported(store, spec)
        ledger.finish()
        tell(StudyFinished(store.directory, path, ledger.seconds))
        return path


def report(spec: EquationsSpec, directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew and draw its report again."""
    store = Store(Path(directory))
    if not any(store.is_finished(cell.slug) for cell in experiment_of(spec).cells(spec)):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it first: "
            f"sparsedyn study resume {directory}"
        )
    with store.lock():
        return _reported(store, spec)


def how_far(store: Store, spec: EquationsSpec) -> str:
    """Say how many cells are finished."""
    cells = experiment_of(spec).cells(spec)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def _reported(store: Store, spec: EquationsSpec) -> Path:
    cells = stored_cells(store, spec)
    return write_report(store, spec, cells, collect(store, spec, cells))


def _silence(event: Event) -> None:
    """Tell nobody."""

"""Run a study of any kind, resume it after an interruption, and report on it."""

import time
from pathlib import Path

from sparsedyn.studies.cell_files import stored_cells, write_cell, write_results
from sparsedyn.studies.checksums import sums_of
from sparsedyn.studies.claim import claimed
from sparsedyn.studies.document.writing import write_report
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import Event, OnEvent, ReportStarted, StudyFinished
from sparsedyn.studies.files import write_text
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.kinds import kind_of
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import is_kept, read_kept, read_run
from sparsedyn.studies.units import StudyRun, Unit


def run(
    spec: AbstractStudySpec,
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    members: int | None = None,
    seed: int | None = None,
) -> Path:
    """Run `spec` in `directory` and return the report's path; `members` and `seed` override the spec's own.

    A directory that holds the same study is resumed: finished cells stay as they are, training continues from its
    checkpoint, and the results are those of an uninterrupted run, bit for bit. Raises `StudyError` for a directory of
    anything else and where cells are missing in the end, `StudyInterrupted` on Ctrl-C.
    """
    return run_as(kind_of(spec), spec.replaced(members=members, seed=seed), directory, on_event=on_event)


def run_as(kind: Kind, spec: AbstractStudySpec, directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Run `spec` as a study of this kind; see `run`."""
    store, tell = Store(Path(directory)), on_event or _silence
    with claimed(store, spec, kind.files), interruptible(store.directory, lambda: how_far(kind, store, spec)):
        record = RunRecord(store, spec)
        this = StudyRun(spec, store, record, tell)
        for unit in kind.units(this):
            _compute(kind, this, unit)
        tell(ReportStarted(len(kind.cells(spec, store))))
        _check_whole(kind, store, spec)
        # Before the report, which shows the times, and after it for its own.
        record.finish()
        path = _reported(kind, store, spec)
        _check_whole(kind, store, spec)
        record.finish()
        write_text(store.sums, sums_of(store.directory))
        tell(StudyFinished(store.directory, path, record.seconds))
        return path


def resume(directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Resume the study in `directory`; see `run`."""
    return run(stored_spec(directory), directory, on_event=on_event)


def report(directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew, draw its report again, and return the report's path."""
    spec, store = stored_spec(directory), Store(Path(directory))
    kind = kind_of(spec)
    if is_kept(store.directory):
        return write_report(kind.document(read_kept(store.directory, spec)), store.directory)
    if not any(store.is_finished(cell.slug) for cell in kind.cells(spec, store)):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it first: "
            f"sparsedyn study resume {directory}"
        )
    with store.lock():
        known = store.sums.is_file()
        store.sums.unlink(missing_ok=True)
        path = _reported(kind, store, spec)
        if known:
            write_text(store.sums, sums_of(store.directory))
        return path


def how_far(kind: Kind, store: Store, spec: AbstractStudySpec) -> str:
    """Describe how many cells are finished, or how far the choice of cells is."""
    cells = kind.cells(spec, store)
    if not cells:
        return kind.undecided(spec, store)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def _compute(kind: Kind, run: StudyRun[AbstractStudySpec], unit: Unit) -> None:
    """Compute the cells of a unit that are missing, and store each."""
    missing = [cell for cell in unit.cells if not run.store.is_finished(cell.slug)]
    if missing:
        outcome_of = unit.compute()
        for cell in missing:
            started = time.monotonic()
            outcome = outcome_of(cell)
            write_cell(run.store.cell(cell.slug), kind.files, cell, outcome)
            seconds = time.monotonic() - started
            run.record.cell(cell, seconds, outcome.share)
            run.tell(unit.stored(cell, outcome, seconds))
    unit.forget()


def _check_whole(kind: Kind, store: Store, spec: AbstractStudySpec) -> None:
    """Raise `StudyError` unless every cell is there with all its files: files may be removed while a study runs."""
    cells = kind.cells(spec, store)
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if store.spec_file.is_file() and cells and not missing:
        store.check_cells(kind.files)
        return
    lost = f"{len(missing)} of {len(cells)} are missing, the first is {missing[0]!r}" if missing else "they are missing"
    fix = f"make them again: sparsedyn study resume {store.directory}"
    if not store.spec_file.is_file():
        lost, fix = "the folder was removed or emptied during the run", "run the study again."
    raise StudyError(f"{store.directory}: expected the finished cells of the study; {lost}. Keep the folder, and {fix}")


def _reported(kind: Kind, store: Store, spec: AbstractStudySpec) -> Path:
    cells = kind.cells(spec, store)
    results = kind.results(spec, stored_cells(store, kind.files, cells))
    write_results(store, results)
    return write_report(kind.document(read_run(store, kind.files, spec, cells, results)), store.directory)


def _silence(event: Event) -> None:
    """Tell nobody."""

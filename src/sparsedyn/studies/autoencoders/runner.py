"""Run a study of SINDy autoencoders: cell by cell, each resumed from the checkpoints of its phases."""

import hashlib
import json
import time
from importlib.metadata import version
from pathlib import Path

from sparsedyn.studies.autoencoders.cells import AutoencoderCell, cells_of
from sparsedyn.studies.autoencoders.compute import Checkpoints, compute
from sparsedyn.studies.autoencoders.files import collect, stored_cells
from sparsedyn.studies.autoencoders.report import write_report
from sparsedyn.studies.autoencoders.spec import AutoencodersSpec
from sparsedyn.studies.equations.files import write_cell
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import CellProgress, CellStarted, CellStored, Event, OnEvent, ReportStarted, StudyFinished
from sparsedyn.studies.ledger import Ledger
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store
from sparsedyn.training import Checkpoint

EVERY = 15.0
"""Seconds between two checkpoints."""


def run(
    spec: AutoencodersSpec, directory: str | Path, *, on_event: OnEvent | None = None, every: float = EVERY
) -> Path:
    """Run `spec` in `directory`, or go on with it, and return the report's path; see `sparsedyn.studies.run`."""
    store, tell = Store(Path(directory)), on_event or _silence
    with store.claimed(spec), interruptible(store.directory, lambda: how_far(store, spec)):
        ledger = Ledger(store, spec)
        cells = cells_of(spec)
        for number, cell in enumerate(cells, 1):
            if store.is_finished(cell.slug):
                _forget(store, cell)
                continue
            tell(CellStarted(cell.label, number, len(cells)))

            def watch(share: float, remark: str, label: str = cell.label, number: int = number) -> None:
                tell(CellProgress(label, number, len(cells), share, remark))

            started = time.monotonic()
            outcome = compute(spec, cell, _checkpoints(store, spec, cell, every), watch)
            write_cell(store.cell(cell.slug), cell, outcome)
            _forget(store, cell)
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


def report(spec: AutoencodersSpec, directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew and draw its report again."""
    store = Store(Path(directory))
    if not any(store.is_finished(cell.slug) for cell in cells_of(spec)):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it first: "
            f"sparsedyn study resume {directory}"
        )
    with store.lock():
        return _reported(store, spec)


def how_far(store: Store, spec: AutoencodersSpec) -> str:
    """Say how many cells are finished."""
    cells = cells_of(spec)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def _checkpoints(store: Store, spec: AutoencodersSpec, cell: AutoencoderCell, every: float) -> Checkpoints:
    """Return the checkpoint of every phase of a cell; what was begun by another version of anything is refused."""
    told = json.dumps([version("sparsedyn"), spec.computed(), cell.slug], sort_keys=True)
    identity = hashlib.sha256(told.encode()).hexdigest()
    return lambda phase: Checkpoint(store.checkpoint(f"{cell.slug}-{phase}"), f"{identity}, phase {phase}", every)


def _forget(store: Store, cell: AutoencoderCell) -> None:
    """Remove the checkpoints of a finished cell."""
    phase = 0
    while (path := store.checkpoint(f"{cell.slug}-{phase}")).is_file():
        path.unlink()
        phase += 1
    if (folder := store.checkpoint("").parent).is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _reported(store: Store, spec: AutoencodersSpec) -> Path:
    cells = stored_cells(store, spec)
    return write_report(store, spec, cells, collect(store, cells))


def _silence(event: Event) -> None:
    """Tell nobody."""

"""Run a comparison: make data, train by group, store by cell, collect, report; go on after any stop."""

import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sparsedyn import training
from sparsedyn.data import Trajectories
from sparsedyn.estimators import SparseTimeStepper, fit_together
from sparsedyn.studies.comparison.cells import ComparisonCell, Group, expand, groups_of
from sparsedyn.studies.comparison.data import prepare
from sparsedyn.studies.comparison.measure import write_cell
from sparsedyn.studies.comparison.results import collect, results_of
from sparsedyn.studies.comparison.search import Search, how_far, ranked_cells
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.document.writing import write_report
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import (
    CellFinished,
    DataReady,
    Event,
    GroupProgress,
    GroupStarted,
    OnEvent,
    ReportStarted,
    StudyFinished,
)
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy, is_kept, read_kept, read_run
from sparsedyn_papers.comparisons.report import comparison_document


def run(spec: StudySpec, directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Run `spec` in `directory`, or go on with it, and return the report's path; see `sparsedyn.studies.run`."""
    store = Store(Path(directory))
    with store.claimed(spec), interruptible(store.directory, lambda: how_far_in(store, spec)):
        return _Run(spec, store, on_event or _silence).everything()


def report(spec: StudySpec, directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew, draw its report again, and return the report's path."""
    store = Store(Path(directory))
    if is_kept(store.directory):
        return write_report(comparison_document(read_kept(store.directory, spec)), store.directory)
    cells = cells_in(store, spec)
    if not any(store.is_finished(cell.slug) for cell in cells):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it "
            f"first: sparsedyn study resume {directory}"
        )
    with store.lock():
        return write_report(comparison_document(read_run(store, spec, cells, collect(store, cells))), store.directory)


def stored(store: Store, spec: StudySpec) -> StoredStudy[StudySpec]:
    """Return the finished study in the directory of its run; raises `StudyError` where results or files are missing."""
    cells = cells_in(store, spec)
    results = pd.read_parquet(store.results_file) if store.results_file.is_file() else pd.DataFrame({"cell": []})
    absent = [cell.label for cell in cells if cell.label not in set(results["cell"])]
    if absent:
        raise StudyError(
            f"{store.directory}: expected every cell in results.parquet; {absent[0]!r} is not in it. Collect the "
            f"results again: sparsedyn study report {store.directory}"
        )
    return read_run(store, spec, cells, results)


def how_far_in(store: Store, spec: StudySpec) -> str:
    """Say how many cells, or rungs of a search, are finished."""
    cells = cells_in(store, spec)
    if not cells:
        return how_far(spec, store)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def cells_in(store: Store, spec: StudySpec) -> list[ComparisonCell]:
    """Return the cells that the study will have in this directory; of a search none before it has chosen."""
    return expand(spec) if spec.search is None else ranked_cells(spec, store)


@dataclass
class Work:
    """Member-steps of a whole study, for an estimate of the time left."""

    total: int
    done: int = 0


class _Run:
    """One pass over a study that does whatever is not done yet."""

    def __init__(self, spec: StudySpec, store: Store, on_event: OnEvent):
        self.spec, self.store, self.tell = spec, store, on_event
        self.cells = expand(spec)
        self.groups = groups_of(self.cells)
        self.record = RunRecord(store, spec)

    def everything(self) -> Path:
        started = time.monotonic()
        data = prepare(self.spec, self.store)
        seconds = time.monotonic() - started
        self.record.data(data, seconds)
        self.tell(_data_ready(data, seconds))
        if self.spec.search is not None:
            return self._search(data)
        work = Work(sum(_member_steps(group, data["train"]) for group in self.groups))
        for number, group in enumerate(self.groups, 1):
            self._group(number, group, data, work)
        return self._finish()

    def _search(self, data: dict[str, Trajectories]) -> Path:
        """Search the grid, and only then let the chosen cells forecast the test trajectories."""
        search = Search(self.spec, self.store, self.record, self.tell, data["train"], data["validation"])
        self.cells = search.choose()
        for cell, group, estimator in search.trained():
            self._cell(cell, group, estimator, data["test"])
        return self._finish()

    def _group(self, number: int, group: Group, data: dict[str, Trajectories], work: Work) -> None:
        """Train a group, unless all its cells are stored, and store those that are not."""
        missing = [cell for cell in group.cells if not self.store.is_finished(cell.slug)]
        checkpoint = self.store.checkpoint(group.key)
        if missing:
            labels = tuple(cell.label for cell in group.cells)
            self.tell(GroupStarted(number, len(self.groups), labels, group.members, checkpoint.is_file()))
            # All cells, the stored ones too: the checkpoint and its bits are of the whole group.
            estimators = self._trained(number, group, data, work)
            for cell in missing:
                self._cell(cell, group, estimators[cell.slug], data["test"])
        work.done += _member_steps(group, data["train"])
        checkpoint.unlink(missing_ok=True)

    def _trained(
        self, number: int, group: Group, data: dict[str, Trajectories], work: Work
    ) -> dict[str, SparseTimeStepper]:
        estimators = {cell.slug: cell.estimator() for cell in group.cells}
        clock = self.record.group(group)

        def watch(progress: training.Progress) -> None:
            clock.tick(progress.step)
            done = work.done + progress.step * progress.members
            self.tell(GroupProgress(number, len(self.groups), progress, done, work.total))

        train = data["train"][: group.cells[0].train_trajectories]
        checkpoint = self.store.checkpoint(group.key)
        # The parts of a study come from one source, which one trajectory may represent poorly: units are not in doubt.
        fit_together(
            list(estimators.values()),
            train,
            data.get("validation"),
            on_progress=watch,
            checkpoint=checkpoint,
            check_units=False,
        )
        clock.tick(int(next(iter(estimators.values())).steps_), now=True)
        return estimators

    def _cell(self, cell: ComparisonCell, group: Group, estimator: SparseTimeStepper, test: Trajectories) -> None:
        started = time.monotonic()
        folder = self.store.cell(cell.slug)
        write_cell(folder, cell, estimator, test, self.spec.horizons, self.spec.forecast, self.spec.data.system)
        self.record.cell(cell, group, time.monotonic() - started)
        last = max(results_of(folder), key=lambda row: int(row["horizon"]))
        finished = sum(self.store.is_finished(other.slug) for other in self.cells)
        self.tell(
            CellFinished(
                label=cell.label,
                number=finished,
                cells=len(self.cells),
                nonzeros=last["nonzeros"],
                weights=last["weights"],
                horizon=last["horizon"],
                diverged=last["diverged"],
                rfmse=last["rfmse"],
            )
        )

    def _finish(self) -> Path:
        self.tell(ReportStarted(len(self.cells)))
        results = collect(self.store, self.cells)
        # Before the report, which shows the times, and after it for its own.
        self.record.finish()
        study = read_run(self.store, self.spec, self.cells, results)
        path = write_report(comparison_document(study), self.store.directory)
        self.record.finish()
        self.tell(StudyFinished(self.store.directory, path, self.record.seconds))
        return path


def _data_ready(data: dict[str, Trajectories], seconds: float) -> DataReady:
    counts = {part: len(data[part]) if part in data else 0 for part in ("train", "validation", "test")}
    redrawn = sum(int(part.attrs.get("redrawn", 0)) for part in data.values())
    return DataReady(**counts, redrawn=redrawn, seconds=seconds)


def _member_steps(group: Group, train: Trajectories) -> int:
    cell = group.cells[0]
    # Derivative methods drop a few rows at the ends; an estimate of time need not know which.
    samples = sum(train.lengths[: cell.train_trajectories])
    return group.members * cell.arguments["epochs"] * max(1, samples // cell.arguments["batch"])


def _silence(event: Event) -> None:
    """Tell nobody."""

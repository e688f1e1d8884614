"""Studies as runs of a tracking service: one for the study, and one below it for every finished cell."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.studies.cell_files import StoredCell, stored_cells
from sparsedyn.studies.cells import Cell
from sparsedyn.studies.events import CellFinished, CellStored, Event, OnEvent, StudyFinished
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.tracking import TrackedRun, Tracker

PLACES = ("horizon", "member", "trial")
"""Columns of results that number the rows of a cell: metrics are recorded at these steps."""
APART = ("cell", "kind", "name", "title", "description")


@contextmanager
def tracked(
    tracker: Tracker | None,
    kind: Kind,
    spec: AbstractStudySpec,
    record: RunRecord,
    store: Store,
    on_event: OnEvent | None,
) -> Iterator[OnEvent]:
    """Yield a function that records what events tell of, and passes them on.

    What fails there harms no study: it is warned of once, and nothing more is recorded in this run. The next one makes
    up for it, since runs are known by when the study was begun and by their cells.
    """
    tracking = None if tracker is None else _Tracking(tracker, kind, spec, record, store)

    def tell(event: Event) -> None:
        if tracking is not None:
            tracking.heard(event)
        if on_event is not None:
            on_event(event)

    try:
        yield tell
    finally:
        if tracking is not None:
            tracking.close()


class _Tracking:
    def __init__(self, tracker: Tracker, kind: Kind, spec: AbstractStudySpec, record: RunRecord, store: Store):
        self.tracker, self.kind, self.spec, self.store = tracker, kind, spec, store
        self.key = f"{spec.name} {record.content['started']} {record.made['spec'][:12]}"
        self.works, self.ended = True, False
        self.run: TrackedRun | None = None
        self._safely(self._begin)

    def heard(self, event: Event) -> None:
        """Record what an event tells of."""
        if isinstance(event, CellFinished | CellStored):
            label = event.label
            self._safely(lambda: self._cells(lambda cell: cell.label == label))
        elif isinstance(event, StudyFinished) and event.report.is_file():
            self._safely(self._end)

    def close(self) -> None:
        """Close the run of a study that was stopped or has failed."""
        if self.run is not None and not self.ended:
            with suppress(Exception):
                self.run.end(complete=False)

    def _begin(self) -> None:
        self.run = self.tracker.run(self.key, self.spec.name)
        self.ended = self.run.finished
        if not self.ended:
            table = {name: value for name, value in self.spec.resolved().items() if name not in APART}
            self.run.log_parameters(flat(table))
        # Those of runs that were not tracked, or ended between the two.
        self._cells(lambda cell: True)

    def _cells(self, wanted: Callable[[Cell], bool]) -> None:
        chosen = [cell for cell in self.kind.cells(self.spec, self.store) if wanted(cell)]
        for cell in chosen:
            if self.store.is_finished(cell.slug):
                self._cell(cell)

    def _cell(self, cell: Cell) -> None:
        run = self.tracker.run(f"{self.key} {cell.slug}", cell.label, self.run)
        if run.finished:
            return
        (stored,) = stored_cells(self.store, self.kind.files, [cell])
        run.log_parameters(parameters_of(stored))
        for step, values in metrics_of(self.kind.results(self.spec, [stored])):
            run.log_metrics(values, step)
        if "history" in stored.tables:
            for step, values in training_of(stored.tables["history"]):
                run.log_metrics(values, step)
        folder = self.store.cell(cell.slug)
        for name in ("cell.json", *self.kind.files.others):
            run.log_artifact(folder / name)
        run.end()

    def _end(self) -> None:
        if self.run is None or self.ended:
            return
        for picture in sorted((self.store.directory / "figures").glob("*.png")):
            self.run.log_figure(picture)
        for file in (self.store.spec_file, self.store.run_file, self.store.results_file, self._report()):
            self.run.log_artifact(file)
        self.run.end()
        self.ended = True

    def _report(self) -> Path:
        return self.store.directory / "report.html"

    def _safely(self, action: Callable[[], None]) -> None:
        if not self.works:
            return
        try:
            action()
        except Exception as error:
            self.works = False
            warnings.warn(
                f"{self.spec.name}: the study goes on, but is not tracked any more ({' '.join(str(error).split())}). "
                "What is missing is recorded when it is resumed with the same tracker.",
                SparsedynWarning,
                stacklevel=2,
            )


def parameters_of(cell: StoredCell) -> dict[str, Any]:
    """Return the settings of a cell, and what else of it is one text, number or Boolean."""
    facts = {name: value for name, value in cell.facts.items() if isinstance(value, str | int | float)}
    return {**facts, **flat(cell.facts.get("spec", {})), "made from": cell.facts.get("made", {}).get("spec", "")}


def metrics_of(results: pd.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the numbers of every row of a cell's results, and the step that they are recorded at."""
    place = next((name for name in PLACES if name in results), None)
    for number, row in enumerate(results.to_dict("records")):
        yield (number if place is None else int(row[place])), numbers(row, place)


def training_of(history: pd.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield losses and sparsity over training, means over members, and the step of training."""
    means = history.groupby("step")[["loss", "validation", "sparsity"]].mean()
    for step, row in means.iterrows():
        yield int(str(step)), {f"training {name}": value for name, value in numbers(row.to_dict(), None).items()}


def numbers(row: Mapping[Any, Any], place: str | None) -> dict[str, float]:
    """Return the finite numbers of a row."""
    values = {str(name): float(value) for name, value in row.items() if isinstance(value, Real) and name != place}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested tables by dotted keys."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found

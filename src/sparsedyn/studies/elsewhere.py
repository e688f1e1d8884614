"""Compute the cells of a study that are missing on the workers of an executor, and store each here.

A worker gets the spec and the data, computes a unit as a study of its own in a temporary folder, and sends the files
of its cells back. Only this process writes to the directory of the study.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sparsedyn.data import DataError
from sparsedyn.executors import Executor, Lost, Report, results
from sparsedyn.studies.cells import Cell
from sparsedyn.studies.checksums import SUMS, sums_of
from sparsedyn.studies.computing import Failures, check_failed, compute, failures, why
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import (
    CellFinished,
    CellProgress,
    CellStarted,
    CellStored,
    Event,
    GroupProgress,
    GroupStarted,
    WorkerLost,
)
from sparsedyn.studies.files import appearing, read_json
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.kinds import kind_of
from sparsedyn.studies.made import Surroundings, difference, surroundings
from sparsedyn.studies.reading import parse
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.studies.toml import to_toml
from sparsedyn.studies.units import StudyRun, Unit

SPEC = "study.toml"
Files = dict[str, bytes]
"""The files of a folder by their names."""


class Order(NamedTuple):
    """What all workers get: the spec as TOML, the files of the data, and how cells are grouped."""

    spec: str
    data: Files
    members_at_once: int | None


class Computed(NamedTuple):
    """What a worker returns: the files of finished cells by their slugs, what it told of them, its record.

    `failure` says why others are missing, and `concerns_all` that the rest of the study would fail alike.
    """

    cells: dict[str, Files]
    told: list[CellFinished | CellStored]
    record: dict[str, Any]
    failure: str = ""
    concerns_all: bool = False


def surroundings_of(executor: Executor, spec: AbstractStudySpec, check: Callable[[], None]) -> Surroundings:
    """Return what results are made with on a worker."""
    (found,) = results(executor.map(_surroundings, to_toml(spec.resolved()), [None], check=check), 1)
    there: Surroundings = found
    return there


def compute_elsewhere(kind: Kind, run: StudyRun[Any], executor: Executor, *, mixed: bool) -> None:
    """Compute what is missing on workers; raises `StudyError` in the end where cells failed."""
    everything = list(kind.units(run))
    units = [unit for unit in everything if not all(run.store.is_finished(cell.slug) for cell in unit.cells)]
    progress = _Progress(run, units, sum(unit.work for unit in everything))
    order = Order(
        to_toml(run.spec.resolved()), _files(run.store.data_sums.parent), run.record.content.get("members_at_once")
    )
    items = [[cell.slug for cell in unit.cells] for unit in units]
    failed: Failures = {}
    with closing(executor.map(_computed, order, items, on_report=progress.heard, check=run.check)) as finished:
        for place, computed, error in finished:
            if error is None:
                _take(kind, run, units[place], computed, mixed=mixed)
                progress.finished(place)
            text = computed.failure if error is None else why(error)
            if error is None and computed.concerns_all:
                raise StudyError(text)
            if text:
                failed |= failures(run, units[place], text)
    check_failed(run, failed)


class _Progress:
    """How far all units are together: each worker knows of its own only."""

    def __init__(self, run: StudyRun[Any], units: Sequence[Unit], total: int):
        self.run, self.units, self.total = run, units, total
        self.before = total - sum(unit.work for unit in units)
        self.shares = [0.0] * len(units)

    def heard(self, place: int, what: Any) -> None:
        """Tell what a worker reported."""
        match what:
            case Lost(times):
                self.shares[place] = 0.0
                self.run.tell(WorkerLost(tuple(cell.label for cell in self.units[place].cells), times))
            case GroupProgress(training=training):
                self.shares[place] = training.step / max(1, training.steps)
                self.run.tell(replace(what, done=round(self._done()), total=self.total))
            case CellProgress(share=share):
                self.shares[place] = share
                self.run.tell(replace(what, done=self._done()))
            case _:
                self.run.tell(what)

    def finished(self, place: int) -> None:
        """Count a unit as done."""
        self.shares[place] = 1.0

    def _done(self) -> float:
        return self.before + sum(share * unit.work for share, unit in zip(self.shares, self.units, strict=True))


def _take(kind: Kind, run: StudyRun[Any], unit: Unit, computed: Computed, *, mixed: bool) -> None:
    """Store the cells that came from a worker, and tell of them."""
    for cell in unit.cells:
        if cell.slug not in computed.cells or run.store.is_finished(cell.slug):
            continue
        with appearing(run.store.cell(cell.slug)) as room:
            _unpack(computed.cells[cell.slug], room)
            if what := difference(read_json(room / "cell.json"), run.record.made):
                _check_mixed(run, cell, what, mixed=mixed)
    run.record.gather([computed.record])
    everything = kind.cells(run.spec, run.store)
    for event in computed.told:
        number = sum(run.store.is_finished(cell.slug) for cell in everything)
        run.tell(replace(event, number=number, cells=len(everything)))
    if not computed.failure:
        unit.forget()


def _check_mixed(run: StudyRun[Any], cell: Cell, what: str, *, mixed: bool) -> None:
    """Record what a cell was made with that others were not; raises `StudyError` unless `mixed`."""
    if not mixed:
        raise StudyError(
            f"{run.store.directory}: expected workers of the same versions and devices; {cell.label} came with {what}. "
            "Results may differ for that alone. Add --mixed (mixed=True) to take it nevertheless."
        )
    run.record.note("mixed", {cell.label: what})


def _surroundings(spec: str, item: None, report: Report) -> Surroundings:
    """Return what is made with where this is called."""
    return surroundings(parse(spec, SPEC))


def _computed(order: Order, slugs: list[str], report: Report) -> Computed:
    """Compute a unit of a study in a temporary folder, and return what is left there."""
    told: list[CellFinished | CellStored] = []

    def tell(event: Event) -> None:
        if isinstance(event, CellFinished | CellStored):
            told.append(event)
        elif isinstance(event, GroupStarted | GroupProgress | CellStarted | CellProgress):
            report(event)

    spec = parse(order.spec, SPEC)
    kind = kind_of(spec)
    with tempfile.TemporaryDirectory(prefix="sparsedyn-") as folder:
        store = Store(Path(folder))
        if order.data:
            with appearing(store.data_sums.parent) as room:
                _unpack(order.data, room)
        record = RunRecord(store, spec)
        record.content["members_at_once"] = order.members_at_once
        run = StudyRun(spec, store, record, tell, apart=True)
        failure, concerns_all = "", False
        try:
            (unit,) = (unit for unit in kind.units(run) if [cell.slug for cell in unit.cells] == slugs)
            compute(kind, run, unit)
        except (StudyError, DataError) as error:
            failure, concerns_all = str(error), True
        except Exception as error:
            failure = why(error)
        cells = {finished.name: _files(finished) for finished in store.finished()}
    return Computed(cells, told, record.content, failure, concerns_all)


def _files(folder: Path) -> Files:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("[!.]*")) if file.is_file()}


def _unpack(files: Files, folder: Path) -> None:
    """Write files to a folder but for their checksums, with which they are compared."""
    for name, content in files.items():
        if name != SUMS:
            (folder / Path(name).name).write_bytes(content)
    if SUMS in files and sums_of(folder).encode() != files[SUMS]:
        raise StudyError(f"{folder}: expected files as they were sent; their checksums are others. Run it again.")

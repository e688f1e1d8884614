"""Compute the cells of a study that are missing, here, and store each."""

import time
from collections.abc import Mapping
from typing import Any

from sparsedyn.data import DataError
from sparsedyn.studies.cell_files import write_cell
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import CellFailed
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.stops import of_disk
from sparsedyn.studies.units import StudyRun, Unit

Failures = dict[str, str]
"""Why cells could not be computed, by their labels."""


def compute_here(kind: Kind, run: StudyRun[Any]) -> None:
    """Compute what is missing; raises `StudyError` in the end where cells failed."""
    failed: Failures = {}
    for unit in kind.units(run):
        try:
            compute(kind, run, unit)
        except Exception as error:
            if kind.chained(run.spec) or _concerns_all(error):
                raise
            failed |= failures(run, unit, why(error))
    check_failed(run, failed)


def compute(kind: Kind, run: StudyRun[Any], unit: Unit) -> None:
    """Compute the cells of a unit that are missing, and store each."""
    missing = [cell for cell in unit.cells if not run.store.is_finished(cell.slug)]
    if missing:
        outcome_of = unit.compute()
        for cell in missing:
            started = time.monotonic()
            outcome = outcome_of(cell)
            write_cell(run.store.cell(cell.slug), kind.files, cell, outcome, run.record.made)
            seconds = time.monotonic() - started
            run.record.cell(cell, seconds, outcome.share)
            run.tell(unit.stored(cell, outcome, seconds))
    unit.forget()


def why(error: Exception) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def failures(run: StudyRun[Any], unit: Unit, why: str) -> Failures:
    """Tell that the cells of a unit failed that are not finished, and return them."""
    failed = {cell.label: why for cell in unit.cells if not run.store.is_finished(cell.slug)}
    for label in failed:
        run.tell(CellFailed(label, why))
    return failed


def check_failed(run: StudyRun[Any], failed: Mapping[str, str]) -> None:
    """Record failed cells, and raise `StudyError` where there are any."""
    if failed:
        directory = run.store.directory
        run.record.note("failed", failed)
        listed = "".join(f"\n  {label}: {why}" for label, why in failed.items())
        raise StudyError(
            f"{directory}: expected results of all cells; {len(failed)} failed, the others are stored.{listed}\n"
            f"Try these again with: sparsedyn study resume {directory}. Or see the others: sparsedyn study report "
            f"{directory}"
        )


def _concerns_all(error: Exception) -> bool:
    """Whether all cells fail alike: where the disk does, or where data are not there or cannot be read."""
    return isinstance(error, StudyError | DataError | OSError) or of_disk(error) is not None

"""Studies of SINDy autoencoders as a kind of study: each phase of a cell is resumed from a checkpoint of its own."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from sparsedyn.studies.cells import OnProgress, Outcome
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.store import Store
from sparsedyn.studies.units import StudyRun, Unit, one_by_one
from sparsedyn.training import Checkpoint
from sparsedyn_papers.autoencoders.cells import AutoencoderCell, cells_of
from sparsedyn_papers.autoencoders.compute import compute
from sparsedyn_papers.autoencoders.kept import kept
from sparsedyn_papers.autoencoders.report import document
from sparsedyn_papers.autoencoders.results import results_of
from sparsedyn_papers.autoencoders.search import compute_trial, notes_file
from sparsedyn_papers.autoencoders.spec import TABLES, AutoencodersSpec
from sparsedyn_papers.autoencoders.summary import overview, summary
from sparsedyn_papers.autoencoders.training import Checkpoints

EVERY = 15.0
"""Seconds between two checkpoints."""


def kind(every: float = EVERY) -> Kind:
    """Return the kind, with so many seconds between two checkpoints."""

    def resumed(store: Store, spec: AutoencodersSpec, cell: AutoencoderCell, on_progress: OnProgress) -> Outcome:
        checkpoints = _checkpoints(store, spec, cell, every)
        if spec.search is not None:
            return compute_trial(store, spec, cell, checkpoints, on_progress)
        return compute(spec, cell, checkpoints, on_progress)

    def units(run: StudyRun[AutoencodersSpec]) -> Iterator[Unit]:
        return one_by_one(run, cells_of(run.spec), resumed, _forget)

    return Kind(
        spec=AutoencodersSpec,
        tables=TABLES,
        overview=overview,
        cells=_cells,
        units=units,
        chained=lambda spec: spec.search is not None,
        results=results_of,
        document=document,
        kept=kept,
        summary=summary,
    )


def _cells(spec: AutoencodersSpec, store: Store) -> Sequence[AutoencoderCell]:
    return cells_of(spec)


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
    notes_file(store, cell).unlink(missing_ok=True)
    if (folder := store.checkpoint("").parent).is_dir() and not any(folder.iterdir()):
        folder.rmdir()


AUTOENCODERS = kind()

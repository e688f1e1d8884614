"""A kind of study that takes milliseconds, with all kinds of files that studies have: what the tests of runs run."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from sparsedyn.studies.cells import Cell, CellFiles, OnProgress, Outcome
from sparsedyn.studies.document import Document, Section, Text
from sparsedyn.studies.files import appearing
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.spec import AbstractStudySpec, Counts
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Summary, listed_cells
from sparsedyn.studies.units import one_by_one
from sparsedyn.training import Checkpoint

STEPS = 5
Numbers = Annotated[tuple[int, ...], Field(strict=False)]


class PowersSpec(AbstractStudySpec):
    """A cell for every power; those in `broken` fail."""

    kind: Literal["powers"] = "powers"
    name: str = "powers"
    powers: Counts = (2, 3, 4)
    broken: Numbers = ()


def cells(spec: PowersSpec, store: Store | None = None) -> list[Cell]:
    return [Cell(f"power-{power}", f"power {power}") for power in spec.powers]


def compute(store: Store, spec: PowersSpec, cell: Cell, on_progress: OnProgress) -> Outcome:
    """Take a few steps, with a checkpoint after each."""
    power = int(cell.label.split()[1])
    if power in spec.broken:
        raise ZeroDivisionError(f"{power} is broken")
    checkpoint = Checkpoint(store.checkpoint(cell.slug), cell.slug, 0.0)
    found = checkpoint.load(np.zeros(3, np.float32))
    state, step = (np.zeros(3, np.float32), 0) if found is None else (np.asarray(found[0]), found[1]["step"])
    for done in range(step + 1, STEPS + 1):
        state = np.float32(0.3) * state + np.arange(3, dtype=np.float32) ** power / done
        checkpoint.save(state, {"step": done})
        on_progress(done / STEPS, f"step {done}")
    table = pd.DataFrame({"place": range(3), "value": state})
    others: dict[str, Callable[[Path], Any]] = {"note.txt": lambda path: path.write_text(str(state))}
    return Outcome({"sum": float(state.sum())}, {"values": state}, "done", {"steps": table}, others)


def forget(store: Store, cell: Cell) -> None:
    from sparsedyn import _disk

    _disk.remove(store.checkpoint(cell.slug))


def units(run):
    """Store some data first, as comparisons do."""
    if not run.store.data_file("train").is_file():
        with appearing(run.store.data_sums.parent) as room:
            np.savez(room / "train.npz", allow_pickle=False, x=np.arange(5.0))
    return one_by_one(run, cells(run.spec), compute, forget)


def results(spec, cells):
    return pd.DataFrame([{"cell": cell.facts["label"], "sum": cell.facts["sum"]} for cell in cells])


def document(study):
    return Document(study.spec.name, [], [Section("sums", "Sums", [Text(str(list(study.results["sum"])))])])


def summary(spec, store, results):
    return Summary([Listing(("cell", "sum"), [])], results.to_dict(orient="records"))


POWERS = Kind(
    spec=PowersSpec,
    overview=lambda spec: listed_cells(cells(spec)),
    cells=cells,
    units=units,
    results=results,
    document=document,
    summary=summary,
    files=CellFiles("arrays.npz", ("steps",), ("note.txt",)),
)

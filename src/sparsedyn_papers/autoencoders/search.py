"""Cells of a search: the values of a trial are chosen when its turn comes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import StoredCell, stored_cells
from sparsedyn.studies.cells import CellFiles, OnProgress, Outcome
from sparsedyn.studies.files import read_json, write_json
from sparsedyn.studies.search.record import SearchRecord, Tried
from sparsedyn.studies.search.trials import next_trial
from sparsedyn.studies.store import Store
from sparsedyn_papers.autoencoders.cells import AutoencoderCell, at_point, trial_cells
from sparsedyn_papers.autoencoders.compute import compute
from sparsedyn_papers.autoencoders.objective import error_of, objective_of
from sparsedyn_papers.autoencoders.spec import WORDING, AutoencodersSpec, TrialsSpec
from sparsedyn_papers.autoencoders.training import Checkpoints


class _GivenUp(Exception):
    """A trial is not worth going on with."""


def compute_trial(
    store: Store, spec: AutoencodersSpec, cell: AutoencoderCell, checkpoint: Checkpoints, on_progress: OnProgress
) -> Outcome:
    """Choose the values of a trial from the finished ones before it, train with them, and evaluate what comes out.

    Errors at rungs are on disk before training goes on, so that a trial that is resumed behind a rung has them.
    """
    search = _search(spec)
    trial = next_trial(spec.dimensions(), search, spec.seed, earlier_trials(store, spec, cell))
    model, training = at_point(spec, trial.values)
    words = WORDING.short_label(trial.values)
    chosen = replace(cell, label=f"{cell.label}: {words}", model=model, training=training, values=trial.values)
    notes = notes_file(store, cell)
    rungs = [number(error) for error in read_json(notes)["rungs"]] if notes.is_file() else []

    def watch(share: float, read: Callable[[], pd.DataFrame]) -> None:
        # A short training may step over several rungs at once; the last share is the objective's.
        while len(rungs) < len(search.rungs) and search.rungs[len(rungs)] <= share < 1:
            rungs.append(error_of(read()))
            write_json(notes, {"rungs": [error if math.isfinite(error) else None for error in rungs]})
            if not trial.goes_on(rungs[-1]):
                raise _GivenUp

    try:
        if not all([trial.goes_on(error) for error in rungs]):
            raise _GivenUp
        outcome = compute(
            spec, chosen, checkpoint, lambda share, remark: on_progress(share, f"{words}; {remark}"), watch
        )
    except _GivenUp:
        return _given_up(spec, chosen, rungs)
    objective = objective_of(outcome.facts["members"])
    facts = outcome.facts | _facts(chosen, rungs, "complete", objective)
    return outcome._replace(facts=facts, summary=f"objective {objective:.3g}; {outcome.summary}")


def earlier_trials(store: Store, spec: AutoencodersSpec, cell: AutoencoderCell) -> list[Tried]:
    """Return what became of the trials before this one."""
    cells = trial_cells(spec)
    before = cells[: [other.slug for other in cells].index(cell.slug)]
    return [trial_of(stored) for stored in stored_cells(store, CellFiles(), before)]


def notes_file(store: Store, cell: AutoencoderCell) -> Path:
    """Return where the errors at rungs of a trial under way are."""
    return store.checkpoint(f"{cell.slug}-rungs").with_suffix(".json")


def trial_of(cell: StoredCell) -> Tried:
    """Return what became of a stored trial."""
    facts = cell.facts
    place, rungs = int(cell.slug.rpartition("-")[2]), [number(value) for value in facts["rungs"]]
    return Tried(place, facts["label"], facts["values"], rungs, facts["state"], number(facts["objective"]))


def search_record(spec: AutoencodersSpec, cells: Sequence[StoredCell]) -> SearchRecord:
    """Return what a search came to so far."""
    shares = (*_search(spec).rungs, 1.0)
    tried = [_to_the_end(trial_of(cell), len(shares)) for cell in cells]
    return SearchRecord(spec.dimensions(), WORDING, [{"share of training": share} for share in shares], tried)


def _to_the_end(trial: Tried, rungs: int) -> Tried:
    """Count the end of training as the last rung."""
    if trial.state == "pruned":
        return trial
    missing = (math.nan,) * (rungs - 1 - len(trial.rungs))
    return trial._replace(rungs=(*trial.rungs, *missing, trial.objective))


def number(value: float | None) -> float:
    """Return a number read from JSON, which has none for what is not finite."""
    return math.inf if value is None else float(value)


def _search(spec: AutoencodersSpec) -> TrialsSpec:
    assert spec.search is not None
    return spec.search


def _given_up(spec: AutoencodersSpec, chosen: AutoencoderCell, rungs: list[float]) -> Outcome:
    share = _search(spec).rungs[len(rungs) - 1]
    facts = {
        "system": spec.data.system,
        "noise": chosen.noise,
        "seed": chosen.seed,
        "recipe": chosen.training.recipe,
        "members": [],
    }
    summary = f"given up after {100 * share:.3g} % of training, with ln(error) {rungs[-1]:.3g}"
    return Outcome(facts | _facts(chosen, rungs, "pruned", math.inf), {}, summary)


def _facts(chosen: AutoencoderCell, rungs: list[float], state: str, objective: float) -> dict[str, Any]:
    values = dict(chosen.values)
    return {"values": values, "rungs": rungs, "state": state, "objective": objective, "label": chosen.label}

"""Cells of a search: what a trial is, is decided when its turn comes."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sparsedyn.studies.cell_files import stored_cells
from sparsedyn.studies.cells import OnProgress, Outcome
from sparsedyn.studies.store import Store, read_json, write_json
from sparsedyn_papers.autoencoders.cells import AutoencoderCell, at_point, short_label, trial_cells
from sparsedyn_papers.autoencoders.compute import compute
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.autoencoders.training import Checkpoints
from sparsedyn_papers.autoencoders.trials import Told, error_of, next_trial, number, objective_of, told


class _GivenUp(Exception):
    """A trial is not worth going on with."""


def compute_trial(
    store: Store, spec: AutoencodersSpec, cell: AutoencoderCell, checkpoint: Checkpoints, on_progress: OnProgress
) -> Outcome:
    """Choose the values of a trial from the finished ones before it, train with them, and judge what comes out.

    Errors at rungs are on disk before training goes on, so that a trial that is resumed behind a rung has them.
    """
    assert spec.search is not None
    trial = next_trial(spec, earlier_trials(store, spec, cell))
    model, training = at_point(spec, trial.values)
    label = f"{cell.label}: {short_label(trial.values)}"
    chosen = replace(cell, label=label, model=model, training=training, values=trial.values)
    notes = notes_file(store, cell)
    rungs = [number(error) for error in read_json(notes)["rungs"]] if notes.is_file() else []

    def shown(share: float, read: Callable[[], pd.DataFrame]) -> None:
        assert spec.search is not None
        # A short training may step over several rungs at once; the last share is the objective's.
        while len(rungs) < len(spec.search.rungs) and spec.search.rungs[len(rungs)] <= share < 1:
            rungs.append(error_of(read()))
            write_json(notes, {"rungs": [error if math.isfinite(error) else None for error in rungs]})
            if not trial.goes_on(rungs[-1]):
                raise _GivenUp

    def tell(share: float, remark: str) -> None:
        on_progress(share, f"{short_label(trial.values)}; {remark}")

    try:
        if not all([trial.goes_on(error) for error in rungs]):
            raise _GivenUp
        outcome = compute(spec, chosen, checkpoint, tell, shown)
    except _GivenUp:
        return _given_up(spec, chosen, rungs)
    objective = objective_of(outcome.facts["members"])
    found = Told(trial.values, rungs, "complete", objective)
    return outcome._replace(
        facts=outcome.facts | _facts(found, chosen), summary=f"objective {objective:.3g}; {outcome.summary}"
    )


def earlier_trials(store: Store, spec: AutoencodersSpec, cell: AutoencoderCell) -> list[Told]:
    """Return what became of the trials before this one."""
    cells = trial_cells(spec)
    before = cells[: [other.slug for other in cells].index(cell.slug)]
    return [told(stored) for stored in stored_cells(store, before)]


def notes_file(store: Store, cell: AutoencoderCell) -> Path:
    """Return where the errors at rungs of a trial under way are."""
    return store.checkpoint(f"{cell.slug}-rungs").with_suffix(".json")


def _given_up(spec: AutoencodersSpec, chosen: AutoencoderCell, rungs: list[float]) -> Outcome:
    assert spec.search is not None
    found = Told(chosen.values, rungs, "pruned", math.inf)
    share = spec.search.rungs[len(rungs) - 1]
    facts = {
        "system": spec.data.system,
        "noise": chosen.noise,
        "seed": chosen.seed,
        "recipe": chosen.training.recipe,
        "members": [],
    }
    summary = f"given up after {100 * share:.3g} % of training, with ln(error) {rungs[-1]:.3g}"
    return Outcome(facts | _facts(found, chosen), {}, summary)


def _facts(found: Told, chosen: AutoencoderCell) -> dict[str, Any]:
    return {**found._asdict(), "values": dict(found.values), "rungs": list(found.rungs), "label": chosen.label}

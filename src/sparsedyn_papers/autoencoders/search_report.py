"""The report on a search: all trials in one table, the best one explained, and what its values did."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.document import Column, Picture, Table, plain
from sparsedyn.studies.document.words import DASH, duration, plural
from sparsedyn.studies.figures.trial_values import Values, trial_values
from sparsedyn.studies.search.space import Range
from sparsedyn.studies.search.wording import value_text
from sparsedyn_papers.autoencoders.grid_report import first
from sparsedyn_papers.autoencoders.search import trial_of
from sparsedyn_papers.autoencoders.spec import WORDING, AutoencodersSpec

ENOUGH = 5
"""Trials trained to the end from which on it is told how their values go with the objective."""
MEANINGS = {
    "objective": "ln(decoder + derivative) + terms ln 1.1 on held-out data, the least of a trial's members: a term has "
    "to make errors a tenth smaller. Errors count a hundredfold where simulations leave the region of the data. Made "
    "without the truth and without test data.",
    "held out": "The same errors on the part of the training data that nobody was trained on; they choose the trials.",
}


def best_trial(cells: Sequence[Stored]) -> Stored | None:
    """Return the trial of least objective; none where none was trained to the end."""
    done = [cell for cell in cells if trial_of(cell).state == "complete"]
    return min(done, key=lambda cell: trial_of(cell).objective, default=None)


def trials_table(spec: AutoencodersSpec, cells: Sequence[Stored], seconds: Mapping[str, float]) -> Table:
    """Return all trials: those trained to the end by objective, then those given up, the furthest first."""
    columns = [
        Column("trial", text=True),
        *(Column(WORDING.title(key), group=i == 0) for i, key in enumerate(spec.dimensions())),
        Column("objective", group=True),
        Column("held out: decoder", group=True),
        Column("derivative"),
        Column("terms"),
        Column("test: decoder", group=True),
        Column("derivative"),
        Column("time", group=True),
    ]
    return Table(columns, [_row(spec, cell, seconds) for cell in sorted(cells, key=_order)])


def _order(cell: Stored) -> tuple[bool, int, float]:
    found = trial_of(cell)
    return (True, -len(found.rungs), found.rungs[-1]) if found.state == "pruned" else (False, 0, found.objective)


def _row(spec: AutoencodersSpec, cell: Stored, seconds: Mapping[str, float]) -> list[str]:
    found = trial_of(cell)
    values = [plain(_text(found.values[key])) for key in spec.dimensions()]
    time = duration(seconds[cell.slug]) if cell.slug in seconds else DASH
    number = cell.slug.rpartition("-")[2].lstrip("0")
    if found.state == "pruned":
        assert spec.search is not None
        share = 100 * spec.search.rungs[len(found.rungs) - 1]
        return [number, *values, f"given up at {share:.3g} %", *(DASH,) * 5, time]
    best = first(cell)
    errors = [best["errors"][part][name] for part in ("held_out", "test") for name in ("decoder", "derivative")]
    held_out, test = errors[:2], errors[2:]
    told_errors = [*map(_error, held_out), str(best["terms"]), *map(_error, test)]
    return [number, *values, _objective(found.objective), *told_errors, time]


def trials_sentences(spec: AutoencodersSpec, cells: Sequence[Stored]) -> list[str]:
    """Return what came out, why the best trial is the best, and how values go with the objective."""
    assert spec.search is not None
    done = [cell for cell in cells if trial_of(cell).state == "complete"]
    best = best_trial(cells)
    lost = len(cells) - len(done)
    sentence = f"Of {plural(len(cells), 'trial')}, {len(done)} were trained to the end"
    sentence += f" and {lost} given up after a share of training." if lost else "."
    if best is None or not math.isfinite(trial_of(best).objective):
        return [f"{sentence} None has a member that lived through training."]
    found, member = trial_of(best), first(best)
    words = plain(WORDING.short_label(found.values))
    errors = member["errors"]["held_out"]
    sentences = [
        f"{sentence} The least objective, **{_objective(found.objective)}**, has "
        f"**{words}**: the first of its ranking misses {_error(errors['decoder'])} of "
        f"the held-out measurements and {_error(errors['derivative'])} of their derivatives (squared, relative), with "
        f"{plural(member['terms'], 'term')}."
    ]
    others = sorted(trial_of(cell).objective for cell in done)
    if len(others) > 1 and math.isfinite(others[1]):
        gap = math.exp(min(others[1] - others[0], 50.0))
        sentences.append(f"At equal terms, errors of the next best trial are {gap:.3g} times as large.")
    if len(done) >= ENOUGH:
        sentences += [_tendency(key, tried, done) for key, tried in spec.dimensions().items()]
    return sentences


def _tendency(key: str, tried: Range | Sequence[Any], done: Sequence[Stored]) -> str:
    """Say how the objective goes with one key, over the trials that were trained to the end."""
    name = plain(WORDING.title(key))
    objective = np.array([trial_of(cell).objective for cell in done])
    if isinstance(tried, Range):
        values = np.array([trial_of(cell).values[key] for cell in done], np.float64)
        rank = float(spearmanr(values, objective).statistic) if np.ptp(values) > 0 and len(set(objective)) > 1 else 0.0
        shown = f"{rank:+.2f}".replace("-", "−")
        return f"Rank correlation of the objective with {name}: {shown} (negative: more is better)."
    parts = []
    for value in tried:
        chosen = objective[[_plain(trial_of(cell).values[key]) == _plain(value) for cell in done]]
        least = _objective(chosen.min()) if chosen.size else DASH
        parts.append(f"{least} with {plain(value_text(value))} ({chosen.size})")
    return f"By {name}, the least objective (and how many trials were trained to the end) is {', '.join(parts)}."


def trials_picture(spec: AutoencodersSpec, cells: Sequence[Stored]) -> Picture:
    """Return the picture of all trials."""
    trials = [trial_of(cell) for cell in cells]
    dimensions = spec.dimensions()
    tried: dict[str, Values] = {}
    for key, dimension in dimensions.items():
        values = [trial.values[key] for trial in trials]
        numbers = isinstance(dimension, Range)
        tried[WORDING.title(key)] = np.array(values, np.float64) if numbers else [value_text(value) for value in values]
    return Picture(
        "trials",
        "Objective by trial and by every value that was tried.",
        "The objective (less is better) of all trials in their order, and by the values they had. Crosses at the "
        "upper edge were given up, or have no living member.",
        partial(
            trial_values,
            np.array([trial.objective for trial in trials]),
            np.array([trial.state == "pruned" for trial in trials]),
            tried,
            {WORDING.title(key): isinstance(d, Range) and d.log for key, d in dimensions.items()},
            title="Trials",
        ),
    )


def dimension_text(tried: Range | Sequence[Any]) -> str:
    """Write what a search tries of one key."""
    if not isinstance(tried, Range):
        return ", ".join(value_text(value) for value in tried)
    return f"{tried.low:g} to {tried.high:g}{' (logarithmic)' if tried.log else ''}"


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value_text(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _objective(value: float) -> str:
    return f"{value:.3g}".replace("-", "−") if math.isfinite(value) else "no living member"


def _error(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.2g}".replace("e-0", "e−").replace("e-", "e−")

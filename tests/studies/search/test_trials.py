"""Trials chosen by Optuna: what they learn from earlier ones, and that they are chosen anew as they were."""

import importlib.util
import math
import sys
from typing import Any

import pytest

from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.search.record import SearchRecord, State, Tried
from sparsedyn.studies.search.space import Range
from sparsedyn.studies.search.trials import TrialsTable, next_trial
from sparsedyn.studies.search.wording import Wording

needs_optuna = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs the extra search")

WEIGHT, RATE = "training.derivative", "training.rate"
AXES: dict[str, Any] = {WEIGHT: Range(low=1e-5, high=1e-1, log=True), RATE: (1e-3, 1e-2)}


def followed(search: TrialsTable) -> list[Tried]:
    """Trials of a made-up objective: the nearer the weight is to a hundredth, the better."""
    before: list[Tried] = []
    for number in range(1, search.trials + 1):
        trial = next_trial(AXES, search, 0, before)
        away = abs(math.log10(trial.values[WEIGHT]) + 2)
        rungs: list[float] = []
        state: State = "complete"
        for error in (2 * away, 1.5 * away):
            rungs.append(error)
            if not trial.goes_on(error):
                state = "pruned"
                break
        objective = math.inf if state == "pruned" else away
        before.append(Tried(number, f"trial {number}", trial.values, rungs, state, objective))
    return before


@needs_optuna
@pytest.mark.parametrize("pruner", ["successive-halving", "median", "none"])
def test_trials_learn_from_earlier_ones_and_are_given_up(pruner: Any):
    search = TrialsTable(trials=16, pruner=pruner)
    found = followed(search)
    states = [trial.state for trial in found]
    assert states[0] == "complete"
    assert ("pruned" in states) == (pruner != "none")
    record = SearchRecord(AXES, Wording(), [{"share": 0.1}, {"share": 0.3}], found)
    assert record.best is not None
    assert record.best.objective < 0.5
    assert len(record.reached(1)) == 16
    assert next_trial(AXES, search, 0, found[:3]).values == found[3].values


@needs_optuna
def test_trials_of_another_chooser_are_refused():
    made = Tried(1, "trial 1", {WEIGHT: 1e-3, RATE: 1e-3}, [], "complete", 1.0)
    with pytest.raises(StudyError, match="trial 1: expected the values that Optuna"):
        next_trial(AXES, TrialsTable(trials=4), 0, [made])


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(StudyError, match=r'pip install "sparsedyn\[search\]"'):
        next_trial(AXES, TrialsTable(), 0, [])


def test_where_nothing_is_finite_nothing_is_best():
    failed = [Tried(1, "trial 1", {}, [math.inf], "pruned"), Tried(2, "trial 2", {}, [], "complete", math.inf)]
    assert SearchRecord({}, Wording(), [], failed).best is None

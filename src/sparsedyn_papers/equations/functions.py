"""The experiment with functions: how often trials find them, and whether the automatic choice is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from sparsedyn.equations import complexity, text
from sparsedyn.estimators.equation import EXACT
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.slugs import slug_of
from sparsedyn_papers.benchmarks.functions import Function
from sparsedyn_papers.equations.criterion import Assessment, assessed
from sparsedyn_papers.equations.recipes import RECIPES
from sparsedyn_papers.equations.samples import entropy, sampled
from sparsedyn_papers.equations.spec import EquationsSpec, FunctionsSpec
from sparsedyn_papers.equations.suites import SUITES
from sparsedyn_papers.equations.trials import Trial

NAMES = {"l05": "L0.5", "l0": "L0"}
GOALS = {
    "success": "error of at most 1 % beyond the sampled domain and no spurious term above 2 %",
    "exact": "error on held-out samples below 1e-6",
    "right": "right form, constants within 5 %, error beyond the sampled domain of at most 5 %",
}
"""What a trial has to reach, by suite and noise."""
DIGITS = 5


@dataclass(frozen=True)
class FunctionCell(Cell):
    """A function, a regularizer, and a seed of data."""

    function: Function
    regularizer: str
    seed: int


def settings_of(spec: EquationsSpec) -> FunctionsSpec:
    """Return the table of this experiment."""
    assert spec.functions is not None
    return spec.functions


def goal(settings: FunctionsSpec) -> str:
    """Return what a trial has to reach: `success`, `exact` or `right`."""
    if settings.noise > 0:
        return "right"
    return "success" if settings.suite == "table5" else "exact"


def cells(spec: EquationsSpec) -> list[FunctionCell]:
    """Return all cells: functions, within them regularizers, within them seeds."""
    settings = settings_of(spec)
    suite = [f for f in SUITES[settings.suite] if settings.functions is None or f.name in settings.functions]
    several = len(settings.seeds) > 1
    found = []
    for number, function in enumerate(suite, 1):
        for regularizer in settings.regularizers:
            for seed in settings.seeds:
                label = f"{function.name}, {NAMES[regularizer]}" + (f", seed {seed}" if several else "")
                slug = slug_of(f"{number:02d} {function.name} {regularizer} {seed}")
                found.append(FunctionCell(slug, label, function, regularizer, seed))
    return found


def compute(spec: EquationsSpec, cell: FunctionCell, on_progress: OnProgress) -> Outcome:
    """Run all trials of a cell; only then look beyond the domain."""
    settings, function = settings_of(spec), cell.function
    data = sampled(function, settings, seed=spec.seed, data_seed=cell.seed)
    number = np.random.SeedSequence(entropy(function, spec.seed, cell.seed, 1)).generate_state(1)[0] >> 1
    run = RECIPES[settings.recipe]
    found = run(settings, cell.regularizer, data, function.inputs, int(number), on_progress)
    assess = _Assessor(function.truth, data.beyond)
    trials = [assess(trial) for trial in found.trials]
    facts = {
        "function": function.name,
        "truth": text(function.truth, DIGITS),
        "regularizer": cell.regularizer,
        "seed": cell.seed,
        "noise": settings.noise,
        "goal": goal(settings),
        "published": function.published.get(cell.regularizer),
        "chosen": found.choice(),
        "single": found.single,
        "trials": trials,
        "restarted": {str(i): assess(trial) for i, trial in found.restarted.items()},
        "front": [assess(trial) for trial in found.front],
    }
    reached = sum(trial[goal(settings)] for trial in trials)
    summary = f"{reached} of {len(trials)} trials"
    if found.choice() >= 0:
        summary += f"; chosen: {trials[found.choice()]['equation']}"
    return Outcome(facts, {"x": data.train.x, "y": data.train.dx[:, 0]}, summary)


class _Assessor:
    """Assesses equations, each once: trials that succeed end with the same one."""

    def __init__(self, truth: sympy.Expr, beyond: Mapping[str, np.ndarray]):
        self.truth, self.beyond = truth, beyond
        self.known: dict[sympy.Expr, Assessment] = {}

    def __call__(self, trial: Trial) -> dict[str, Any]:
        """Return what is stored of a trial."""
        own = {name: getattr(trial, name) for name in ("weights", "train", "held_out", "score", "networks")}
        expression = trial.expression
        if expression is None:
            return {"finite": False, "equation": "", **own, "success": False, "exact": False, "right": False}
        if expression not in self.known:
            self.known[expression] = assessed(expression, self.truth, self.beyond)
        found = self.known[expression]
        return {
            "finite": True,
            "equation": text(expression, DIGITS),
            **own,
            "complexity": complexity(expression),
            "beyond": found.error,
            "spurious": [text(term, DIGITS) for term in found.spurious],
            "form": found.form,
            "constants": found.constants,
            "success": found.success,
            "exact": max(trial.train, trial.held_out) < EXACT,
            "right": found.right,
        }


def rows(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return the row of a cell in the table of results."""
    trials, restarted = facts["trials"], facts["restarted"]
    reached = [bool(trial[facts["goal"]]) for trial in trials]
    again = [bool(restarted.get(str(i), trial)[facts["goal"]]) for i, trial in enumerate(trials)]
    chosen = trials[facts["chosen"]] if facts["chosen"] >= 0 else {}
    return [
        {
            "cell": facts["label"],
            "function": facts["function"],
            "truth": facts["truth"],
            "regularizer": facts["regularizer"],
            "seed": facts["seed"],
            "noise": facts["noise"],
            "goal": facts["goal"],
            "trials": len(trials),
            "reached": sum(reached),
            "share": float(np.mean(reached)),
            "success": float(np.mean([trial["success"] for trial in trials])),
            "exact": float(np.mean([trial["exact"] for trial in trials])),
            # Under noise no network is exact.
            "single": _number(facts["single"]) if facts["noise"] == 0 else np.nan,
            "not_finite": sum(not trial["finite"] for trial in trials),
            "share_restarted": float(np.mean(again)),
            "networks": float(np.mean([trial["networks"] for trial in trials])),
            "choice_reached": bool(chosen.get(facts["goal"], False)),
            "equation": str(chosen.get("equation", "")),
            "held_out": _number(chosen.get("held_out")),
            "beyond": _number(chosen.get("beyond")),
            "constants": _number(chosen.get("constants")),
            "published": _number(facts["published"]),
        }
    ]


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)

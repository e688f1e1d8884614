"""Trials of a search: each one's values are chosen from what came out of those before it.

Nothing of the chooser (Optuna) is stored. It is told all earlier trials anew, in their order, as they stand in the
study's folder: it draws the same numbers then as if the study had never been stopped.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.errors import StudyError
from sparsedyn_papers.autoencoders.space import Range
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

KEEP = 3
"""One in so many trials goes on, by successive halving."""
AT_RANDOM = 10
"""Trials at random, at most, before values are modelled; no more than half of all."""
TERM = math.log(1.1)
"""A term has to make errors a tenth smaller."""

UNBOUNDED = math.log(100.0)
"""A price rather than a ban: what is searched may have nothing bounded at first, and must be told what is nearer."""

State = Literal["complete", "pruned"]


class Told(NamedTuple):
    """What became of a trial: its values by dotted key, its errors at the rungs it reached, and its objective."""

    values: Mapping[str, Any]
    rungs: Sequence[float]
    state: State
    objective: float


def error_of(table: pd.DataFrame) -> float:
    """Return the least logarithm, over members, of the held-out errors of measurements and of their derivatives.

    It is what trials are compared by at a rung; infinite where no member has a finite error.
    """
    return _least(_errors(table))


def objective_of(members: Sequence[Mapping[str, Any]]) -> float:
    """Return the objective of a finished trial from the facts of its members: the least is best.

    That of a member is ln(decoder + derivative) + terms ln 1.1, of held-out errors: a term is worth having that makes
    them a tenth smaller. Where simulations leave the region of the data, errors count a hundredfold. Members that died
    do not count; it is infinite where none is left. Neither the truth nor test data are asked.
    """
    table = pd.DataFrame([member["errors"]["held_out"] for member in members], dtype=np.float64)
    alive, bounded = (np.array([bool(member[name]) for member in members]) for name in ("alive", "bounded"))
    terms = np.array([member["terms"] for member in members])
    value = _errors(table) + TERM * terms + np.where(bounded, 0.0, UNBOUNDED)
    return _least(np.where(alive, value, np.inf))


def _errors(table: pd.DataFrame) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(table["decoder"].to_numpy(np.float64) + table["derivative"].to_numpy(np.float64))


def _least(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else math.inf


def told(cell: Stored) -> Told:
    """Return what became of a stored trial."""
    facts = cell.facts
    return Told(facts["values"], [number(v) for v in facts["rungs"]], facts["state"], number(facts["objective"]))


def number(value: float | None) -> float:
    """Return a number read from JSON, which has none for what is not finite."""
    return math.inf if value is None else float(value)


class Trial:
    """A trial that is under way: the values to try, and whether it goes on after what came out at a rung."""

    def __init__(self, study: Any, asked: Any, values: Mapping[str, Any]):
        self.values = values
        self._study, self._asked, self._reached = study, asked, 0

    def goes_on(self, error: float) -> bool:
        """Note the error at the next rung, and say whether the trial goes on."""
        # Pruning by halves counts in resources: at every rung there are so many times as many.
        self._asked.report(error, KEEP**self._reached)
        self._reached += 1
        return not self._asked.should_prune()

    def finish(self, outcome: Told) -> None:
        """Note what became of it."""
        optuna = _optuna()
        if outcome.state == "pruned":
            self._study.tell(self._asked, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(self._asked, outcome.objective)


def next_trial(spec: AutoencodersSpec, before: Sequence[Told]) -> Trial:
    """Return the trial that comes after `before`, which are all earlier ones in their order.

    **Raises:** `StudyError` where Optuna is not installed, or would have chosen other values for the earlier trials.
    """
    assert spec.search is not None
    optuna = _optuna()
    pruners = {
        "successive-halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEEP),
        "median": optuna.pruners.MedianPruner,
        "none": optuna.pruners.NopPruner,
    }
    sampler = optuna.samplers.TPESampler(seed=spec.seed, n_startup_trials=min(AT_RANDOM, spec.search.trials // 2))
    study = _quietly(optuna, sampler, pruners[spec.search.pruner]())
    space = {key: _distribution(optuna, tried) for key, tried in spec.dimensions().items()}
    for place, earlier in enumerate(before, 1):
        trial = _asked(spec, study, space)
        if not _same(trial.values, earlier.values):
            raise StudyError(
                f"trial {place}: expected the values that Optuna {version('optuna')} chooses from this seed; it was "
                "made with others. Go on with the version of Optuna that the study was begun with, or begin it anew."
            )
        for error in earlier.rungs:
            trial.goes_on(error)
        trial.finish(earlier)
    return _asked(spec, study, space)


def _asked(spec: AutoencodersSpec, study: Any, space: Mapping[str, Any]) -> Trial:
    asked = study.ask(space)
    chosen = {
        key: asked.params[key] if isinstance(tried, Range) else tried[asked.params[key]]
        for key, tried in spec.dimensions().items()
    }
    return Trial(study, asked, chosen)


def _distribution(optuna: Any, tried: Range | Sequence[Any]) -> Any:
    if not isinstance(tried, Range):
        # By number: choices may be lists, which Optuna does not take.
        return optuna.distributions.CategoricalDistribution(tuple(range(len(tried))))
    made = "IntDistribution" if isinstance(tried.low, int) else "FloatDistribution"
    return getattr(optuna.distributions, made)(tried.low, tried.high, log=tried.log)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether values are the same, of which stored ones have lists for tuples."""
    return one.keys() == other.keys() and all(_plain(one[key]) == _plain(other[key]) for key in one)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _quietly(optuna: Any, sampler: Any, pruner: Any) -> Any:
    """Return a study in memory; Optuna announces it otherwise."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler, pruner=pruner)
    finally:
        optuna.logging.set_verbosity(before)


def _optuna() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError as error:
        raise StudyError(
            f"search: trials are chosen by Optuna, which cannot be imported ({error}). Run: pip install "
            '"sparsedyn[search]"'
        ) from error
    return optuna

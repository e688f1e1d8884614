"""Trials, whose values Optuna chooses from the results of the earlier ones.

Optuna's state is not stored. It is told all earlier trials again, in their order, from the study's folder, and then
draws the same numbers as in an uninterrupted study.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from pydantic import model_validator

from sparsedyn.selection._optuna import optuna_module, quiet_study
from sparsedyn.studies.errors import Misfit, StudyError
from sparsedyn.studies.search.record import Tried
from sparsedyn.studies.search.space import Range
from sparsedyn.studies.spec import Count, Fractions, Table

KEEP = 3
"""Successive halving keeps one in so many trials."""
AT_RANDOM = 10
"""The most random trials before values are modelled; no more than half of all."""


class TrialsTable(Table):
    """A search in so many `trials`, each an ensemble whose values are chosen by the results of the earlier ones.

    After each share of training in `rungs` a trial is compared with the earlier ones that reached it, and pruned by the
    `pruner`'s rule: `successive-halving` keeps the best third, `median` the better half.
    """

    trials: Count = 20
    pruner: Literal["successive-halving", "median", "none"] = "successive-halving"
    rungs: Fractions = (0.1, 0.3)

    @model_validator(mode="after")
    def _rungs_increase(self) -> "TrialsTable":
        if list(self.rungs) != sorted(self.rungs):
            raise Misfit(("rungs",), "expected increasing shares of training. Sort them.")
        return self


class Trial:
    """A running trial: the values to try, and whether it goes on after each rung."""

    def __init__(self, study: Any, asked: Any, values: Mapping[str, Any]):
        self.values = values
        self._study, self._asked, self._reached = study, asked, 0

    def goes_on(self, error: float) -> bool:
        """Report the error at the next rung, and return whether the trial goes on."""
        # Successive halving counts resources, which grow by this factor from rung to rung.
        self._asked.report(error, KEEP**self._reached)
        self._reached += 1
        return not self._asked.should_prune()

    def finish(self, outcome: Tried) -> None:
        """Report the outcome."""
        optuna = _optuna()
        if outcome.state == "pruned":
            self._study.tell(self._asked, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(self._asked, outcome.objective)


def next_trial(axes: Mapping[str, Any], search: TrialsTable, seed: int, before: Sequence[Tried]) -> Trial:
    """Return the trial that comes after `before`, which are all earlier ones in their order.

    **Raises:** `StudyError` where Optuna is not installed, or would have chosen other values for the earlier trials.
    """
    optuna = _optuna()
    pruners = {
        "successive-halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEEP),
        "median": optuna.pruners.MedianPruner,
        "none": optuna.pruners.NopPruner,
    }
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(AT_RANDOM, search.trials // 2))
    study = quiet_study(sampler=sampler, pruner=pruners[search.pruner]())
    distributions = {key: _distribution(optuna, tried) for key, tried in axes.items()}
    for earlier in before:
        trial = _asked(axes, study, distributions)
        if not _same(trial.values, earlier.values):
            raise StudyError(
                f"trial {earlier.number}: expected the values that Optuna {version('optuna')} chooses from this seed; "
                "it was made with others. Use the version of Optuna that the study was started with, or start the "
                "study again."
            )
        for error in earlier.rungs:
            trial.goes_on(error)
        trial.finish(earlier)
    return _asked(axes, study, distributions)


def _asked(axes: Mapping[str, Any], study: Any, distributions: Mapping[str, Any]) -> Trial:
    asked = study.ask(distributions)
    chosen = {
        key: asked.params[key] if isinstance(tried, Range) else tried[asked.params[key]] for key, tried in axes.items()
    }
    return Trial(study, asked, chosen)


def _distribution(optuna: Any, tried: Range | Sequence[Any]) -> Any:
    if not isinstance(tried, Range):
        # By number: choices may be lists, which Optuna does not take.
        return optuna.distributions.CategoricalDistribution(tuple(range(len(tried))))
    made = "IntDistribution" if isinstance(tried.low, int) else "FloatDistribution"
    return getattr(optuna.distributions, made)(tried.low, tried.high, log=tried.log)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether values are equal; stored ones have lists in place of tuples."""
    return one.keys() == other.keys() and all(_plain(one[key]) == _plain(other[key]) for key in one)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _optuna() -> Any:
    try:
        return optuna_module()
    except ImportError as error:
        raise StudyError(str(error)) from error

"""How a search proposes candidates: all of a grid, at random, or by what came out of those before (Optuna).

A strategy is a generator: it yields lists of parameters and is sent the error of each. Spaces are scikit-learn's: lists
of values by parameter, and for random searches distributions of `scipy.stats` as well.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from sparsedyn.selection._optuna import optuna_module, quiet_study

Parameters: TypeAlias = dict[str, Any]
Strategy: TypeAlias = Generator[list[Parameters], list[float], None]
Space: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

CANDIDATES = 20
"""Of a random or Optuna search, unless told."""
TOGETHER = 4
"""Candidates that Optuna is asked for at once, so that those of one shape can share a computation."""
AT_RANDOM = 10
"""Candidates that Optuna draws at random, at most, before it models errors; no more than half of all."""


def grid(space: Space, candidates: int | None, seed: int) -> Strategy:
    """Propose every combination; raises `ValueError` for a number of candidates, which the grid has already."""
    if candidates is not None:
        raise ValueError(
            f"candidates: expected none, since a grid has {len(ParameterGrid(space))}; got {candidates}. Leave it out, "
            'or search with strategy="random".'
        )
    yield list(ParameterGrid(space))


def random(space: Space, candidates: int | None, seed: int) -> Strategy:
    """Propose combinations drawn at random, without replacement where there are only lists."""
    count = CANDIDATES if candidates is None else candidates
    spaces = [space] if isinstance(space, Mapping) else space
    if not any(hasattr(values, "rvs") for one in spaces for values in one.values()):
        count = min(count, len(ParameterGrid(space)))
    yield list(ParameterSampler(space, count, random_state=seed))


def optuna(space: Space, candidates: int | None, seed: int) -> Strategy:
    """Propose what the errors of earlier candidates make promising, by Optuna's tree-structured Parzen estimator."""
    if not isinstance(space, Mapping):
        raise ValueError('space: expected one table of parameters for strategy="optuna"; got several.')
    count = CANDIDATES if candidates is None else candidates
    chooser = optuna_module()
    sampler = chooser.samplers.TPESampler(
        seed=seed, n_startup_trials=max(1, min(AT_RANDOM, count // 2)), constant_liar=True
    )
    study = quiet_study(sampler=sampler)
    distributions = {name: _distribution(chooser, name, values) for name, values in space.items()}
    for done in range(0, count, TOGETHER):
        trials = [study.ask(distributions) for _ in range(min(TOGETHER, count - done))]
        errors = yield [{name: _value(space[name], trial.params[name]) for name in distributions} for trial in trials]
        for trial, error in zip(trials, errors, strict=True):
            if np.isfinite(error):
                study.tell(trial, error)
            else:
                study.tell(trial, state=chooser.trial.TrialState.FAIL)


STRATEGIES: dict[str, Callable[[Space, int | None, int], Strategy]] = {
    "grid": grid,
    "random": random,
    "optuna": optuna,
}


def _distribution(chooser: Any, name: str, values: Any) -> Any:
    """Return what Optuna draws from: a list by position, since its items may be lists, or a range."""
    made = chooser.distributions
    if isinstance(values, made.BaseDistribution):
        return values
    if not hasattr(values, "rvs"):
        return made.CategoricalDistribution(tuple(range(len(values))))
    low, high = values.support()
    match values.dist.name:
        case "loguniform" | "reciprocal":
            return made.FloatDistribution(float(low), float(high), log=True)
        case "uniform":
            return made.FloatDistribution(float(low), float(high))
        case "randint":
            return made.IntDistribution(int(low), int(high))
    raise ValueError(
        f"space: {name}: expected a list, or uniform, loguniform or randint of scipy.stats, for Optuna; got "
        f"{values.dist.name}. Give a distribution of optuna.distributions instead."
    )


def _value(values: Any, chosen: Any) -> Any:
    return values[chosen] if hasattr(values, "__getitem__") else chosen

"""The budget of every rung of a search, the cells that it trains, and an estimate of their time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sparsedyn.data import Trajectories
from sparsedyn.studies.comparison.cells import ComparisonCell, Group, expand
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.search.halving import kept_count
from sparsedyn.studies.search.space import Combination
from sparsedyn.studies.slugs import slug_of

COMPILE, COMPILE_LAYER = 0.9e6, 0.3e6
"""Microseconds to compile a shape, and more of them for every layer, measured on two cores."""
STEP, STEP_LAYER, UNIT = 11.0, 1.25, 1.3e-3
"""Microseconds of a gradient step: once, per layer of a member, and per unit of a member and sample."""
FORWARD = 0.3
"""The share of a step's work per sample that a validation needs."""
VALIDATIONS = 25
"""The most validations of a run."""


@dataclass(frozen=True)
class Budget:
    """The budget of one rung for a combination, and the share of combinations that it keeps; the last keeps all."""

    epochs: int
    train: int
    members: int
    keep: float | None


def budgets(spec: StudySpec) -> list[Budget]:
    """Return the budget of every rung; the last one is the study's own training."""
    if spec.search is None:
        return []
    own = expand(spec)[0]
    train = spec.data.train[0]
    rungs = [Budget(rung.epochs, rung.train or train, rung.members, rung.keep) for rung in spec.search.rungs]
    return [*rungs, Budget(own.arguments["epochs"], train, own.arguments["members"], None)]


def cells_of(spec: StudySpec, points: Sequence[Combination], budget: Budget) -> list[ComparisonCell]:
    """Return the cells that train `points` with this budget: the study's one technique with other settings."""
    base = expand(spec)[0]
    spent = {"epochs": budget.epochs, "members": budget.members}
    return [
        replace(
            base,
            slug=slug_of(point.label),
            label=point.label,
            train_trajectories=budget.train,
            arguments={**base.arguments, **{key.partition(".")[2]: v for key, v in point.values.items()}, **spent},
        )
        for point in points
    ]


def cost(group: Group, budget: Budget, train: Trajectories, validation: Trajectories) -> int:
    """Return an estimate of the microseconds that one group takes; only proportions matter."""
    return round(_cost(group.cells[0], float(group.members), budget, train, validation))


def later_cost(
    groups: list[Group], count: int, later: list[Budget], train: Trajectories, validation: Trajectories
) -> int:
    """Return the cost of the rungs to come, when `count` combinations of these `groups` go on to the first.

    Which shapes survive is not known yet: an even spread is assumed.
    """
    total = 0.0
    for budget in later:
        alive = max(1, min(count, len(groups)))
        members = budget.members * count / alive
        costs = [_cost(group.cells[0], members, budget, train, validation) for group in groups]
        total += alive * sum(costs) / len(costs)
        count = kept_count(count, budget.keep)
    return math.ceil(total)


def _cost(cell: ComparisonCell, members: float, budget: Budget, train: Trajectories, validation: Trajectories) -> float:
    states, hidden, batch = train.states[0].shape[1], cell.arguments["hidden"], cell.arguments["batch"]
    layers, units = len(hidden) + 1, states + len(train.input_names) + sum(hidden) + states
    # Derivative methods may drop a few rows; an estimate can ignore that.
    samples = sum(train.lengths[: budget.train])
    steps = budget.epochs * max(1, samples // batch)
    step = STEP + members * (STEP_LAYER * layers + UNIT * units * batch)
    checks = min(VALIDATIONS, budget.epochs) * sum(validation.lengths) * members * UNIT * units * FORWARD
    return COMPILE + COMPILE_LAYER * layers + steps * step + checks

"""What a search will cost, for an estimate of the time left."""

import math
from dataclasses import dataclass

from sparsedyn.data import Trajectories
from sparsedyn.studies.comparison.cells import ComparisonCell, Group
from sparsedyn.studies.search.combinations import Budget, kept_count

COMPILE, COMPILE_LAYER = 0.9e6, 0.3e6
"""Microseconds to compile a shape, and more of them for every layer, measured on two cores."""
STEP, STEP_LAYER, UNIT = 11.0, 1.25, 1.3e-3
"""Microseconds of a gradient step: once, per layer of a member, and per unit of a member and sample."""
FORWARD = 0.3
"""The share of a step's work per sample that a validation needs."""
VALIDATIONS = 25
"""The most validations of a run."""


@dataclass
class Work:
    """Estimated microseconds of a whole search; only their proportions matter."""

    total: int
    done: int = 0


def whole(group: Group, budget: Budget, train: Trajectories, validation: Trajectories) -> int:
    """Return the estimate for one group."""
    return round(_cost(group.cells[0], float(group.members), budget, train, validation))


def expected(
    groups: list[Group], count: int, later: list[Budget], train: Trajectories, validation: Trajectories
) -> int:
    """Return the estimate for the rungs to come, when `count` combinations of these `groups` go on to the first.

    Which shapes survive is not known yet: they are taken to be spread evenly.
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
    # Derivative methods may drop a few rows; an estimate need not know which.
    samples = sum(train.lengths[: budget.train])
    steps = budget.epochs * max(1, samples // batch)
    step = STEP + members * (STEP_LAYER * layers + UNIT * units * batch)
    checks = min(VALIDATIONS, budget.epochs) * sum(validation.lengths) * members * UNIT * units * FORWARD
    return COMPILE + COMPILE_LAYER * layers + steps * step + checks

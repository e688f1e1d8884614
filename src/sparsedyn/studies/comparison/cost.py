"""The cost of a comparison: operations of its gradient steps and forecasts, from its spec alone."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sparsedyn.studies.comparison.cells import ComparisonCell, expand, groups_of
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.cost import Cost
from sparsedyn.systems import get_system

STEP, SHARE = 1.25e6, 0.75
"""Operations that the rest of a member's gradient step is worth, and the share of the rate that its products reach."""
FORECAST, FORECAST_SHARE = 1.1e4, 0.95
"""The same of one step of a forecast."""
STAGES = {"euler": 1, "rk4": 4}
PARTS = 1000
"""Parts of training in which schedules are compared."""
COMPILED = 6.0
"""Seconds to compile what a group needs, where none of it is in the cache."""


def cost(spec: StudySpec) -> Cost | None:
    """Return the cost; `None` for data from files, whose rows are not known yet, and for searches."""
    if spec.data.system is None or spec.data.steps is None or spec.search is not None:
        return None
    plant = get_system(spec.data.system)
    ends = len(plant.state_names), len(plant.input_names)
    steps = forecasts = 0
    operations = 0.0
    cells = expand(spec)
    for k, cell in enumerate(cells):
        own = _steps(cell, cell.train_trajectories * spec.data.steps)
        own -= round(own * max((_alike(cell, other) for other in cells[:k]), default=0.0))
        rolled = cell.arguments["members"] * spec.data.test * (max(spec.horizons) - 1)
        rolled *= STAGES.get(cell.arguments["method"], 4)
        steps, forecasts = steps + own, forecasts + rolled
        layers = [sum(ends), *cell.arguments["hidden"], ends[0]]
        each = STEP + training_operations(layers, cell.arguments["batch"]) / SHARE
        operations += own * cell.arguments["rollout"] * each
        operations += rolled * (FORECAST + 2 * weights(layers) / FORECAST_SHARE)
    return Cost(steps, forecasts, operations, COMPILED * len(groups_of(cells)))


def weights(layers: Sequence[int]) -> int:
    """Return the weights between layers of these widths."""
    return sum(a * b for a, b in pairwise(layers))


def training_operations(layers: Sequence[int], batch: int) -> int:
    """Return the operations of products in a gradient step: forward, and backward by weights and by inputs.

    The first layer does not need its gradient by inputs.
    """
    return 2 * batch * (3 * weights(layers) - layers[0] * layers[1])


def _alike(cell: ComparisonCell, other: ComparisonCell) -> float:
    """The share of training after which networks part that differ in their averages alone: they are trained once."""
    same = cell.train_trajectories == other.train_trajectories
    if not same or {**cell.arguments, "average": None} != {**other.arguments, "average": None}:
        return 0.0
    a, b = (one.estimator().settings().rates(PARTS) for one in (cell, other))
    apart = np.flatnonzero(a != b)
    return float(apart[0]) / PARTS if apart.size else 1.0


def _steps(cell: ComparisonCell, rows: int) -> int:
    arguments = cell.arguments
    return int(arguments["members"] * arguments["epochs"] * max(1, rows // arguments["batch"]))

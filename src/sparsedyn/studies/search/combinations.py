"""What every rung of a search spends on the combinations of its grid, and the cells that train them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sparsedyn.studies.comparison.cells import ComparisonCell, expand
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.search.points import Combination
from sparsedyn.studies.slugs import slug_of


@dataclass(frozen=True)
class Budget:
    """What one rung spends on a combination, and the share of combinations that it keeps; the last keeps all."""

    epochs: int
    train: int
    members: int
    keep: float | None


def budgets(spec: StudySpec) -> list[Budget]:
    """Return what every rung spends; the last one is the study's own training."""
    if spec.search is None:
        return []
    own = _base(spec)
    train = spec.data.train[0]
    rungs = [Budget(rung.epochs, rung.train or train, rung.members, rung.keep) for rung in spec.search.rungs]
    return [*rungs, Budget(own.arguments["epochs"], train, own.arguments["members"], None)]


def rungs_left(count: int, spent: Sequence[Budget]) -> list[int]:
    """Return how many of `count` combinations every rung trains, if all of them come through."""
    left = [count]
    for budget in spent[:-1]:
        left.append(kept_count(left[-1], budget.keep))
    return left


def kept_count(count: int, keep: float | None) -> int:
    """Return how many of `count` combinations go on: a share of them, rounded up."""
    # A share such as 0.1 of 30 must not become four by the last bit of a product.
    return count if keep is None else min(count, max(1, math.ceil(keep * count - 1e-9)))


def cells_of(spec: StudySpec, points: Sequence[Combination], budget: Budget) -> list[ComparisonCell]:
    """Return the cells that train `points` with this budget."""
    base = _base(spec)
    spent = {"epochs": budget.epochs, "members": budget.members}
    return [
        replace(
            base,
            slug=slug_of(point.label),
            label=point.label,
            train_trajectories=budget.train,
            arguments={**base.arguments, **{key.partition(".")[2]: v for key, v in point.settings.items()}, **spent},
        )
        for point in points
    ]


def _base(spec: StudySpec) -> ComparisonCell:
    """The study's one technique with its own settings: what every combination changes."""
    return expand(spec)[0]

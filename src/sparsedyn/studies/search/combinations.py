"""The combinations of a grid, and the cells that train them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sparsedyn.studies.cells import Cell, expand, slug_of
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.grid import axes_of
from sparsedyn.studies.spec import StudySpec


@dataclass(frozen=True)
class Combination:
    """One point of the grid: its number, counted from 0 in the grid's order, and its settings by dotted key."""

    number: int
    settings: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The settings in words, e.g. "2 x 25, adam, 0.001, batch 32"."""
        return ", ".join(in_words(key, value) for key, value in self.settings.items())


@dataclass(frozen=True)
class Budget:
    """What one rung spends on a combination, and the share of combinations that it keeps; the last keeps all."""

    epochs: int
    train: int
    members: int
    keep: float | None


def combinations(spec: StudySpec) -> list[Combination]:
    """Return all points of the grid; the axes named first vary slowest. Raises `Misfit` where two share a folder."""
    axes = axes_of(spec)
    points = [
        Combination(i, dict(zip(axes, values, strict=True)))
        for i, values in enumerate(itertools.product(*axes.values()))
    ]
    folders: dict[str, Combination] = {}
    for point in points:
        other = folders.setdefault(slug_of(point.label), point)
        if other is not point:
            raise Misfit(
                ("search", "grid"),
                f"{other.label!r} and {point.label!r} would share the folder {slug_of(point.label)!r}. Change one.",
            )
    return points


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


def cells_of(spec: StudySpec, points: Sequence[Combination], budget: Budget) -> list[Cell]:
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


def in_words(key: str, value: Any) -> str:
    """Write one setting so that it can be told from the others: "adam", "batch 32"."""
    if key in ("model.hidden", "model.activation", "training.optimizer", "training.schedule", "training.learning_rate"):
        return briefly(key, value)
    return f"{key.partition('.')[2].replace('_', ' ')} {briefly(key, value)}"


def briefly(key: str, value: Any) -> str:
    """Write the value of one setting."""
    if key == "model.hidden":
        widths = [int(width) for width in value]
        alike = len(set(widths)) == 1
        return f"{len(widths)} x {widths[0]}" if alike else "-".join(map(str, widths)) or "no hidden layer"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _base(spec: StudySpec) -> Cell:
    """The study's one technique with its own settings: what every combination changes."""
    return expand(spec)[0]

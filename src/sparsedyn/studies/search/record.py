"""The record of a search by any strategy, from which its report is written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sparsedyn.studies.search.wording import Wording

State = Literal["complete", "pruned"]


class Tried(NamedTuple):
    """A point of the space: its number, counted from 1, its label, its values by dotted key, and its outcome.

    `rungs` are the values of the criterion at the rungs that it reached, `objective` is the last one: less is better,
    infinite for a point that failed. A point that is `pruned` was not trained to the end, and has no finite objective.
    `spread` are the least and the largest value among its members at the last rung that it reached.
    """

    number: int
    label: str
    values: Mapping[str, Any]
    rungs: Sequence[float]
    state: State
    objective: float = math.inf
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class SearchRecord:
    """The axes of a space, the budget of each rung, and all points in the order of their numbers.

    `rungs` are rows of a table: names and amounts of the resources of a rung.
    """

    axes: Mapping[str, Any]
    wording: Wording
    rungs: Sequence[Mapping[str, int | float]]
    tried: Sequence[Tried]

    @property
    def best(self) -> Tried | None:
        """The point of least objective; none where none is finite."""
        found = min(self.tried, key=lambda one: one.objective, default=None)
        return found if found is not None and math.isfinite(found.objective) else None

    def reached(self, rung: int) -> list[Tried]:
        """Return the points that reached a rung, counted from 1."""
        return [one for one in self.tried if len(one.rungs) >= rung]

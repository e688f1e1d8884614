"""From a study to its cells: one technique, one average, one number of training trajectories.

This is the only place in studies that knows how to make an estimator.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparsedyn.estimators import SparseTimeStepper, average_from_spec, group_together
from sparsedyn.sparsify import from_spec
from sparsedyn.studies.cells import Cell
from sparsedyn.studies.comparison.grid import WORDING
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.comparison.tables import TechniqueSpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.space import Combination, check_folders, combinations
from sparsedyn.studies.slugs import slug_of


@dataclass(frozen=True)
class ComparisonCell(Cell):
    """One ensemble of the comparison, and the estimator's arguments."""

    technique: str
    average: str
    train_trajectories: int
    arguments: dict[str, Any]

    def estimator(self) -> SparseTimeStepper:
        """Return the unfitted estimator."""
        technique = [from_spec(table) for table in self.arguments["technique"]]
        average = average_from_spec(self.arguments["average"])
        return SparseTimeStepper(**{**self.arguments, "technique": technique, "average": average})


@dataclass(frozen=True)
class Group:
    """Cells that are trained as one computation, and the name of their checkpoint."""

    key: str
    cells: tuple[ComparisonCell, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the cells are called."""
        return tuple(cell.label for cell in self.cells)

    @property
    def members(self) -> int:
        """Networks in all cells together."""
        return sum(cell.arguments["members"] for cell in self.cells)


def expand(spec: StudySpec) -> list[ComparisonCell]:
    """Return all cells: techniques, within them averages, within them training-set sizes.

    Raises `Misfit` for a technique whose pieces do not fit together, such as an average that starts before
    the last pruning, and for cells that would share a folder.
    """
    cells = []
    for i, technique in enumerate(spec.techniques):
        for average in technique.averages or spec.averages:
            for count in spec.data.train:
                cell = _cell(spec, technique, average, count)
                try:
                    cell.estimator().check_parameters()
                except (ValueError, TypeError) as error:
                    raise Misfit(("techniques", i), f"{cell.label}: {error}") from error
                cells.append(cell)
    _check_slugs(cells)
    return cells


def points_of(spec: StudySpec) -> list[Combination]:
    """Return all combinations of a search. Raises `Misfit` where two of them would share a folder."""
    if spec.search is None:
        return []
    axes = spec.search.grid.axes()
    points = combinations(axes, WORDING)
    check_folders(points, axes, ("search", "grid"))
    return points


def groups_of(cells: Sequence[ComparisonCell], at_once: int | None = None) -> list[Group]:
    """Group cells that can share one computation, independently of which are finished.

    A group has `at_once` members at most, but for a cell that has more by itself.
    """
    groups: list[Group] = []
    for count in dict.fromkeys(cell.train_trajectories for cell in cells):
        alike = [cell for cell in cells if cell.train_trajectories == count]
        for chosen in group_together([cell.estimator() for cell in alike]):
            for part in _divided([alike[i] for i in chosen], at_once):
                groups.append(Group(f"group-{len(groups) + 1:02d}", part))
    return groups


def _divided(cells: Sequence[ComparisonCell], at_once: int | None) -> list[tuple[ComparisonCell, ...]]:
    parts: list[tuple[ComparisonCell, ...]] = [()]
    for cell in cells:
        members = sum(one.arguments["members"] for one in (*parts[-1], cell))
        if parts[-1] and at_once is not None and members > at_once:
            parts.append(())
        parts[-1] += (cell,)
    return parts


def _cell(spec: StudySpec, technique: TechniqueSpec, average: dict[str, Any], count: int) -> ComparisonCell:
    kind = {key: value for key, value in average.items() if key != "label"}
    name = average.get("label", average["type"])
    label = technique.label
    if average["type"] != "none" or "label" in average:
        label += f" + {average.get('label', name.upper())}"
    if len(spec.data.train) > 1:
        label += f", {count} trajector{'y' if count == 1 else 'ies'}"
    arguments = {
        **spec.model.model_dump(),
        **spec.training.model_dump(),
        **technique.model.given(),
        **technique.training.given(),
        "technique": list(technique.technique),
        "average": None if average["type"] == "none" else kind,
        "seed": spec.seed,
    }
    if arguments["clip"] == math.inf:
        # TOML has no null.
        arguments["clip"] = None
    if arguments.pop("equal_steps"):
        arguments["epochs"] = round(arguments["epochs"] * max(spec.data.train) / count)
    return ComparisonCell(slug_of(label), label, technique.label, name, count, arguments)


def _check_slugs(cells: Sequence[ComparisonCell]) -> None:
    seen: dict[str, ComparisonCell] = {}
    for cell in cells:
        other = seen.setdefault(cell.slug, cell)
        if other is not cell:
            raise Misfit(
                ("techniques",),
                f"{other.label!r} and {cell.label!r} would share the folder {cell.slug!r}. Give one of them "
                'another label; an average takes one too: { type = "swa", label = "SWA late" }.',
            )

"""How much memory networks take while they are trained and scored, from shapes alone, and how many fit at once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sparsedyn.data import Trajectories
from sparsedyn.forecast.forecast import POINT
from sparsedyn.models.mlp import parameters_of
from sparsedyn.studies.comparison.cells import ComparisonCell, Group

FIXED = 900_000_000
"""Bytes of a process with JAX, compiled functions and data, before there are members."""
WEIGHT = 100
"""Bytes of a weight: moments, average, best and present ones, on the device and for compiled steps."""
RATE = 12
"""Bytes of the learning rate of a step."""
ACTIVATION = 8
"""Bytes of a unit's output at a sample, in blocks of validation."""
BLOCK = 4096


class Plan(NamedTuple):
    """Bytes that a study needs if each group is trained at once, and the members of a group that fit into a budget."""

    needed: int
    at_once: int


def planned(groups: Sequence[Group], data: Mapping[str, Trajectories], budget: int) -> Plan:
    """Return what the groups need, and how many members fit at once."""
    most = [(group.members, max(member_bytes(cell, data) for cell in group.cells)) for group in groups]
    scored = max(cell.arguments["members"] * _points(data, "test") * POINT for group in groups for cell in group.cells)
    needed = FIXED + max(max(members * each for members, each in most), scored)
    return Plan(needed, max(1, (budget - FIXED) // max(each for _, each in most)))


def member_bytes(cell: ComparisonCell, data: Mapping[str, Trajectories]) -> int:
    """Return the bytes of one member while it is trained."""
    train, settings = data["train"], cell.arguments
    hidden = tuple(settings["hidden"])
    sizes = (len(train.state_names) + len(train.input_names), *hidden, len(train.state_names))
    steps = settings["epochs"] * max(1, sum(train.lengths[: cell.train_trajectories]) // settings["batch"])
    rows = sum(data["validation"].lengths) if "validation" in data else 0
    evaluated = min(rows, BLOCK) * sum(hidden) * ACTIVATION
    return parameters_of(sizes) * WEIGHT + steps * RATE + evaluated + _points(data, "validation") * POINT


def _points(data: Mapping[str, Trajectories], part: str) -> int:
    """Return the states of all rows, short trajectories filled up."""
    if part not in data:
        return 0
    return len(data[part]) * max(data[part].lengths) * len(data[part].state_names)

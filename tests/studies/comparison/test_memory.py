"""How much memory a comparison says that it needs, and groups that are divided to fit."""

from pathlib import Path

import numpy as np
import pytest

from sparsedyn.data import Trajectories
from sparsedyn.studies.comparison.cells import expand, groups_of
from sparsedyn.studies.comparison.memory import FIXED, POINT, member_bytes, planned
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.reading import parse

TINY = Path(__file__).parents[1].joinpath("tiny.toml").read_text(encoding="utf-8")


def spec(**changes: int) -> StudySpec:
    text = TINY
    for key, value in changes.items():
        text = text.replace(next(line for line in text.splitlines() if line.startswith(f"{key} =")), f"{key} = {value}")
    return parse(text, "tiny.toml")


def data(rows: int = 60, validation: int = 1) -> dict[str, Trajectories]:
    def part(count: int) -> Trajectories:
        return Trajectories([np.zeros((rows, 2))] * count, [np.zeros((rows, 1))] * count, dt=0.2)

    return {"train": part(3), "validation": part(validation), "test": part(4)}


def test_what_a_member_needs_grows_with_forecasts_and_steps():
    (cell, *_), longer = expand(spec()), expand(spec(epochs=300))[0]
    base = member_bytes(cell, data())
    assert member_bytes(cell, data(validation=11)) - base >= 10 * 60 * 2 * POINT
    assert member_bytes(longer, data()) > base


def test_members_that_fit_at_once_follow_from_the_budget():
    groups = groups_of(expand(spec(members=100)))
    each = member_bytes(groups[0].cells[0], data())
    plan = planned(groups, data(), FIXED + 250 * each)
    assert plan.at_once == 250
    assert plan.needed >= FIXED + 200 * each
    # A budget below that of an empty process still lets members be trained one by one.
    assert planned(groups, data(), 1).at_once == 1


@pytest.mark.parametrize(("at_once", "sizes"), [(None, [2, 2]), (4, [2, 2]), (3, [1, 1, 1, 1]), (1, [1, 1, 1, 1])])
def test_groups_are_divided_between_cells(at_once: int | None, sizes: list[int]):
    groups = groups_of(expand(spec()), at_once)
    assert [len(group.cells) for group in groups] == sizes
    assert [group.key for group in groups] == [f"group-{i + 1:02d}" for i in range(len(sizes))]
    together = sorted(cell.label for group in groups for cell in group.cells)
    assert together == sorted(cell.label for cell in expand(spec()))

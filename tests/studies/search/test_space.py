"""Spaces of settings: axes checked against the tables of a spec, crossed, and written in words."""

from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field, ValidationError

from sparsedyn.studies.comparison.grid import WORDING
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.space import Range, check_folders, combinations, space_table
from sparsedyn.studies.search.wording import Wording, value_text
from sparsedyn.studies.spec import Table


class Network(Table):
    width: Annotated[int, Field(ge=1)] = 1
    skip: bool = False


class Training(Table):
    rate: Annotated[float, Field(gt=0)] = 1.0
    epochs: int = 1


TABLES: dict[str, type[Table]] = {"model": Network, "training": Training}
Space: Any = space_table("Space", TABLES, fixed={"training.epochs": "a rung says it"}, ranges=True)
Grid: Any = space_table("Grid", TABLES, first=("training.rate",))


def test_axes_are_those_that_are_given_in_the_order_of_the_table():
    grid = Grid.model_validate({"model.width": [1, 2], "training.rate": [0.1]})
    assert grid.axes() == {"training.rate": (0.1,), "model.width": (1, 2)}
    assert list(grid.axes()) == ["training.rate", "model.width"]
    assert Grid().axes() == {}


def test_ranges_take_numbers_of_their_key():
    space = Space.model_validate({"model.width": {"low": 1, "high": 4}, "training.rate": {"low": 1, "high": 2.0}})
    assert space.axes() == {
        "model.width": Range(low=1, high=4),
        "training.rate": Range(low=1.0, high=2.0),
    }
    assert isinstance(space.axes()["training.rate"].low, float)
    assert Space.model_validate(space.model_dump(exclude_none=True)) == space


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": {"width": [1]}}, 'a key of the space needs quotes around it. Write "model.width"'),
        ({"training.epochs": [1, 2]}, "cannot be searched: a rung says it"),
        ({"model.width": [2, 2]}, "expected distinct entries; got 2 twice"),
        ({"model.width": {"low": 1.5, "high": 2}}, "valid integer"),
        ({"training.rate": {"low": 0.0, "high": 1.0}}, "greater than 0"),
        ({"training.rate": {"low": 2.0, "high": 1.0}}, "expected more than low"),
        ({"training.rate": {"low": -1.0, "high": 1.0, "log": True}}, "begins above zero"),
        ({"model.depth": [1]}, "Extra inputs are not permitted"),
    ],
)
def test_what_the_tables_refuse_is_refused(given: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        Space.model_validate(given)


def test_a_grid_is_crossed_the_first_axis_slowest():
    points = combinations({"training.rate": (0.1, 1.0), "model.width": (1, 2)}, Wording())
    assert [point.label for point in points] == [
        "rate 0.1, width 1",
        "rate 0.1, width 2",
        "rate 1, width 1",
        "rate 1, width 2",
    ]
    assert [point.number for point in points] == [0, 1, 2, 3]
    assert points[2].values == {"training.rate": 1.0, "model.width": 1}


def test_values_that_read_alike_would_share_a_folder():
    axes = {"training.rate": (0.1234567, 0.1234568, 1.0)}
    with pytest.raises(Misfit, match=r"got 0\.1234567 and 0\.1234568, for which it is 'rate-0-123457'") as caught:
        check_folders(combinations(axes, Wording()), axes, ("grid",))
    assert caught.value.path == ("grid", "training.rate", 1)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model.hidden", (25, 25), "2 x 25"),
        ("model.hidden", np.array([25, 40]), "25-40"),
        ("model.hidden", (), "no hidden layer"),
        ("model.skip", True, "skip true"),
        ("training.optimizer", "adam", "adam"),
        ("training.learning_rate", 1e-4, "0.0001"),
        ("training.batch", np.int64(32), "batch 32"),
        ("training.drops", (0.5, 0.75), "drops 0.5-0.75"),
    ],
)
def test_settings_in_words(key: str, value: object, words: str):
    assert WORDING.setting(key, value) == words


def test_titles_and_short_labels():
    assert [WORDING.title(key) for key in ("model.hidden", "training.learning_rate", "training.batch")] == [
        "hidden layers",
        "learning rate",
        "batch size",
    ]
    assert Wording(names={"a.b": "weight"}).short_label({"a.b": 0.123456, "a.c": 2}) == "weight 0.123, c 2"
    assert [value_text(value) for value in (np.inf, [64, 32], False)] == ["inf", "64-32", "false"]

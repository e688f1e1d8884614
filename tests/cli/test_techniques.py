"""Techniques written in short."""

import pytest

from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.source import chosen, expanded
from sparsedyn.cli.techniques import technique, techniques
from sparsedyn.data import DataError
from sparsedyn.sparsify import DSR, L0, L1, STR, MagnitudePruning, OneShot, SequentialThresholding, Stages, to_spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l1", L1()),
        ("l1:1e-4", L1(1e-4)),
        ("l1: 3e-4", L1(3e-4)),
        ("str", STR()),
        ("l0:1e-3,drop_rate=0.3", L0(1e-3, drop_rate=0.3)),
        ("magnitude:0.75", MagnitudePruning(0.75)),
        ("magnitude:sparsity=0.9,scope=global", MagnitudePruning(0.9, scope="global")),
        ("magnitude:0.5,timing=one-shot", MagnitudePruning(0.5, OneShot())),
        ("dsr:0.5", DSR(0.5)),
        ("threshold:0.05", SequentialThresholding(0.05)),
        (
            '{ type = "magnitude", sparsity = 0.6, timing = { type = "stages", at = [0.1, 0.2] } }',
            MagnitudePruning(0.6, Stages((0.1, 0.2))),
        ),
    ],
)
def test_short_forms(text, expected):
    assert to_spec(technique(text)) == to_spec(expected)


def test_none_is_dense_and_order_is_kept():
    assert techniques(["none"]) == []
    assert [type(t) for t in techniques(["str", "l1"])] == [STR, L1]


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("l7", ("l7", "l1")),
        ("magnitud:0.5", ("magnitud", "magnitude")),
        ("magnitude:75", ("sparsity", "0.75")),
        ("magnitude:0.5,0.6", ("'0.6'", "argument=value")),
        ("magnitude:half", ("expected a number", "half")),
        ("magnitude:sparsty=0.5", ("sparsty", "sparsity")),
        ("magnitude:scope=layers", ("layers", "global")),
        ("none:1", ("none", "Names:")),
        ("", ("expected name", "Names:")),
        ("{ type = 'l1'", ("TOML",)),
    ],
)
def test_what_is_wrong_is_said(text, fragments):
    with pytest.raises(UsageProblem) as caught:
        technique(text)
    assert all(fragment in str(caught.value) for fragment in ("--technique", *fragments))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x1..x3", ["x1", "x2", "x3"]),
        ("x1..3,u", ["x1", "x2", "x3", "u"]),
        ("0..2, 5", ["0", "1", "2", "5"]),
        ("a,b", "a,b"),
        ("x3..x1", ["x3..x1"]),
        (None, None),
    ],
)
def test_ranges_of_columns(text, expected):
    assert expanded(text) == expected


@pytest.mark.parametrize(
    ("only", "expected"), [("1", [1]), ("2,0", [0, 2]), ("0..1", [0, 1]), ("run-b", [1]), ("run-b,0", [0, 1])]
)
def test_trajectories_by_label_or_number(only, expected):
    assert chosen(only, ["run-a", "run-b", "run-c"]) == expected


def test_a_label_goes_before_a_number():
    assert chosen("1", ["3", "2", "1"]) == [2]


@pytest.mark.parametrize("only", ["3", "run-d", "-1", ""])
def test_a_trajectory_that_is_not_there(only):
    with pytest.raises(DataError, match="run-a"):
        chosen(only, ["run-a", "run-b", "run-c"])

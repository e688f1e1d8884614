"""Several steppers as one computation: who may share one, and that nobody notices."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn import DSR, EMA, L1, L2, STR, SWA, Chain, Cubic, MagnitudePruning, OneShot, SparseTimeStepper
from sparsedyn.estimators import fit_together, group_together
from sparsedyn.sparsify import from_spec, to_spec
from sparsedyn.training import CheckpointError


def stepper(technique: Any = (), **options: Any) -> SparseTimeStepper:
    return SparseTimeStepper(technique=technique, **options)


def rates_of(one: SparseTimeStepper, steps: int) -> np.ndarray:
    return one.settings().rates(steps)


def groups(*steppers: SparseTimeStepper) -> list[list[int]]:
    return group_together(steppers)


# -- grouping -----------------------------------------------------------------------------------------------


def test_leading_penalties_go_with_dense():
    assert groups(stepper(), stepper(L1(1e-4)), stepper(L2()), stepper([L1(), L2()])) == [[0, 1, 2, 3]]
    techniques = MagnitudePruning(0.5), [L1(), MagnitudePruning(0.9)], Chain(MagnitudePruning(0.1))
    assert groups(*(stepper(technique) for technique in techniques)) == [[0, 1, 2]]


def test_penalties_behind_a_technique_are_another_structure():
    assert groups(stepper([L1(), STR()]), stepper([STR(), L1()]), stepper(STR())) == [[0, 2], [1]]
    assert groups(stepper([L1(), L1()]), stepper(L1())) == [[0], [1]]


def test_values_may_differ_and_structures_not():
    assert groups(stepper(DSR(0.5)), stepper(DSR(0.9, 10.0)), stepper(DSR(end=0.5))) == [[0, 1], [2]]
    assert groups(stepper(MagnitudePruning(0.5)), stepper(MagnitudePruning(0.5, OneShot(0.5)))) == [[0], [1]]
    assert groups(stepper(MagnitudePruning(scope="layer")), stepper(MagnitudePruning(scope="global"))) == [[0], [1]]


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (8,)},
        {"activation": "tanh"},
        {"skip": True},
        {"bias": False},
        {"epochs": 3},
        {"batch": 7},
        {"optimizer": "sgd"},
        {"clip": 0.5},
        {"derivative": "central"},
        {"shuffle": "member"},
        {"patience": 3},
        {"seed": 1},
        {"time": "discrete"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_must_be_equal(options: dict[str, Any]):
    assert groups(stepper(), stepper(**options)) == [[0], [1]]


@pytest.mark.parametrize(
    "options", [{"learning_rate": 1e-4}, {"schedule": "step"}, {"members": 3}, {"hidden": [64, 64, 64]}]
)
def test_what_may_differ(options: dict[str, Any]):
    assert groups(stepper(), stepper(**options)) == [[0, 1]]


def test_unaveraged_runs_go_with_averaged_ones():
    for order in ([None, "swa"], ["swa", None], [None, "swa", None]):
        assert groups(*(stepper(average=a) for a in order)) == [list(range(len(order)))]
    assert groups(*(stepper(average=a) for a in (None, "swa", "ema", None))) == [[0, 1, 3], [2]]
    assert groups(stepper(average="swa"), stepper(average=SWA(start=0.5))) == [[0], [1]]


def test_groups_are_a_partition():
    many = [stepper(t, average=a) for t in ((), L1(), STR(), DSR()) for a in (None, "swa")]
    found = group_together(many)
    assert sorted(i for group in found for i in group) == list(range(8))
    assert found == [[0, 1, 2, 3], [4, 5], [6, 7]]
    assert group_together([]) == []


# -- fitting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", ["shared", "member"])
@pytest.mark.slow
def test_together_is_as_if_alone(world: Any, shuffle: Any):
    options = world.small | {"shuffle": shuffle, "select": "best"}

    def cells() -> list[SparseTimeStepper]:
        return [
            stepper((), **options),
            stepper(L1(1e-2), **options | {"members": 3, "learning_rate": 5e-3}),
            stepper((), average="swa", **options),
        ]

    together = cells()
    assert group_together(together) == [[0, 1, 2]]
    fit_together(together, world.train, world.validation)
    for cell, alone in zip(together, cells(), strict=True):
        alone.fit(world.train, world.validation)
        assert cell.models_.weights[0].shape[0] == alone.members
        for ours, theirs in zip(cell.models_.weights, alone.models_.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        columns = ["step", "epoch", "member", "loss", "validation", "sparsity"]
        np.testing.assert_allclose(cell.history_[columns], alone.history_[columns], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(cell.alive_, alone.alive_)
        assert cell.steps_ == alone.steps_
    size = [np.abs(np.concatenate([w[0].ravel() for w in cell.models_.weights])).sum() for cell in together]
    assert size[1] < size[0], "the penalty is its cell's alone"


def test_several_shapes_at_once_are_refused(world: Any):
    with pytest.raises(ValueError, match=r"fit_together: expected steppers of one shape; got .*group_together"):
        fit_together([stepper(hidden=(8,)), stepper(hidden=(9,))], world.train)
    with pytest.raises(ValueError, match=r"fit_together: expected steppers of one shape"):
        fit_together([], world.train)


def test_parameters_are_checked_here_too(world: Any):
    with pytest.raises(ValueError, match=r"members: expected an integer of at least 1; got 0"):
        fit_together([stepper(members=0)], world.train)


def test_averages_raise_the_rate():
    steps = 100
    for average, rate in (("swa", 1e-3), (SWA(), 1e-3), (SWA(learning_rate=5e-3), 5e-3), (EMA(start=0.75), 1e-3)):
        rates = rates_of(stepper(average=average, learning_rate=2e-3), steps)
        plain = rates_of(stepper(learning_rate=2e-3), steps)
        np.testing.assert_array_equal(rates[:75], plain[:75])
        np.testing.assert_allclose(rates[75:], rate, rtol=1e-6)
        assert plain[-1] < 1e-4
    np.testing.assert_array_equal(rates_of(stepper(average=SWA(raised=False), learning_rate=2e-3), steps), plain)


def test_the_step_schedule_drops_where_it_is_told():
    rates = rates_of(stepper(schedule="step", learning_rate=1e-2, drops=(0.25, 0.5)), 8)
    np.testing.assert_allclose(rates, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4, 1e-4], rtol=1e-6)


# -- checkpoints --------------------------------------------------------------------------------------------


def test_a_checkpoint_belongs_to_its_settings_and_data(world: Any, tmp_path: Path):
    path = tmp_path / "run.checkpoint"
    options = world.small | {"select": "best"}

    def fit(train: Any = world.train, **changes: Any) -> SparseTimeStepper:
        return stepper(**options | changes).fit(train, world.validation, checkpoint=path)

    first = fit()
    again = fit()
    assert world.same(first.models_, again.models_)
    assert first.history_.equals(again.history_)
    more = world.plant(5, 61, seed=9)
    for change in ({"learning_rate": 1e-3}, {"seed": 1}, {"method": "rk4"}, {"train": more}):
        with pytest.raises(CheckpointError, match=r"run\.checkpoint: expected a checkpoint of this run"):
            fit(**change)


# Each with other words for the same: what a study's cell is made of, what a resumed one reads from its file, and so on.
SAME: list[tuple[Any, Any]] = [
    (MagnitudePruning(0.5), from_spec(to_spec(MagnitudePruning(0.5)))),
    (MagnitudePruning(0.5), MagnitudePruning(0.5, Cubic())),
    ([L1(1e-4), MagnitudePruning(0.5)], ["l1", {"type": "magnitude", "sparsity": 0.5, "timing": {"type": "cubic"}}]),
    (DSR(), Chain(from_spec(to_spec(DSR())))),
    (L1(jnp.asarray([1e-3, 1e-4])), {"type": "l1", "weight": [1e-3, 1e-4]}),
    ((), None),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=lambda value: type(value).__name__)
def test_settings_are_the_same_however_they_are_written(one: Any, other: Any, as_users_run: None):
    numbers = {"hidden": np.asarray([8, 8]).tolist(), "seed": np.int64(0), "clip": 1, "average": SWA()}
    expected = stepper(one, hidden=(8, 8), average="swa").settings().fingerprint()
    assert stepper(other, **numbers).settings().fingerprint() == expected
    assert stepper(other, **numbers | {"average": None}).settings().fingerprint() != expected


def test_other_settings_have_another_fingerprint():
    others = [
        MagnitudePruning(0.5),
        MagnitudePruning(0.6),
        MagnitudePruning(0.5, Cubic(0.0, 0.4)),
        MagnitudePruning(0.5, scope="layer"),
        MagnitudePruning(jnp.asarray([0.5, 0.5])),
        MagnitudePruning(jnp.asarray([0.5, 0.6])),
    ]
    assert len({stepper(technique).settings().fingerprint() for technique in others}) == len(others)


@pytest.mark.slow
def test_a_run_whose_timing_was_left_out_is_resumed(world: Any, tmp_path: Path):
    # A resumed study makes its techniques anew from what its file says, where nothing is left out.
    path = tmp_path / "run.checkpoint"
    first, again = MagnitudePruning(0.5), from_spec(to_spec(MagnitudePruning(0.5)))
    one = stepper(first, **world.small).fit(world.train, checkpoint=path)
    two = stepper(again, **world.small).fit(world.train, checkpoint=path)
    assert world.same(one.models_, two.models_)


@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_a_schedule_of_ones_own_can_be_resumed(world: Any, tmp_path: Path):
    # Another process has the same function at another address.
    path = tmp_path / "run.checkpoint"
    options = world.small | {"select": "best"}
    first, same, other = (lambda step: 1e-2 / (1 + step)), (lambda step: 1e-2 / (1 + step)), (lambda step: 1e-3)
    one = stepper(schedule=first, **options).fit(world.train, checkpoint=path)
    two = stepper(schedule=same, **options).fit(world.train, checkpoint=path)
    assert world.same(one.models_, two.models_)
    with pytest.raises(CheckpointError):
        stepper(schedule=other, **options).fit(world.train, checkpoint=path)

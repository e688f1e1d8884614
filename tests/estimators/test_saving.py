"""A model file gives the same forecasts, bit for bit, and says everything about where it came from."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import sparsedyn
from sparsedyn import DSR, EMA, L0, L1, STR, SWA, Chain, MagnitudePruning, On, SequentialThresholding, SparseTimeStepper
from sparsedyn.training import CheckpointError


def restored(stepper: SparseTimeStepper, folder: Path) -> SparseTimeStepper:
    stepper.save(folder / "model.safetensors")
    return sparsedyn.load(folder / "model.safetensors")


def assert_same(world: Any, stepper: SparseTimeStepper, back: SparseTimeStepper) -> None:
    a, b = stepper.forecast(world.test), back.forecast(world.test)
    np.testing.assert_array_equal(a.predicted, b.predicted)
    assert stepper.evaluate(world.test, [10, 61]).equals(back.evaluate(world.test, [10, 61]))
    np.testing.assert_array_equal(stepper.nonzeros_, back.nonzeros_)
    np.testing.assert_array_equal(stepper.alive_, back.alive_)
    np.testing.assert_array_equal(stepper.reach(), back.reach())
    for name, share in stepper.sparsity_.items():
        np.testing.assert_array_equal(share, back.sparsity_[name])
    assert world.same(stepper.models_, back.models_)
    assert stepper.variables_ == back.variables_
    assert stepper.steps_ == back.steps_
    assert stepper.weights_ == back.weights_
    assert stepper.history_.equals(back.history_)
    assert stepper.scaling_.to_dict() == back.scaling_.to_dict()


def test_pruned_and_averaged(world: Any, tmp_path: Path):
    back = restored(world.fitted, tmp_path)
    assert_same(world, world.fitted, back)
    assert back.technique == [L1(1e-4), MagnitudePruning(0.5)]
    assert back.average == SWA()
    assert (back.hidden, back.activation, back.members) == ((8, 8), "tanh", 2)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    # And again.
    assert_same(world, back, restored(back, tmp_path))


def test_no_clipping_written_as_infinity_is_kept(world: Any, tmp_path: Path):
    stepper = copy.copy(world.fitted)
    stepper.clip = np.inf
    assert restored(stepper, tmp_path).clip == np.inf


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_gates_skips_no_biases_a_dead_member(world: Any, tmp_path: Path):
    options = world.small | {
        "learning_rate": 5.0,
        "schedule": "constant",
        "clip": None,
        "optimizer": "sgd",
        "epochs": 2,
    }
    stepper = SparseTimeStepper(
        technique=L0(1e-3), skip=True, bias=False, method="rk4", **options | {"activation": "relu"}
    )
    stepper.fit(world.train)
    back = restored(stepper, tmp_path)
    assert_same(world, stepper, back)
    assert not back.alive_.all(), "a rate of 5 must blow up"
    # A member that died has no forecast, and that counts as diverged.
    forecast = back.forecast(world.test)
    assert np.isnan(forecast.predicted[~back.alive_]).all()
    assert forecast.scores(10).diverged[~back.alive_].all()
    assert all(np.isfinite(w).all() for w in back.models_.weights)
    # What a file says is what a new fit would do.
    assert world.same(back.fit(world.train).models_, stepper.models_)


TECHNIQUES: dict[str, Any] = {
    "none": (),
    "name": "l1",
    "dictionary": {"type": "magnitude", "sparsity": 0.25, "timing": {"type": "one-shot", "at": 0.3}},
    "every kind": [L1(), On((0, -1), STR()), Chain(DSR(), SequentialThresholding()), L0()],
}


@pytest.mark.parametrize("name", list(TECHNIQUES))
def test_techniques_come_back(world: Any, tmp_path: Path, name: str):
    # Saving does not ask how the weights came about.
    stepper = copy.copy(world.fitted).set_params(technique=TECHNIQUES[name], average=EMA(start=0.9, memory=3.0))
    back = restored(stepper, tmp_path)
    assert sparsedyn.sparsify.resolve(back.technique) == sparsedyn.sparsify.resolve(TECHNIQUES[name])
    assert back.average == EMA(start=0.9, memory=3.0)
    assert back.technique == restored(back, tmp_path).technique


def test_numpy_scalars_as_parameters(world: Any, tmp_path: Path):
    changes = {"seed": np.int64(3), "learning_rate": np.float32(0.5), "hidden": tuple(np.array([8, 8]))}
    back = restored(copy.copy(world.fitted).set_params(**changes), tmp_path)
    assert (back.seed, back.learning_rate, back.hidden) == (3, 0.5, (8, 8))


def test_a_schedule_of_ones_own_is_named_not_kept(world: Any, tmp_path: Path):
    back = restored(copy.copy(world.fitted).set_params(schedule=lambda step: 1e-3), tmp_path)
    np.testing.assert_array_equal(back.forecast(world.test).predicted, world.fitted.forecast(world.test).predicted)
    with pytest.raises(ValueError, match=r"schedule: expected one of constant, cosine, step"):
        back.fit(world.train)


def test_the_header_is_readable_without_us(world: Any, tmp_path: Path):
    world.fitted.save(tmp_path / "model")
    with safe_open(str(tmp_path / "model"), framework="numpy") as file:
        header = json.loads(file.metadata()["sparsedyn"])
        names = set(file.keys())
    assert header["format"].startswith("sparsedyn.SparseTimeStepper/")
    assert header["parameters"]["technique"][1]["type"] == "magnitude"
    assert header["parameters"]["average"]["type"] == "swa"
    assert header["variables"]["state_names"] == ["prey", "predators"]
    assert header["variables"]["dt"] == 0.1
    assert {"sparsedyn", "jax"} <= set(header["versions"])
    assert len([name for name in names if name.startswith("model.")]) == 6


def test_a_missing_folder_is_refused_and_an_old_file_replaced(world: Any, tmp_path: Path):
    path = tmp_path / "new" / "model"
    with pytest.raises(CheckpointError, match="a folder that exists"):
        world.fitted.save(path)
    path.parent.mkdir()
    world.fitted.save(path)
    world.fitted.save(str(path))
    assert [p.name for p in path.parent.iterdir()] == ["model"]


def test_a_file_holds_the_networks_whatever_parameters_are_set_for_the_next_fit(world: Any, tmp_path: Path):
    fitted = copy.copy(world.fitted)
    structure = {name: getattr(fitted, name) for name in ("hidden", "members", "activation", "skip", "bias")}
    fitted.set_params(hidden=(3,), members=7, activation="silu", skip=not fitted.skip, bias=not fitted.bias)
    back = restored(fitted, tmp_path)
    assert_same(world, world.fitted, back)
    assert {name: getattr(back, name) for name in structure} == structure

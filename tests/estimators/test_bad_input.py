"""Everything a user can get wrong about an estimator gives one message: the place, what came, and the fix."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.exceptions import NotFittedError

import sparsedyn
from sparsedyn import (
    DSR,
    EMA,
    L1,
    SWA,
    Cubic,
    DataError,
    MagnitudePruning,
    SequentialThresholding,
    SparseTimeStepper,
    Trajectories,
)
from sparsedyn.training import CheckpointError

pytestmark = pytest.mark.usefixtures("as_users_run")

# Parameters -> what the message must say. All are found before anything is compiled.
PARAMETERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no member": ({"members": 0}, ("members: expected an integer of at least 1; got 0",)),
    "half a member": ({"members": 2.5}, ("members: expected an integer", "2.5")),
    "members as text": ({"members": "10"}, ("members: expected an integer", "'10'")),
    "no epoch": ({"epochs": 0}, ("epochs: expected an integer of at least 1",)),
    "epochs as float": ({"epochs": 60.0}, ("epochs: expected an integer", "60.0")),
    "empty batch": ({"batch": -1}, ("batch: expected an integer of at least 1",)),
    "one width for a list": ({"hidden": 64}, ("hidden: expected a list of widths", "(64, 64)", "got 64")),
    "a width of nothing": ({"hidden": (64, 0)}, ("hidden: expected a list of widths of at least 1", "(64, 0)")),
    "widths as text": ({"hidden": "64,64"}, ("hidden: expected a list of widths", "'64,64'")),
    "activation": ({"activation": "rleu"}, ("activation: expected one of relu, tanh", "'rleu'")),
    "optimizer": ({"optimizer": "Adam"}, ("optimizer: expected one of adam, adamw", "'Adam'")),
    "schedule": ({"schedule": "cosin"}, ("schedule: expected one of constant, cosine, step", "'cosin'")),
    "schedule as number": ({"schedule": 0.5}, ("schedule: expected one of", "0.5")),
    "derivative": ({"derivative": "backward"}, ("derivative: expected one of forward, central", "'backward'")),
    "method": ({"method": "rk45"}, ("method: expected one of euler, rk4", "'rk45'")),
    "shuffle": ({"shuffle": True}, ("shuffle: expected one of shared, member", "True")),
    "select": ({"select": "first"}, ("select: expected one of forecast, best, last", "'first'")),
    "rate of zero": ({"learning_rate": 0.0}, ("learning_rate: expected a positive rate", "0.0")),
    "rate as text": ({"learning_rate": "1e-3"}, ("learning_rate: expected a positive rate", "'1e-3'")),
    "rate far too large": ({"learning_rate": 100.0}, ("learning_rate: expected a positive rate, usually", "100.0")),
    "rate not a number": ({"learning_rate": float("nan")}, ("learning_rate: expected a positive rate", "nan")),
    "negative clip": ({"clip": -1.0}, ("clip: expected none or a positive norm", "-1.0")),
    "clip as text": ({"clip": "1"}, ("clip: expected none or a positive norm", "'1'")),
    "no patience": ({"patience": 0}, ("patience: expected none or at least 1", "0")),
    "negative seed": ({"seed": -1}, ("seed: expected an integer from 0", "-1")),
    "no seed": ({"seed": None}, ("seed: expected an integer from 0", "None")),
    "huge seed": ({"seed": 2**40}, ("seed: expected an integer from 0 to 2**32 - 1",)),
    "technique name": ({"technique": "magnitud"}, ("unknown technique 'magnitud'", "did you mean 'magnitude'")),
    "technique class": ({"technique": L1}, ("technique: expected an instance; got the class L1", "L1()")),
    "technique number": ({"technique": 1e-4}, ("technique: expected one such as L1(1e-4)", "0.0001")),
    "nested technique": ({"technique": [L1(), ["l1"]]}, ("technique: expected one such as L1(1e-4)", "['l1']")),
    "technique argument": ({"technique": {"type": "l1", "wight": 1}}, ("l1: unknown argument 'wight'", "'weight'")),
    "average name": ({"average": "swaa"}, ("average: expected none, swa or ema", "'swaa'")),
    "average argument": ({"average": {"type": "swa", "begin": 0.5}}, ("average swa:", "begin", "It takes: start")),
    "average number": ({"average": 5}, ("average: expected", "5")),
    "average before the last prune": (
        {"average": "swa", "technique": SequentialThresholding(0.1, (0.4, 0.8))},
        ("average: expected it to start after the last mask change (at 0.8 of training)", "start of 0.75", "earlier"),
    ),
    "late gradual pruning": (
        {"average": SWA(start=0.5), "technique": [L1(), MagnitudePruning(0.5, Cubic(0.0, 0.9))]},
        ("average: expected it to start after the last mask change (at 0.9 of training)",),
    ),
    "late reallocation": ({"average": EMA(start=0.5), "technique": DSR()}, ("after the last mask change (at 0.6",)),
    "average from the end on": ({"average": SWA(start=1.0)}, ("begin < end",)),
    "average and patience": ({"average": "swa", "patience": 3}, ("patience: expected none together with an average",)),
}


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_parameters(world: Any, name: str):
    parameters, parts = PARAMETERS[name]
    stepper = SparseTimeStepper(**parameters)
    with pytest.raises((ValueError, TypeError)) as error:
        stepper.fit(world.train, world.validation)
    for part in parts:
        assert part in str(error.value)
    assert not hasattr(stepper, "models_")


def changed(data: Trajectories, **changes: Any) -> Trajectories:
    """The same trajectories with some of their facts changed."""
    facts: dict[str, Any] = {
        "states": [np.array(x) for x in data.states],
        "inputs": [np.array(u) for u in data.inputs],
        "dt": data.dt,
        "state_names": data.state_names,
        "input_names": data.input_names,
        "state_units": data.state_units,
        "input_units": data.input_units,
    }
    facts |= changes
    return Trajectories(facts.pop("states"), facts.pop("inputs"), **facts)


def scaled(data: Trajectories, factor: float, column: int) -> Trajectories:
    states = [x * np.where(np.arange(2) == column, factor, 1.0) for x in data.states]
    return changed(data, states=states)


Use = Callable[[Any], object]
DATA: dict[str, tuple[Use, tuple[str, ...]]] = {
    "an array without times": (
        lambda w: SparseTimeStepper(**w.small).fit(np.zeros((2, 10, 2))),
        ("t: expected the sample time or the times of all rows; got None", "Give t=0.01"),
    ),
    "a file name for trajectories": (
        lambda w: SparseTimeStepper(**w.small).fit("data.csv"),
        ("x: expected numbers; got 'data.csv'",),
    ),
    "validation without its inputs": (
        lambda w: SparseTimeStepper(**w.small).fit(w.train, validation=np.zeros((9, 2))),
        ("u: expected 1 columns, ['harvest']; got none",),
    ),
    "validation twice": (
        lambda w: SparseTimeStepper(**w.small).fit(w.train, w.validation, validation=w.validation),
        ("validation: expected it once",),
    ),
    "a constant state": (
        lambda w: SparseTimeStepper(**w.small).fit(changed(w.train, states=[x * [1, 0] for x in w.train.states])),
        ("state 'predators' is constant", "Leave it out"),
    ),
    "a constant input": (
        lambda w: SparseTimeStepper(**w.small).fit(changed(w.train, inputs=[0 * u for u in w.train.inputs])),
        ("input 'harvest' is constant", "Leave it out"),
    ),
    "too short for the derivative": (
        lambda w: SparseTimeStepper(**w.small, derivative="savgol").fit(w.train.head(5)),
        ("5 rows are too few", "savgol"),
    ),
    "patience with nothing to watch": (
        lambda w: SparseTimeStepper(**w.small, patience=2).fit(w.train),
        ("patience: expected validation trajectories", "fit(data, validation)"),
    ),
    "validation with other states": (
        lambda w: SparseTimeStepper(**w.small).fit(w.train, changed(w.validation, state_names=["a", "b"])),
        ("validation: expected state_names ['prey', 'predators']; got ['a', 'b']", "same order"),
    ),
    "states in another order": (
        lambda w: w.fitted.evaluate(changed(w.test, state_names=["predators", "prey"])),
        ("data: expected state_names ['prey', 'predators']; got ['predators', 'prey']", "same order"),
    ),
    "a missing input": (
        lambda w: w.fitted.evaluate(changed(w.test, inputs=None, input_names=None, input_units=None)),
        ("data: expected input_names ['harvest']; got []",),
    ),
    "another unit by name": (
        lambda w: w.fitted.evaluate(changed(w.test, state_units=["1", "100"])),
        ("data: expected state_units ['100', '100']; got ['1', '100']",),
    ),
    "another sample time": (
        lambda w: w.fitted.evaluate(changed(w.test, dt=0.2)),
        ("data: expected the sample time of training, 0.1; got 0.2", "Resample"),
    ),
    "animals instead of hundreds": (
        lambda w: w.fitted.evaluate(scaled(w.test, 100.0, 1)),
        ("column 'predators': expected values like those of training", "another unit", "median of"),
    ),
    "validation in thousands": (
        lambda w: SparseTimeStepper(**w.small).fit(w.train, scaled(w.validation, 1e3, 0)),
        ("column 'prey': expected values like those of training", "another unit"),
    ),
    "a horizon beyond the data": (
        lambda w: w.fitted.evaluate(w.test),
        ("horizon: expected between 2 and 61 rows", "got 100", "shorter"),
    ),
    "a horizon of one row": (lambda w: w.fitted.evaluate(w.test, [1]), ("horizon: expected between 2 and 61", "got 1")),
    "a horizon without its list": (lambda w: w.fitted.evaluate(w.test, 10), ("horizons: expected a list",)),
    "an unknown reading": (
        lambda w: w.fitted.evaluate(w.test, [10], reading="rmse"),
        ("reading: expected one of absolute, squared; got 'rmse'",),
    ),
    "forecast of an array without its inputs": (
        lambda w: w.fitted.forecast(np.zeros((2, 5, 2))),
        ("u: expected 1 columns, ['harvest']; got none",),
    ),
    "NaN in x0": (
        lambda w: w.fitted.simulate([1.0, np.nan], np.zeros((5, 1))),
        ("x0: expected finite numbers; got NaN at (1,)",),
    ),
    "inf in the inputs": (
        lambda w: w.fitted.simulate([1.0, 1.0], np.array([[0.0], [np.inf]])),
        ("u: expected finite numbers; got inf at (1, 0)",),
    ),
    "x0 of another plant": (
        lambda w: w.fitted.simulate([1.0, 1.0, 1.0], np.zeros((5, 1))),
        ("x0: expected 2 columns, ['prey', 'predators']; got the shape (3,)",),
    ),
    "x0 as text": (
        lambda w: w.fitted.simulate("x0", np.zeros((5, 1))),
        ("x0: expected numbers; got 'x0'",),
    ),
    "no inputs": (
        lambda w: w.fitted.simulate([1.0, 1.0], 5),
        ("u: expected inputs (time, 1), ['harvest']; got none",),
    ),
    "inputs of another length": (
        lambda w: w.fitted.simulate([1.0, 1.0], 4, np.zeros(5)),
        ("u: expected 4 rows, one per time, for each of 1; got (1, 5)",),
    ),
    "inputs for fewer trajectories": (
        lambda w: w.fitted.simulate(np.ones((3, 2)), np.zeros((2, 5, 1))),
        ("u: expected 5 rows, one per time, for each of 3; got (2, 5)",),
    ),
    "no row of inputs": (
        lambda w: w.fitted.simulate([1.0, 1.0], np.zeros((0, 1))),
        ("t: expected times (time,), or a number of rows of at least 1; got 0",),
    ),
    "times off the clock": (
        lambda w: w.fitted.simulate([1.0, 1.0], [0.0, 0.15], np.zeros((2, 1))),
        ("t: expected times a whole number of sample times of training, 0.1, apart", "model.dt_"),
    ),
    "times that fall": (
        lambda w: w.fitted.simulate([1.0, 1.0], [0.1, 0.0], np.zeros((2, 1))),
        ("t: expected increasing times",),
    ),
}


@pytest.mark.parametrize("name", list(DATA))
def test_data(world: Any, name: str):
    use, parts = DATA[name]
    with pytest.raises((ValueError, TypeError)) as error:
        use(world)
    for part in parts:
        assert part in str(error.value)
    assert isinstance(error.value, DataError | ValueError)


def test_other_magnitudes_can_be_meant(world: Any):
    crowded = scaled(world.test, 100.0, 1)
    assert world.fitted.evaluate(crowded, [10], check_units=False)["forecasts"][0] == 4
    with pytest.raises(DataError, match="check_units=False"):
        world.fitted.evaluate(crowded, [10])
    # Names, units and sample time are not a matter of taste.
    with pytest.raises(DataError, match="expected the sample time"):
        world.fitted.evaluate(changed(crowded, dt=0.2), [10], check_units=False)


def test_values_without_a_unit_are_told_without_one(world: Any):
    plain = changed(scaled(world.test, 100.0, 1), state_units=None)
    with pytest.raises(DataError, match=r"\([-\d.]+ \+- [\d.]+\); got a median"):
        world.fitted.evaluate(plain, [10])


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.simulate([1.0, 1.0], np.zeros((5, 1))),
        lambda s: s.save("model"),
        lambda s: s.reach(),
        lambda s: s.nonzeros_,
        lambda s: s.sparsity_,
        lambda s: s.dt_,
    ],
)
def test_unfitted(use: Callable[[SparseTimeStepper], object]):
    with pytest.raises(NotFittedError, match=r"not fitted yet\. Call fit first, or sparsedyn\.load"):
        use(SparseTimeStepper())


def spoil_nothing_there(path: Path) -> None:
    path.unlink()


def spoil_cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def spoil_header(path: Path) -> None:
    path.write_bytes(b"\xff" * 16 + path.read_bytes()[16:])


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_text(path: Path) -> None:
    path.write_text("t,prey,predators\n0,1,1\n")


def spoil_foreign(path: Path) -> None:
    save_file({"layer.0": np.zeros((2, 2), np.float32)}, str(path))


def spoil_checkpoint(path: Path) -> None:
    sparsedyn.training.save_arrays(path, {"00000": np.zeros(3)}, {"identity": "x", "step": 3})


def spoil_version(path: Path) -> None:
    sparsedyn.training.save_arrays(path, {}, {"format": "sparsedyn.SparseTimeStepper/99"})


def spoil_arrays(path: Path) -> None:
    arrays, header = sparsedyn.training.load_arrays(path)
    arrays.pop("model.001")
    sparsedyn.training.save_arrays(path, arrays, header)


def spoil_shapes(path: Path) -> None:
    arrays, header = sparsedyn.training.load_arrays(path)
    header["parameters"]["hidden"] = [9, 9]
    sparsedyn.training.save_arrays(path, arrays, header)


def spoil_entries(path: Path) -> None:
    arrays, header = sparsedyn.training.load_arrays(path)
    header.pop("scaling")
    sparsedyn.training.save_arrays(path, arrays, header)


SPOILS = [f for name, f in list(globals().items()) if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda f: f.__name__)
def test_model_files(world: Any, tmp_path: Path, spoil: Callable[[Path], None]):
    path = tmp_path / "model.safetensors"
    world.fitted.save(path)
    sparsedyn.load(path)
    spoil(path)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: expected "):
        sparsedyn.load(path)


def test_saving_to_a_folder(world: Any, tmp_path: Path):
    with pytest.raises((ValueError, OSError), match=r"folder|directory"):
        world.fitted.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_old_model(world: Any, tmp_path: Path):
    path = tmp_path / "model"
    world.fitted.save(path)
    broken = copy.copy(world.fitted).set_params(epochs=object())
    with pytest.raises((TypeError, ValueError, AttributeError)):
        broken.save(path)
    assert world.same(sparsedyn.load(path).models_, world.fitted.models_)

"""The contract that all models of dynamics keep, run through by each with tiny settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import sparsedyn
from sparsedyn import EquationLearner, MagnitudePruning, SINDy, SparseTimeStepper, Trajectories

# Networks are trained for moments here, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")

ROWS, DT = 40, 0.1


def plant(trajectories: int, seed: int) -> Trajectories:
    """A damped oscillator under a held force, by its Euler steps."""
    rng = np.random.default_rng(seed)
    force = np.repeat(rng.uniform(-1, 1, (trajectories, ROWS // 8, 1)), 8, axis=1)
    states = [rng.uniform(-1, 1, (trajectories, 2))]
    for k in range(ROWS - 1):
        q, v = states[-1].T
        states.append(states[-1] + DT * np.stack([v, force[:, k, 0] - q - 0.2 * v], axis=1))
    return Trajectories(np.stack(states, axis=1), force, dt=DT, state_names=["q", "v"], input_names=["force"])


TRAIN, TEST = plant(6, 0), plant(2, 1)
START, FORCE = np.stack([x[0] for x in TEST.states]), np.stack(TEST.inputs)
STEPPER: dict[str, Any] = {"hidden": (8,), "epochs": 4, "batch": 32, "learning_rate": 0.02, "activation": "tanh"}
MODELS: dict[str, Callable[[], Any]] = {
    "stepper": lambda: SparseTimeStepper(**STEPPER, members=2, technique=[MagnitudePruning(0.25)]),
    "one network": lambda: SparseTimeStepper(**STEPPER, members=1, method="rk4"),
    "learner": lambda: EquationLearner(method="euler"),
    "networks of equations": lambda: EquationLearner(
        1, primitives={"identity": 3}, hidden=1, generations=1, steps=20, derivative="forward", method="euler"
    ),
    "sindy": lambda: SINDy(1, 0.05),
}
MEMBERS = {"stepper": 2}


def names(*slow: str) -> list[Any]:
    """The models, as parameters of tests, of which some are slow."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in slow)) for name in MODELS]


NAMES = names("networks of equations")


def same(one: np.ndarray, other: np.ndarray) -> None:
    """Compare what two fits came to: least squares round by where arrays lie in memory."""
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest) -> tuple[Any, tuple[str, ...]]:
    """A fitted model, and the axis of members where it has several."""
    name = request.param
    model = MODELS[name]()
    assert model.fit(TRAIN) is model
    return model, ("member",) if name in MEMBERS else ()


def test_the_variables_are_remembered(fitted: Any):
    model, _ = fitted
    assert (model.state_names_, model.input_names_, model.dt_) == (("q", "v"), ("force",), DT)


def test_predict_gives_derivatives(fitted: Any):
    model, member = fitted
    states, force = TEST.states[0], TEST.inputs[0]
    rows = model.predict(states, force)
    assert rows.dims == (*member, "sample", "state")
    assert rows.shape[-2:] == (ROWS, 2)
    np.testing.assert_array_equal(rows["state"], ["q", "v"])
    cube = model.predict(np.stack(TEST.states), FORCE)
    assert cube.dims == (*member, "trajectory", "sample", "state")
    table = pd.DataFrame(np.hstack([states, force]), columns=["q", "v", "force"]).iloc[:, ::-1]
    for one in (cube.isel(trajectory=0), model.predict(TEST)[0], model.predict(table)):
        np.testing.assert_allclose(one, rows, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(states[3], force[3]), rows.isel(sample=3), rtol=1e-5, atol=1e-6)


def test_simulate_takes_times_and_inputs_in_every_form(fitted: Any):
    model, member = fitted
    expected = model.simulate(START, ROWS, FORCE)
    assert isinstance(expected, xr.DataArray)
    assert expected.dims == (*member, "trajectory", "time", "state")
    assert expected.shape[-3:] == (2, ROWS, 2)
    np.testing.assert_allclose(expected["time"], DT * np.arange(ROWS))
    np.testing.assert_allclose(expected.isel(time=0), np.broadcast_to(START, expected.isel(time=0).shape), atol=1e-6)
    times = DT * np.arange(ROWS)
    held = FORCE[0, :, 0]
    for t, u in (
        (ROWS, FORCE[0]),
        (times, FORCE[0]),
        (5 + times, held),
        (times, pd.DataFrame({"force": held}, index=times)),
        (times, lambda t: held[int(t / DT + 1e-9)]),
        (FORCE[0], None),
    ):
        one = model.simulate(START[0], t, u)
        assert one.dims == (*member, "time", "state")
        np.testing.assert_allclose(one, expected.isel(trajectory=0), rtol=1e-5, atol=1e-6)


def test_rows_may_be_further_apart_than_those_of_training(fitted: Any):
    model, _ = fitted
    held = np.repeat(FORCE[0, ::8], 8, axis=0)
    fine = model.simulate(START[0], ROWS, held)
    np.testing.assert_allclose(
        model.simulate(START[0], DT * np.arange(0, ROWS, 8), held[::8]), fine.isel(time=slice(None, None, 8)), rtol=1e-5
    )
    assert model.simulate(START[0], 1, held[:1]).sizes["time"] == 1


def test_forecast_evaluate_and_score(fitted: Any):
    model, _ = fitted
    forecast = model.forecast(TEST)
    np.testing.assert_allclose(
        forecast.predicted,
        np.reshape(model.simulate(START, ROWS, FORCE).to_numpy(), forecast.predicted.shape),
        rtol=1e-5,
        atol=1e-6,
    )
    table = model.evaluate(TEST, horizons=(10, ROWS))
    assert table["horizon"].tolist() == [10, ROWS]
    score = model.score(TEST)
    assert isinstance(score, float)
    assert 0 < score <= 1
    # Where nothing diverged it says what the table says; that of SINDy judges derivatives.
    if table["diverged"].iloc[1] == 0 and not isinstance(model, SINDy):
        assert score == pytest.approx(1 - table["rfmse"].iloc[1] / 3)
    assert model.score(list(TEST.states), u=list(TEST.inputs)) == pytest.approx(score)


def test_what_diverges_scores_zero(fitted: Any):
    model, _ = fitted
    away = [x + 100.0 * np.arange(ROWS)[:, None] for x in TEST.states]
    far = Trajectories(away, TEST.inputs, dt=DT, state_names=["q", "v"], input_names=["force"])
    assert model.score(far) < 0.0 if isinstance(model, SINDy) else model.score(far) == 0.0


def test_print_shows_every_state(fitted: Any, capsys: pytest.CaptureFixture[str]):
    fitted[0].print()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("dq/dt = ")
    assert lines[1].startswith("dv/dt = ")


def test_a_file_gives_the_model_back(fitted: Any, tmp_path: Path):
    model, _ = fitted
    model.save(tmp_path / "model")
    back = sparsedyn.load(tmp_path / "model")
    assert type(back) is type(model)
    given, kept = (one.get_params() for one in (model, back))
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }
    np.testing.assert_array_equal(back.forecast(TEST).predicted, model.forecast(TEST).predicted)
    assert back.variables_ == model.variables_


def test_bands_are_calibrated_saved_and_end_with_the_fit(fitted: Any, tmp_path: Path):
    model, _ = fitted
    known, new = plant(12, 2), plant(6, 3)
    assert model.calibrate(known, coverage=0.8) is model
    bands = model.forecast(new).bands()
    assert bands["upper"].dims == ("trajectory", "time", "state")
    assert (bands["upper"] >= bands["lower"]).all()
    assert model.forecast(new).coverage([10, ROWS])["horizon"].tolist() == [10, ROWS]
    model.save(tmp_path / "calibrated")
    back = sparsedyn.load(tmp_path / "calibrated")
    xr.testing.assert_identical(back.forecast(new).bands(), bands)
    assert clone(model).fit(TRAIN).calibration_ is None


@pytest.mark.parametrize("name", names("networks of equations", "learner"))
def test_fits_of_the_same_data_are_the_same(name: str):
    expected = MODELS[name]().fit(TRAIN).forecast(TEST).predicted
    model = MODELS[name]()
    before = repr(model.get_params())
    again = model.fit(list(TRAIN.states), DT, list(TRAIN.inputs), names=["q", "v"], input_names=["force"])
    assert again is model
    assert repr(model.get_params()) == before
    same(model.forecast(TEST).predicted, expected)
    # A second fit begins anew, and parameters that are set later are those of the next fit.
    same(model.fit(TRAIN).forecast(TEST).predicted, expected)


@pytest.mark.parametrize("name", names("networks of equations", "learner"))
def test_validation_is_a_keyword_or_the_second_argument(name: str):
    one, other = MODELS[name]().fit(TRAIN, TEST), MODELS[name]().fit(TRAIN, validation=TEST)
    same(one.forecast(TEST).predicted, other.forecast(TEST).predicted)


@pytest.mark.parametrize("name", [name for name in NAMES if name.values != ("learner",)])  # it takes networks then
def test_measured_derivatives_are_used(name: str):
    slopes = [
        np.stack([x[:, 1], u[:, 0] - x[:, 0] - 0.2 * x[:, 1]], axis=1)
        for x, u in zip(TRAIN.states, TRAIN.inputs, strict=True)
    ]
    doubled = MODELS[name]().fit(TRAIN, x_dot=[2 * rate for rate in slopes])
    once = MODELS[name]().fit(TRAIN, x_dot=slopes)
    rates = [np.asarray(model.predict(TEST.states[0], TEST.inputs[0])) for model in (once, doubled)]
    assert np.abs(rates[1] - 2 * rates[0]).mean() < 0.1 * np.abs(rates[1]).mean()


@pytest.mark.parametrize("name", ["sindy", pytest.param("stepper", marks=pytest.mark.slow)])
def test_scikit_learn_chooses_trajectories(name: str):
    scores = cross_val_score(MODELS[name](), TRAIN, cv=2)
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_has_the_parameters_and_no_fit(name: str):
    model = MODELS[name]()
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert repr(copy).startswith(f"{type(model).__name__}(")
    assert not [attribute for attribute in vars(copy) if attribute.endswith("_")]
    assert copy.set_params(seed=7).seed == 7
    assert model.seed == 0

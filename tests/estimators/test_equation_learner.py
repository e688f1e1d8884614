"""The equation learner: governing equations from trajectories, and the contract of every stepper."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import sparsedyn
from sparsedyn import DataError, EquationLearner, Trajectories
from sparsedyn.equations import compiled, symbol, text

QUICK: dict[str, Any] = {
    "trials": 2,
    "primitives": {"constant": 1, "identity": 3, "product": 2},
    "hidden": 1,
    "generations": 3,
    "steps": 40,
}
NAMES = ["prey", "predators", "harvest"]
prey, predators, harvest = map(symbol, NAMES)
TRUTH = (prey - prey * predators - harvest * prey, prey * predators - predators - harvest * predators)


@pytest.fixture(scope="module")
def data() -> Trajectories:
    return sparsedyn.simulate("lotka-volterra", trajectories=3, steps=200, seed=0)


@pytest.fixture(scope="module")
def fitted(data: Trajectories) -> EquationLearner:
    return EquationLearner(**QUICK).fit(data[:2])


@pytest.mark.slow
def test_the_governing_equations_are_found(fitted: EquationLearner, data: Trajectories):
    columns = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    found, true = (compiled(equations, NAMES)(columns) for equations in (fitted.equations(), TRUTH))
    np.testing.assert_allclose(found, true, atol=1e-3 * np.abs(true).max())
    assert [sympy.simplify(a - b) for a, b in zip(fitted.equations(digits=2), TRUTH, strict=True)] == [0, 0]


def rolled(fitted: EquationLearner, x0: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The printed equations by the classical Runge-Kutta method, in float64, the input held."""
    function = compiled(fitted.equations(), NAMES)
    states, dt = [np.asarray(x0, np.float64)], fitted.dt_
    for u in inputs[:-1]:

        def field(x: np.ndarray, u: np.ndarray = u) -> np.ndarray:
            return function(np.concatenate([x, u])[None])[0]

        x = states[-1]
        k1 = field(x)
        k2 = field(x + dt / 2 * k1)
        k3 = field(x + dt / 2 * k2)
        k4 = field(x + dt * k3)
        states.append(x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.stack(states)


@pytest.mark.slow
def test_forecasts_go_to_the_times_of_rows(fitted: EquationLearner, data: Trajectories):
    rows = np.r_[0, 1, 2, 5, 6, 11, 12, 13, 20, 30]
    x0, start = data.states[2][0], 0.013
    held = np.where(rows < 11, 0.1, 0.05)
    states = fitted.simulate(x0, 31, np.where(np.arange(31) < 11, 0.1, 0.05)[:, None]).to_numpy()[rows]
    names: dict[str, Any] = {"state_names": data.state_names, "input_names": data.input_names}
    apart = Trajectories(
        [states, states[:4]], [held[:, None], held[:4, None]], time=[start + fitted.dt_ * rows, fitted.dt_ * rows[:4]],
        gaps="keep", **names,
    )  # fmt: skip
    forecast = fitted.forecast(apart)
    np.testing.assert_allclose(forecast.predicted[0, 0], states, rtol=1e-5)
    assert np.isnan(forecast.predicted[0, 1, 4:]).all()
    np.testing.assert_allclose(forecast.valid_time(), [[30 * fitted.dt_, 5 * fitted.dt_]])
    np.testing.assert_allclose(forecast.to_xarray()["seconds"][0], fitted.dt_ * rows)
    assert fitted.evaluate(apart, [4, 10])["rfmse"].max() < 1e-4
    closer = fitted.simulate(x0, np.array([0.0, 0.3, 0.47]) * fitted.dt_, [0.1])
    np.testing.assert_allclose(closer[-1], x0 + 0.47 * (states[1] - x0), rtol=1e-3)


@pytest.mark.slow
def test_printed_equations_simulation_and_file_are_one(fitted: EquationLearner, data: Trajectories, tmp_path: Path):
    fitted.save(tmp_path / "law.safetensors")
    back = sparsedyn.load(tmp_path / "law.safetensors")
    assert isinstance(back, EquationLearner)
    assert back.equations() == fitted.equations()
    assert back.get_params() == fitted.get_params()
    assert back.pareto(1).equals(fitted.pareto(1))
    x0, inputs = data.states[2][0], data.inputs[2]
    simulated = fitted.simulate(x0, inputs)
    np.testing.assert_array_equal(back.simulate(x0, inputs), simulated)
    np.testing.assert_allclose(simulated, rolled(back, x0, inputs), rtol=1e-7)
    np.testing.assert_allclose(simulated, data.states[2], rtol=2e-3)
    assert [p.name for p in tmp_path.iterdir()] == ["law.safetensors"]


@pytest.mark.slow
def test_the_contract_of_a_stepper(fitted: EquationLearner, data: Trajectories):
    assert (fitted.state_names_, fitted.input_names_) == (("prey", "predators"), ("harvest",))
    assert fitted.dt_ == data.dt
    assert fitted.alive_.tolist() == [True]
    assert fitted.nonzeros_.shape == (1,)
    one = fitted.simulate([1.0, 1.2], data.inputs[0])
    assert one.dims == ("time", "state")
    assert one.shape == (200, 2)
    assert list(one["state"].to_numpy()) == ["prey", "predators"]
    np.testing.assert_allclose(one["time"], data.dt * np.arange(200))
    many = fitted.simulate(np.ones((3, 2)), np.stack(data.inputs))
    assert many.dims == ("trajectory", "time", "state")
    forecast = fitted.forecast(data)
    assert forecast.predicted.shape == (1, 3, 200, 2)
    table = fitted.evaluate(data, horizons=(50, 200))
    assert list(table["horizon"]) == [50, 200]
    assert np.all(table["diverged"] == 0)
    assert np.all(table["rfmse"] < 1e-2)
    assert fitted.dependence(data).shape == (1, 2, 3)


@pytest.mark.slow
def test_a_front_for_every_state(fitted: EquationLearner):
    by_name, by_place = fitted.pareto("predators"), fitted.pareto(1)
    assert by_name.equals(by_place)
    assert by_name["error"].is_monotonic_decreasing
    assert fitted.equations()[1] in list(by_name["equation"])


@pytest.mark.slow
def test_other_variables_are_refused(fitted: EquationLearner, data: Trajectories):
    other = Trajectories(data.states, data.inputs, dt=data.dt, state_names=["a", "b"], input_names=["harvest"])
    with pytest.raises(DataError, match="prey"):
        fitted.forecast(other)


def oscillator(seed: int) -> Trajectories:
    """x'' = -4 x, without inputs, from its solution."""
    rng = np.random.default_rng(seed)
    amplitude, phase = rng.uniform(0.5, 2, (3, 1)), rng.uniform(0, 6, (3, 1))
    angle = 2 * 0.05 * np.arange(80) + phase
    states = np.stack([amplitude * np.sin(angle), 2 * amplitude * np.cos(angle)], axis=2)
    return Trajectories(states, dt=0.05, state_names=["x", "v"])


@pytest.mark.slow
def test_a_plant_without_inputs_judged_on_other_trajectories():
    learner = EquationLearner(**QUICK | {"primitives": {"identity": 2}, "generations": 1})
    assert learner.fit(oscillator(0), oscillator(1)) is learner
    assert [text(equation, 3) for equation in learner.equations()] == ["v", "-4*x"]
    test = oscillator(2)
    np.testing.assert_allclose(learner.simulate(test.states[0][0], 80), test.states[0], atol=2e-3)


@pytest.mark.slow
def test_scikit_learn_conventions(fitted: EquationLearner):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert copy.set_params(method="euler").method == "euler"
    for call in (copy.equations, copy.pareto, lambda: copy.simulate([1.0], 3), lambda: copy.save("never")):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("derivative", "spine", "derivative: expected one of auto, .*spline"),
        ("method", "rk5", "method: expected one of .*rk4"),
        ("trials", 0, "trials: expected an integer of at least 1"),
    ],
)
def test_bad_parameters_give_one_clear_message(
    data: Trajectories, parameter: str, value: Any, message: str, as_users_run: None
):
    with pytest.raises(ValueError, match=message):
        EquationLearner(**QUICK | {parameter: value}).fit(data)


def cooling() -> Trajectories:
    """A body in kelvin that cools by a few millikelvin: small steps of a large number."""
    start = np.asarray([303.0, 304.0, 305.0, 306.0])
    time = 0.1 * np.arange(400)
    states = 293.15 + (start[:, None] - 293.15) * np.exp(-time / 50_000)
    return Trajectories(states[:, :, None], dt=0.1, state_names=["T"])


@pytest.fixture(scope="module")
def cooled() -> EquationLearner:
    settings = QUICK | {"primitives": {"constant": 1, "identity": 1}, "derivative": "spline"}
    return EquationLearner(**settings).fit(cooling())


@pytest.mark.slow
def test_small_steps_near_a_large_mean_are_not_lost(cooled: EquationLearner):
    truth = cooling().states[0][:, 0]
    simulated = cooled.simulate(truth[:1], 400).to_numpy()[:, 0]
    right = compiled(cooled.equations(), ["T"])
    printed = [truth[0]]
    for _ in range(399):
        # At this rate, one step of Euler's method is the Runge-Kutta step to seven digits.
        printed.append(printed[-1] + 0.1 * float(right(np.asarray([[printed[-1]]]))[0, 0]))
    np.testing.assert_allclose(np.diff(simulated), np.diff(printed), rtol=1e-5)
    np.testing.assert_allclose(simulated - truth[0], truth - truth[0], rtol=1e-3, atol=1e-7)


@pytest.mark.slow
def test_errors_are_counted_in_standard_deviations_of_the_training_data(cooled: EquationLearner, tmp_path: Path):
    data = cooling()
    std = np.concatenate(data.states).std(axis=0)
    np.testing.assert_allclose(cooled.forecast(data).std, std, rtol=1e-6)
    np.testing.assert_allclose(cooled.dependence(data), [[[1.0]]], rtol=5e-3)
    cooled.save(tmp_path / "cooled.safetensors")
    back = sparsedyn.load(tmp_path / "cooled.safetensors")
    np.testing.assert_array_equal(back.forecast(data).std, cooled.forecast(data).std)
    np.testing.assert_array_equal(back.statistics_.x_mean, cooled.statistics_.x_mean)


@pytest.mark.slow
def test_another_unit_is_noticed(cooled: EquationLearner):
    celsius = Trajectories([states - 273.15 for states in cooling().states], dt=0.1, state_names=["T"])
    with pytest.raises(DataError, match="another unit"):
        cooled.forecast(celsius)
    assert cooled.forecast(celsius, check_units=False).predicted.shape == (1, 4, 400, 1)


@pytest.mark.slow
def test_a_state_that_never_changes_has_the_law_zero(tmp_path: Path):
    """A parameter that differs between trajectories, and a clock."""
    # As many rows and columns as in `fitted`, with whose settings no more needs to be compiled.
    time = 0.03 * np.arange(200)
    rates = [0.3, 0.7]
    states = [np.stack([np.exp(-rate * time), np.full(200, rate), 2 * time], axis=1) for rate in rates]
    data = Trajectories(states, dt=0.03, state_names=["x", "rate", "clock"])
    learner = EquationLearner(**QUICK).fit(data)
    assert [text(equation, 3) for equation in learner.equations()[1:]] == ["0", "2"]
    assert learner.found_[1:] == [None, None]
    learner.save(tmp_path / "law.safetensors")
    back = sparsedyn.load(tmp_path / "law.safetensors")
    simulated = back.simulate(states[1][0], 200)
    np.testing.assert_allclose(simulated, states[1], atol=1e-3)
    moved = Trajectories([each[:, 1:] for each in states], dt=0.03, state_names=["rate", "clock"])
    with pytest.raises(DataError, match="'clock' is 2 everywhere"):
        EquationLearner(**QUICK | {"primitives": {"identity": 1}}).fit(moved)


def test_data_that_say_nothing_are_refused(data: Trajectories):
    still = Trajectories(np.ones((2, 40, 1)), dt=0.1, state_names=["x"])
    with pytest.raises(DataError, match="state 'x' is constant"):
        EquationLearner(**QUICK).fit(still)
    held = Trajectories(data.states, [np.ones_like(u) for u in data.inputs], dt=data.dt)
    with pytest.raises(DataError, match="is constant"):
        EquationLearner(**QUICK).fit(held)
    with pytest.raises(DataError, match="data: expected at least 12 samples; got"):
        EquationLearner(**QUICK).fit(Trajectories(data.states[0][None, :8], dt=data.dt))
    with pytest.raises(DataError, match="expected sizes from"):
        EquationLearner(**QUICK).fit(Trajectories(1e200 * data.states[0][None], dt=data.dt))


@pytest.mark.slow
def test_unknown_states_and_steps(fitted: EquationLearner, cooled: EquationLearner, as_users_run: None):
    for state in ("nope", 5, -1, None):
        with pytest.raises(ValueError, match="state: expected one of prey, predators or a number from 0 to 1"):
            fitted.pareto(state)  # type: ignore[arg-type]
    for steps in (2.5, "3", 0):
        with pytest.raises(DataError, match="a number of rows of at least 1"):
            cooled.simulate([303.0], steps)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_fitted_learner_can_be_handed_to_another_process(fitted: EquationLearner, data: Trajectories):
    import pickle

    back = pickle.loads(pickle.dumps(fitted))
    assert back.equations() == fitted.equations()
    np.testing.assert_array_equal(back.forecast(data).predicted, fitted.forecast(data).predicted)

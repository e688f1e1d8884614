"""The estimator from the outside: fit, simulate, score, and the conventions of scikit-learn."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from sparsedyn import EMA, L1, SWA, MagnitudePruning, SparseTimeStepper, Trajectories

WEIGHTS = 3 * 8 + 8 * 8 + 8 * 2


def test_a_run_as_in_the_readme(world: Any):
    fitted = world.fitted
    assert fitted.weights_ == WEIGHTS
    np.testing.assert_array_equal(fitted.nonzeros_, WEIGHTS - round(0.5 * WEIGHTS))
    np.testing.assert_allclose(fitted.sparsity_["exact"], 0.5)
    np.testing.assert_allclose(fitted.sparsity_["mask"], 0.5)
    assert np.all(fitted.sparsity_["small"] >= 0.5)
    assert fitted.alive_.all()
    assert (fitted.state_names_, fitted.input_names_) == (("prey", "predators"), ("harvest",))
    assert fitted.dt_ == world.train.dt
    assert fitted.steps_ == 8 * (5 * 60 // 32)
    table = fitted.evaluate(world.test, horizons=(10, 60))
    assert {"horizon", "diverged", "rfmse", "rfmse_std"} <= set(table.columns)
    assert list(table["horizon"]) == [10, 60]
    assert np.all(table["forecasts"] == 4)
    assert np.all(table["diverged"] == 0.0)
    assert np.isfinite(table.to_numpy(float)).all()


def test_it_learns(world: Any):
    # Better than the mean: forecasts over a short horizon, in standard deviations.
    assert world.fitted.evaluate(world.test, horizons=(10,))["rfmse"][0] < 0.4


def test_history(world: Any):
    history = world.fitted.history_
    assert list(history.columns) == ["step", "epoch", "member", "loss", "validation", "sparsity", "alive"]
    last = history[history["member"] == 1].iloc[-1]
    assert last["step"] == world.fitted.steps_
    assert last["epoch"] == 8.0
    assert last["sparsity"] == pytest.approx(0.5)
    by_member = history.groupby("member")["loss"]
    assert np.all(by_member.last() < by_member.first())
    assert np.isfinite(history["validation"]).all()


def test_fit_returns_the_estimator_and_leaves_its_parameters_alone(world: Any):
    stepper = SparseTimeStepper(technique=[L1(1e-4), MagnitudePruning(0.5)], average="swa", **world.small)
    before = stepper.get_params()
    assert stepper.fit(world.train, world.validation, progress=False) is stepper
    assert stepper.get_params() == before
    # The same seed, the same bits.
    assert world.same(stepper.models_, world.fitted.models_)
    assert stepper.history_.equals(world.fitted.history_)
    other = clone(stepper).set_params(seed=1).fit(world.train, world.validation)
    assert not world.same(other.models_, stepper.models_)


def test_scikit_learn_conventions():
    technique = [L1(1e-4), MagnitudePruning(0.5)]
    stepper = SparseTimeStepper(hidden=(8, 8), technique=technique, average=SWA(start=0.8), seed=3)
    copy = clone(stepper)
    assert copy is not stepper
    assert copy.get_params() == stepper.get_params()
    assert copy.technique == technique
    assert not hasattr(copy, "models_")
    assert stepper.set_params(members=3).members == 3
    with pytest.raises(ValueError, match="Invalid parameter 'memebers'"):
        stepper.set_params(memebers=3)
    assert "MagnitudePruning(sparsity=0.5" in repr(stepper)
    assert "seed=3" in repr(stepper)
    assert clone(SparseTimeStepper(average=EMA())).average == EMA()


# -- simulate and forecast ----------------------------------------------------------------------------------


def test_simulate_one_trajectory(world: Any):
    inputs = world.test.inputs[0]
    result = world.fitted.simulate(world.test.states[0][0], inputs)
    assert result.dims == ("member", "time", "state")
    assert result.shape == (2, 61, 2)
    np.testing.assert_allclose(result["time"], 0.1 * np.arange(61))
    assert list(result["state"].to_numpy()) == ["prey", "predators"]
    np.testing.assert_allclose(result[:, 0], np.tile(world.test.states[0][0], (2, 1)), atol=1e-6)
    # Plain lists do as well, and one row of inputs is no step.
    assert world.fitted.simulate([1.0, 1.0], inputs[:1]).shape == (2, 1, 2)
    np.testing.assert_allclose(world.fitted.simulate([1.0, 1.0], inputs[:1])[0, 0], [1.0, 1.0], atol=1e-6)


def test_simulate_many_trajectories(world: Any):
    starts = np.stack([states[0] for states in world.test.states])
    inputs = np.stack(world.test.inputs)
    result = world.fitted.simulate(starts, inputs)
    assert result.dims == ("member", "trajectory", "time", "state")
    assert result.shape == (2, 2, 61, 2)
    for i in range(2):
        np.testing.assert_allclose(result[:, i], world.fitted.simulate(starts[i], inputs[i]), atol=1e-6)
    forecast = world.fitted.forecast(world.test)
    np.testing.assert_array_equal(forecast.predicted, result.to_numpy())
    np.testing.assert_array_equal(forecast.std, world.fitted.scaling_.x_std)
    # One trajectory with its axis keeps it.
    assert world.fitted.simulate(starts[:1], inputs[:1]).dims == ("member", "trajectory", "time", "state")


@pytest.mark.slow
def test_a_plant_without_inputs(world: Any):
    data = world.plant(3, 41, 0, inputs=False)
    fitted = SparseTimeStepper(**world.small).fit(data)
    assert fitted.input_names_ == ()
    assert fitted.simulate(data.states[0][0], 7).shape == (2, 7, 2)
    assert fitted.simulate(np.ones((3, 2)), 7).shape == (2, 3, 7, 2)
    assert fitted.reach().shape == (2, 2, 2)
    table = fitted.evaluate(data, horizons=[41])
    assert table["forecasts"][0] == 6


def test_scores_in_both_readings(world: Any):
    forecast = world.fitted.forecast(world.test)
    truth = np.stack(world.test.states)
    error = np.abs(forecast.predicted - truth) / world.fitted.scaling_.x_std
    for reading, power in (("absolute", 1), ("squared", 2)):
        table = world.fitted.evaluate(world.test, horizons=[10], reading=reading)
        expected = (error[:, :, :10] ** power).mean(axis=(2, 3))
        assert table["rfmse"][0] == pytest.approx(expected.mean())
        assert table["rfmse_std"][0] == pytest.approx(expected.std())


def test_unknown_units_say_nothing(world: Any):
    bare = Trajectories(
        world.test.states, world.test.inputs, dt=0.1, state_names=["prey", "predators"], input_names=["harvest"]
    )
    assert world.fitted.evaluate(bare, horizons=[10]).equals(world.fitted.evaluate(world.test, horizons=[10]))


def test_reach(world: Any):
    assert world.fitted.reach().shape == (2, 2, 3)
    assert world.fitted.reach().any()


# -- what is kept -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_selection(world: Any):
    # The last weights, the best by one-step loss, the best by forecast: three readings of one training.
    options = world.small | {"learning_rate": 0.05, "schedule": "constant"}
    kept = {}
    for select in ("last", "best", "forecast"):
        kept[select] = SparseTimeStepper(select=select, **options).fit(world.train, world.validation)
    rows = {name: stepper.history_ for name, stepper in kept.items()}
    assert rows["last"].equals(rows["best"])
    assert rows["last"].equals(rows["forecast"])
    error = {
        name: np.nanmean(stepper.forecast(world.validation).error, axis=(1, 2, 3)) for name, stepper in kept.items()
    }
    assert np.all(error["forecast"] <= error["last"] + 1e-9)
    assert np.all(error["forecast"] <= error["best"] + 1e-9)
    assert np.any(error["forecast"] < error["last"])
    # Without validation data the last are kept, whatever is asked for.
    alone = SparseTimeStepper(select="forecast", **options).fit(world.train)
    assert world.same(alone.models_, kept["last"].models_)
    assert np.isnan(alone.history_["validation"]).all()


@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_early_stopping(world: Any):
    options = world.small | {"schedule": "constant", "learning_rate": 1e-12}
    stepper = SparseTimeStepper(patience=3, select="best", **options).fit(world.train, world.validation)
    assert stepper.steps_ < 8 * 9
    assert stepper.history_["step"].max() == stepper.steps_

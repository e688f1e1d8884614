"""Delay coordinates: unmeasured states by lags, dead times of inputs, and forecasts from first rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsedyn import DataError, EquationLearner, SINDy, Trajectories, cross_validate, load
from sparsedyn.estimators._dead_times import found_delays
from sparsedyn.estimators._delays import Delays


def pendulum(rows: int = 200, runs: int = 3, seed: int = 0, dead: int = 0, noise: float = 0.0) -> Trajectories:
    """Positions of an oscillator under a force, whose velocity is not measured: an equation of two rows."""
    rng = np.random.default_rng(seed)
    x, u = np.zeros((runs, rows, 1)), rng.normal(size=(runs, rows, 1))
    x[:, :2] = rng.normal(size=(runs, 2, 1))
    for k in range(1, rows - 1):
        force = u[:, k - dead] if k >= dead else 0.0
        x[:, k + 1] = 1.6 * x[:, k] - 0.8 * x[:, k - 1] + 0.5 * force
    return Trajectories(
        x[:, dead:] + noise * rng.normal(size=x[:, dead:].shape),
        u[:, dead:],
        dt=0.1,
        state_names=["y"],
        input_names=["f"],
    )


def model(**options: Any) -> SINDy:
    return SINDy(degree=1, time="discrete", **options)


def test_delayed_columns_are_those_of_earlier_rows():
    x, u = np.arange(6.0)[:, None], 10 * np.arange(6.0)[:, None]
    delays = Delays(1, (2,))
    assert (delays.rows, delays.names(["x"], ["u"])) == (3, ("u[k-2]", "u[k-3]", "x[k-1]"))
    np.testing.assert_array_equal(delays.columns(x, u), [[10, 0, 2], [20, 10, 3], [30, 20, 4]])
    data = delays.augmented(Trajectories(x, u, dt=1.0, state_names=["x"], input_names=["u"]))
    assert data.input_names == ("u[k-2]", "u[k-3]", "x[k-1]")
    np.testing.assert_array_equal(data.states[0], x[3:])
    with pytest.raises(DataError, match="at least 7 rows in every trajectory, of which 4"):
        Delays(2, (2,)).augmented(Trajectories(x, u, dt=1.0))


def test_an_unmeasured_velocity_is_made_up_for_by_an_earlier_row(tmp_path: Path):
    data = pendulum()
    found = model(lags=1).fit(data)
    table = found.coefficients()["y"]
    assert table[table != 0].to_dict() == pytest.approx({"y": 1.6, "f": 0.5, "y[k-1]": -0.8})
    assert found.statements()[0].text(3) == "y[k+1] = 0.5*f[k] - 0.8*y[k-1] + 1.6*y[k]"
    assert (found.input_names_, found.delays_) == (("f",), Delays(1, (0,)))
    x, u = data.states[0], data.inputs[0]
    assert found.score(data) > 0.999999
    following = found.predict(data)[0].to_numpy()
    assert np.isnan(following[:1]).all()
    np.testing.assert_allclose(following[1:-1], x[2:])
    np.testing.assert_allclose(found.simulate(x[:2], len(x), u), x)
    np.testing.assert_allclose(found.simulate(x[None, :4], 10, u[:10])[0], x[:10])
    made = found.forecast(data)
    assert made.warmup == 2
    np.testing.assert_allclose(made.predicted[0], np.stack(data.states))
    assert found.forecast(data, warmup=20).warmup == 20
    assert found.evaluate(data, horizons=[50])["rfmse"][0] < 1e-6
    found.save(tmp_path / "lags.safetensors")
    back = load(tmp_path / "lags.safetensors")
    assert back.delays_ == found.delays_
    np.testing.assert_array_equal(back.simulate(x[:2], 20, u[:20]), found.simulate(x[:2], 20, u[:20]))


def test_models_with_lags_are_cross_validated():
    table = cross_validate(model(lags=1), pendulum(rows=60), cv=3, horizons=[20, 60])
    assert table["horizon"].unique().tolist() == [20, 60]
    assert (table["error"] < 1e-6).all()


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("dead", [0, 4])
def test_lags_and_dead_times_are_found(dead: int, noise: float):
    delays = found_delays(pendulum(dead=dead, noise=noise))
    assert delays.dead_times == (dead,)
    assert delays.lags == 1 if not noise else delays.lags >= 1


def test_dead_times_of_several_inputs_and_of_one_without_effect():
    rng = np.random.default_rng(1)
    u = rng.normal(size=(400, 3))
    x = np.zeros((400, 1))
    for k in range(6, 399):
        x[k + 1] = 0.7 * x[k] + u[k - 2, 0] + 0.5 * u[k - 6, 1] ** 2
    x += 0.01 * rng.normal(size=x.shape)
    data = Trajectories(x[10:], u[10:], dt=1.0)
    assert found_delays(data).dead_times == (2, 6, 0)


@pytest.mark.slow
def test_lags_of_equation_learners(tmp_path: Path):
    x = [0.3, 0.4]
    for _ in range(78):
        x.append(2.1 * x[-1] * (1 - x[-2]))
    rows = np.asarray(x)[:, None]
    chosen: dict[str, Any] = {"primitives": {"identity": 1, "product": 1}, "hidden": 1, "generations": 1, "steps": 100}
    learner = EquationLearner(1, time="discrete", lags=1, **chosen).fit(rows, progress=False)
    np.testing.assert_allclose(learner.simulate(rows[:2], 30), rows[:30], atol=1e-6)
    assert "x0[k-1]" in learner.statements()[0].text()
    assert learner.forecast(Trajectories(rows, dt=1.0, state_names=["x0"])).warmup == 2
    learner.save(tmp_path / "learner.safetensors")
    back = load(tmp_path / "learner.safetensors")
    np.testing.assert_allclose(back.simulate(rows[:2], 30), learner.simulate(rows[:2], 30))


def test_what_does_not_fit_is_refused():
    data = pendulum(rows=60, runs=1)
    with pytest.raises(ValueError, match="lags: expected time='discrete' along with lags=2"):
        SINDy(lags=2).fit(data)
    with pytest.raises(ValueError, match="lags: expected a number of rows"):
        model(lags=-1).fit(data)
    with pytest.raises(ValueError, match="lags: expected time='discrete'"):
        EquationLearner(lags="auto").fit(data)
    found = model(lags=2).fit(pendulum(rows=60, runs=1, noise=0.01))
    with pytest.raises(DataError, match="x0: expected the first 3 rows or more"):
        found.simulate([0.0], 10, np.zeros((10, 1)))
    with pytest.raises(DataError, match="x: expected more than 2 rows"):
        found.predict(np.zeros((2, 1)), np.zeros((2, 1)))
    with pytest.raises(DataError, match="warmup: expected a number of rows from 3 to 59"):
        found.forecast(data, warmup=2)
    with pytest.raises(DataError, match="warmup: expected none, since the model has no lags"):
        model().fit(data).forecast(data, warmup=2)
    with pytest.raises(DataError, match="expected at least 20 rows"):
        model(lags="auto").fit(data.head(10))

"""Too few rows, runs of one state, and times as dates: what a user types, and what comes of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import DataError, SINDy, SparsedynWarning, SparseTimeStepper, Trajectories, load
from sparsedyn.plotting import fan

T = 0.1 * np.arange(60)
RUNS = [2 + (a - 2) * np.exp(-0.5 * T) for a in (0.0, 1.0, 4.0)]


def test_runs_of_one_state_are_runs():
    found = SINDy(degree=1).fit(RUNS, T[1]).coefficients()["x0"]
    np.testing.assert_allclose(found, [1.0, -0.5], rtol=1e-4)


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(DataError, match=r"at least 4 rows in a trajectory.*the longest has 3"):
        SINDy(degree=1, weak=False, derivative="spline").fit([run[:3] for run in RUNS], T[1])
    with pytest.raises(DataError, match=r"as many (rows|samples) as the library has terms, 3"):
        SINDy(degree=2).fit([RUNS[0][:2]], T[1])
    with pytest.raises(DataError, match=r"as many rows as the library has terms, 1,373,701; got 60"):
        SINDy(degree=3).fit(np.ones((60, 200)) * T[:, None], T[1])


def test_simulate_takes_dates_and_functions():
    u = np.sin(T)
    with pytest.warns(SparsedynWarning, match="The equations miss something"):
        model = SINDy(degree=1).fit(RUNS[1] + 0.1 * np.cos(3 * T), T, u)
    expected = model.simulate([1.0], T, u)
    dates = pd.Timestamp("2024-03-01") + pd.to_timedelta(T, unit="s")
    np.testing.assert_allclose(model.simulate([1.0], dates, u), expected, rtol=1e-6)
    np.testing.assert_allclose(model.simulate([1.0], dates, np.sin), model.simulate([1.0], T, np.sin), rtol=1e-6)
    with pytest.raises(DataError, match=r"u: expected \(time, input\), the shape \(60, 1\); got \(1, 60\)"):
        model.simulate([1.0], T, u[None])


MOTION = np.array([[0.0, 1.0], [-4.0, -0.3]])


def swinging(times: np.ndarray) -> np.ndarray:
    """Return position and speed of v' = -4 x - 0.3 v, from x = 1 at rest, exactly."""
    values, vectors = np.linalg.eig(MOTION)
    parts = np.linalg.solve(vectors, np.array([1.0, 0.0]))
    return np.real(np.exp(values * (times - times[0])[:, None]) * parts @ vectors.T)


@pytest.mark.parametrize("times", ["jitter", "random", "growing"])
def test_irregular_times_are_taken_as_they_are(times: str):
    rng = np.random.default_rng(0)
    t = {
        "jitter": 0.05 * np.arange(400) + rng.uniform(-0.0025, 0.0025, 400),
        "random": np.sort(rng.uniform(0, 20, 400)),
        "growing": np.cumsum(np.geomspace(0.005, 0.15, 300)),
    }[times]
    x = swinging(t)
    rates = x @ MOTION.T
    for found in (SINDy(degree=1).fit(x, t), SINDy(degree=1).fit(x, t, x_dot=rates)):
        np.testing.assert_allclose(found.coefficients_[1:].T, MOTION, atol=2e-3)
        np.testing.assert_allclose(found.coefficients_[0], 0.0)
    assert found.score(x, t, x_dot=rates) > 0.999


def test_held_inputs_at_irregular_times():
    t = np.sort(np.random.default_rng(0).uniform(0, 20, 400))
    u = np.repeat([1.0, -1.0, 2.0, 0.0], 100)
    x = [0.0]
    for step, value in zip(np.diff(t), u, strict=False):
        x.append(x[-1] * np.exp(-0.5 * step) + (1 - np.exp(-0.5 * step)) * 2 * value)
    found = SINDy(degree=1).fit(np.array(x), t, u).coefficients()["x0"]
    np.testing.assert_allclose(found, [0.0, -0.5, 1.0], atol=1e-3)


def test_what_needs_regular_rows_says_how_to_get_them():
    t = np.sort(np.random.default_rng(0).uniform(0, 20, 400))
    data = Trajectories(swinging(t), time=t)
    with pytest.raises(DataError, match=r"expected regular times; got steps from .* data.resample\(0.0"):
        SparseTimeStepper().fit(data)
    with pytest.raises(DataError, match="expected regular times"):
        SINDy(degree=1, order=2, weak=True).fit(data.select(["x1"]))
    model = SINDy(degree=1, weak=True).fit(data)
    np.testing.assert_allclose(model.coefficients_[1:].T, MOTION, atol=1e-6)
    forecast = model.forecast(data)
    np.testing.assert_allclose(forecast.predicted[0, 0], data.states[0], atol=1e-4)
    np.testing.assert_allclose(forecast.seconds[0], t - t[0])
    assert model.evaluate(data, [400])["diverged"].item() == 0.0
    assert forecast.to_xarray().sizes["time"] == 400
    (ax, *_) = fan(forecast)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), t - t[0])
    with pytest.raises(DataError, match="expected regular times"):
        SINDy(degree=1, time="discrete").fit(data.resample(0.05)).forecast(data)


def test_an_input_that_never_changes_is_in_no_equation(tmp_path: Path):
    u = np.stack([np.full(60, 4.0), np.repeat([0.0, 1.0, -1.0], 20), np.full(60, 2.0)], axis=1)
    x = [1.0]
    for value in u[:-1, 1]:
        x.append(0.9 * x[-1] + 0.5 * value)
    data = Trajectories(np.array(x)[:, None], u, dt=1.0, input_names=["a", "b", "c"])
    with pytest.warns(SparsedynWarning, match="a is 4 in all rows and c is 2 in all rows: in no equation"):
        model = SINDy(degree=2, time="discrete").fit(data)
    found = model.coefficients()["x1"]
    np.testing.assert_allclose(found[["x1", "b"]], [0.9, 0.5], atol=1e-8)
    assert set(found.index[found != 0]) == {"x1", "b"}
    assert model.input_names_ == ("a", "b", "c")
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").forecast(data).rmse().max() < 1e-8
    y = [1.0, 0.5]
    for value in u[1:-1, 1]:
        y.append(0.6 * y[-1] + 0.3 * y[-2] + 0.5 * value)
    data = Trajectories(np.array(y)[:, None], u, dt=1.0, input_names=["a", "b", "c"])
    with pytest.warns(SparsedynWarning, match="in all rows"):
        lagged = SINDy(degree=1, time="discrete", lags=1).fit(data)
    assert lagged.delays_.dead_times == (0, 0, 0)
    assert lagged.forecast(data).rmse().max() < 1e-6
    with pytest.raises(DataError, match="expected values that change"):
        SINDy(degree=1).fit(np.ones(60), 1.0, u[:, 1])

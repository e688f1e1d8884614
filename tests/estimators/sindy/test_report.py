"""What the checks at the end of a fit say, and that good fits are silent."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import sparsedyn
from sparsedyn import SINDy, SparsedynWarning

STEP = expm(np.array([[0.0, 1.0], [-2.0, -0.6]]) * 0.1)
X = np.array([np.linalg.matrix_power(STEP, k) @ [1.0, 0.0] for k in range(100)])


def said(model: SINDy, *data: Any, **more: Any) -> dict[str, str]:
    """What a fit warns of, which is its report."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **more)
    found = {finding.check: finding.message for finding in reversed(model.report_)}
    assert {str(one.message) for one in caught if one.category is SparsedynWarning} >= set(found.values())
    return found


def test_good_fits_are_silent(recwarn: pytest.WarningsRecorder):
    fitted = SINDy(1, 0.1).fit(X, 0.1)
    assert not fitted.report_
    assert str(fitted.report_) == "nothing found"
    assert not recwarn.list


def test_an_equation_without_terms_names_the_largest_that_fell():
    found = said(SINDy(1, 1.5), X, 0.1)["empty-equation"]
    assert "no term is left for x0" in found
    assert "fell is x1, with the coefficient 1," in found
    noise = np.random.default_rng(0).normal(size=(60, 1))
    assert "No term explains more than noise" in said(SINDy(1), noise, 0.1)["empty-equation"]


def test_what_explains_little_or_runs_away_is_said():
    found = said(SINDy(1, 0.1), sparsedyn.simulate("lorenz63", trajectories=1, steps=300, seed=0))
    assert "explains little of the variance of x" in found["poorly-explained"]
    assert "leave the region" in found["leaves-the-data"]


def test_inputs_that_nearly_depend_are_named():
    rng = np.random.default_rng(0)
    u = np.repeat(rng.normal(size=(10, 1)), 10, axis=0)
    u = np.hstack([u, 2 * u + 1e-4 * rng.normal(size=u.shape)])
    found = said(SINDy(1, 0.01), X, 0.1, u, x_dot=X @ [[0.0, -2.0], [1.0, -0.6]])
    assert "u0, u1 are nearly linear combinations" in found["nearly-dependent"]


def test_too_few_rows_a_period_are_said():
    x = np.full((200, 1), 0.3)
    for k in range(199):
        x[k + 1] = 3.95 * x[k] * (1 - x[k])
    message = said(SINDy(2, 0.1), x, 1.0)["too-few-rows"]
    assert "change by about their standard deviation" in message
    assert "time='discrete'" in message


def test_few_rows_a_period_that_are_explained_exactly_are_enough():
    x = np.stack([np.sin(2.5 * np.arange(60)), np.cos(2.5 * np.arange(60))], axis=1)
    fitted = SINDy(1, 0.1).fit(x, 1.0)
    np.testing.assert_allclose(fitted.coefficients_, [[0, 0], [0, -2.5], [2.5, 0]], atol=1e-6)
    assert not fitted.report_


def test_maps_that_explain_little_say_so():
    x = [100.0]
    for _ in range(60):
        x.append(x[-1] * np.exp(3.1 * (1 - x[-1] / 500)))
    message = said(SINDy(time="discrete"), np.asarray(x))["poorly-explained"]
    assert "explains little of the variance of x0" in message
    assert "derivative" not in message
    noise = np.random.default_rng(0).normal(size=(60, 1))
    message = said(SINDy(1, 5.0, time="discrete"), noise)["empty-equation"]
    assert "its value in the next row is zero" in message


def test_an_input_in_no_equation_of_a_map_is_named():
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 200))
    x = [0.0]
    for k in range(199):
        x.append(0.8 * x[-1] + v[k])
    given = np.asarray(x), 1.0, np.stack([u, v], axis=1)
    message = said(SINDy(1, time="discrete"), *given)["input-without-effect"]
    assert "input u0 appears in no equation. If it acts late, give lags='auto'" in message
    assert "acts late" not in said(SINDy(1, time="discrete", lags="auto"), *given)["input-without-effect"]


@pytest.mark.slow
def test_data_of_quite_another_sample_time_are_warned_of():
    fitted = SINDy(1, 0.1).fit(X, 0.1, names=["a", "b"])
    near, far = (sparsedyn.Trajectories([X[:20]], dt=dt, state_names=["a", "b"]) for dt in (0.2, 360.0))
    fitted.forecast(near)
    with pytest.warns(SparsedynWarning, match="sample time is 360 s, 0.1 s in training: 3.6e\\+03 times more"):
        fitted.forecast(far)


def test_jumps_between_coarse_rows_are_not_called_noise():
    def relaxing(_: float, x: np.ndarray) -> list[float]:
        return [x[1], 8 * (1 - x[0] ** 2) * x[1] - x[0]]

    t = np.arange(0, 40, 0.5)
    x = solve_ivp(relaxing, (0, 40), [2.0, 0.0], t_eval=t, rtol=1e-9, atol=1e-9).y.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        report = SINDy(3, threshold=0.01, refine=False).fit(x, 0.5).report_
    checks = [finding.check for finding in report]
    assert "too-few-rows" in checks
    assert "noise" not in checks


@pytest.mark.parametrize(
    ("unit", "functions", "doubted"), [("°", ["sin"], True), ("rad", ["sin"], False), ("°", [], False)]
)
def test_sines_of_degrees_are_doubted(unit: str, functions: list[str], doubted: bool):
    swing = sparsedyn.Trajectories(X, dt=0.1, state_names=["angle", "speed"], state_units=[unit, f"{unit}/s"])
    model = SINDy(1, 0.1, functions=functions)
    found = said(model, swing)
    assert ("degrees" in found) == doubted
    if doubted:
        assert "in sin, angle would be taken for radians" in found["degrees"]

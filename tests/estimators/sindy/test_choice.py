"""Terms chosen by the data: nothing falls for its units, nothing is silently empty, few and noisy rows do."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from sparsedyn import SINDy, SparsedynWarning


def logistic(rows: int = 150) -> tuple[np.ndarray, float]:
    """x' = 0.8 x (1 - x / 75) from 7."""
    t = np.linspace(0, 10, rows)
    return (75 / (1 + (75 / 7 - 1) * np.exp(-0.8 * t)))[:, None], t[1]


def oscillator(rows: int = 200, dt: float = 0.1) -> tuple[np.ndarray, float]:
    """x'' = -2 x - 0.6 x', in states."""
    step = expm(np.array([[0.0, 1.0], [-2.0, -0.6]]) * dt)
    x = [np.array([1.0, 0.0])]
    for _ in range(rows - 1):
        x.append(step @ x[-1])
    return np.array(x), dt


def noisy(x: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    return x + share * x.std(axis=0) * np.random.default_rng(seed).normal(size=x.shape)


def test_the_clean_logistic_equation():
    x, dt = logistic()
    found = SINDy(3).fit(x, dt).coefficients_[:, 0]
    np.testing.assert_allclose(found, [0, 0.8, -0.8 / 75, 0], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("share", [pytest.param(0.001, marks=pytest.mark.slow), 0.05])
def test_an_oscillation_that_has_died_out(share: float):
    x, dt = oscillator()
    found = SINDy(3).fit(noisy(x, share), dt).coefficients()
    assert {term: found.index[found[term] != 0].tolist() for term in found} == {"x0": ["x1"], "x1": ["x0", "x1"]}
    assert found.loc["x0", "x1"] == pytest.approx(-2, rel=share)


def test_slow_plants_keep_their_terms():
    u, a, states = np.repeat([0.0, 20.0, 5.0, 40.0, 10.0, 0.0], 100), np.exp(-0.01), [8.0]
    for value in u[:-1]:
        states.append(a * states[-1] + (1 - a) * 0.25 * value)
    found = SINDy(1).fit(np.array(states)[:, None], 5.0, u).coefficients_[:, 0]
    np.testing.assert_allclose(found, [0, -0.002, 0.0005], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("rows", [6, 24])
def test_few_rows_a_period_are_not_taken_for_noise(rows: int):
    t = np.arange(0, 20, 1 / rows)
    fitted = SINDy(1, order=2, constant=False).fit(np.sin(2 * np.pi * t)[:, None], t)
    np.testing.assert_allclose(fitted.coefficients_[:, 0], [-4 * np.pi**2, 0], rtol=1e-4, atol=1e-3)


def test_an_input_that_is_new_at_every_row():
    dt = 0.2
    step = expm(np.array([[0.0, 1.0, 0.0], [-4.0, -0.8, 3.0], [0.0, 0.0, 0.0]]) * dt)
    u, x = np.random.default_rng(0).choice([-1.0, 1.0], 300), [np.zeros(2)]
    for value in u[:-1]:
        x.append(step[:2, :2] @ x[-1] + step[:2, 2] * value)
    found = SINDy(1).fit(np.array(x), dt, u).coefficients_
    np.testing.assert_allclose(found, [[0, 0], [0, -4], [1, -0.8], [0, 3]], rtol=1e-3, atol=1e-9)


PREDATORS = solve_ivp(
    lambda _, x: [x[0] * (1.1 - 0.4 * x[1]), x[1] * (0.1 * x[0] - 0.4)],
    (0, 30),
    [10.0, 5.0],
    t_eval=np.linspace(0, 30, 120),
    rtol=1e-10,
    atol=1e-10,
).y.T
SIZES = st.floats(-6, 6)


@pytest.mark.parametrize("share", [0.0, 0.03])
@pytest.mark.parametrize("options", [{}, {"threshold": 0.05, "scale": "contributions"}])
@settings(max_examples=2, deadline=None, derandomize=True)
@given(sizes=st.tuples(SIZES, SIZES), clock=SIZES)
def test_units_have_no_influence(share: float, options: dict[str, Any], sizes: tuple[float, float], clock: float):
    x, dt = noisy(PREDATORS, share), 30 / 119
    scale, second = 10.0 ** np.array(sizes), 10.0**clock
    here = SINDy(2, **options).fit(x, dt)
    there = SINDy(2, **options).fit(x * scale, dt * second)
    terms = here.library_.evaluate(scale[None])[0]
    expected = here.coefficients_ * scale / terms[:, None] / second
    np.testing.assert_array_equal(there.coefficients_ != 0, expected != 0)
    np.testing.assert_allclose(there.coefficients_, expected, rtol=1e-4)


def test_noise_in_proportion_to_the_states():
    # Held to be as large everywhere, such noise hides the small values that tell terms apart.
    t = np.linspace(0, 6, 120)
    x = solve_ivp(lambda _, z: [3 * z[0] - 2 * z[0] * z[1], z[0] * z[1] - 2 * z[1]], (0, 6), [4.0, 1.0], t_eval=t).y.T
    x *= 1 + 0.05 * np.random.default_rng(1).normal(size=x.shape)
    found = SINDy(3).fit(x, t[1]).coefficients().round(1)
    assert set(found.index[found["x0"] != 0]) == {"x0", "x0 x1"}
    assert set(found.index[found["x1"] != 0]) == {"x1", "x0 x1"}


def test_exact_rows_need_no_search(monkeypatch: pytest.MonkeyPatch):
    x, dt = oscillator()
    monkeypatch.setattr("sparsedyn.estimators.sindy._choice.Judge", None)
    np.testing.assert_allclose(SINDy(2).fit(x, dt).coefficients_[[2, 1, 2], [0, 1, 1]], [1, -2, -0.6], rtol=1e-8)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(sizes=st.tuples(SIZES, SIZES), size=SIZES, share=st.sampled_from([0.0, 0.01]))
def test_units_of_inputs_have_no_influence_on_maps(sizes: tuple[float, float], size: float, share: float):
    u = np.random.default_rng(1).choice([-1.0, 0.5, 1.0], 150)
    x = [np.array([0.3, 0.1])]
    for value in u[:-1]:
        x.append(np.array([0.7 * x[-1][0] + 0.4 * value, 0.5 * x[-1][1] + 0.3 * x[-1][0] * value]))
    states = noisy(np.array(x), share)
    scale, other = 10.0 ** np.array(sizes), 10.0**size
    here = SINDy(2, time="discrete").fit(states, 1.0, u)
    there = SINDy(2, time="discrete").fit(states * scale, 1.0, u * other)
    terms = here.library_.evaluate(np.array([[*scale, other]]))[0]
    expected = here.coefficients_ * scale / terms[:, None]
    np.testing.assert_array_equal(there.coefficients_ != 0, expected != 0)
    np.testing.assert_allclose(there.coefficients_, expected, rtol=1e-6)


def competing(share: float) -> tuple[np.ndarray, float]:
    """x' = x (3 - x - 2 y), y' = y (2 - x - y)."""
    t = np.linspace(0, 6, 150)
    x = solve_ivp(lambda _, x: x * (np.array([3, 2]) - np.array([[1, 2], [1, 1]]) @ x), (0, 6), [2.5, 1.2], t_eval=t)
    return noisy(x.y.T, share), t[1]


def test_noisy_states_are_enough_for_terms_with_functions_beside():
    x, dt = competing(0.05)
    found = SINDy(3, functions=["sin", "cos"]).fit(x, dt).coefficients()
    kept = {term: found.index[found[term] != 0].tolist() for term in found}
    assert kept == {"x0": ["x0", "x0^2", "x0 x1"], "x1": ["x1", "x0 x1", "x1^2"]}


def test_the_search_is_offered_the_terms_of_the_library_alone():
    x, dt = oscillator()
    found = SINDy(1, constant=False).fit(noisy(x, 0.02), dt).coefficients_
    np.testing.assert_allclose(found, [[0, -2], [1, -0.6]], rtol=0.02)


def disturbed(seed: int, rows: int = 400, dt: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """x' = u - 0.5 x, y' = x - 0.8 y, with disturbances of both that are new at every moment."""
    rng = np.random.default_rng(seed)
    u = np.repeat(rng.uniform(-1, 1, rows // 10 + 1), 10)[:rows, None]
    x = np.zeros((rows, 2))
    for k in range(rows - 1):
        now = x[k]
        for _ in range(10):
            slopes = np.array([u[k, 0] - 0.5 * now[0], now[0] - 0.8 * now[1]])
            now = now + slopes * dt / 10 + 0.1 * np.sqrt(dt / 10) * rng.normal(size=2)
        x[k + 1] = now
    return x, u


def test_disturbances_of_states_are_not_taken_for_terms():
    x, u = disturbed(0)
    with pytest.warns(SparsedynWarning, match="chosen by what they foretell of the next row"):
        found = SINDy(degree=2).fit(x, 0.1, u)
    terms = found.coefficients()
    assert set(terms.index[terms.iloc[:, 0] != 0]) == {"x0", "u0"}
    assert set(terms.index[terms.iloc[:, 1] != 0]) == {"x0", "x1"}
    # Noise of sensors leaves residuals that are not related.
    plain = SINDy(degree=2).fit(noisy(*oscillator()[:1], 0.05), 0.1)
    assert "related-residuals" not in [one.check for one in plain.report_]

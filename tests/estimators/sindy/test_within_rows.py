"""What happens between rows: inputs that are held, sampled from a smooth function, or a function of time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import sparsedyn
from sparsedyn import DataError, SINDy, SparsedynWarning

Field = Callable[[float, np.ndarray], Any]


def integrated(field: Field, x0: np.ndarray, t: np.ndarray) -> np.ndarray:
    found = solve_ivp(field, (t[0], t[-1]), x0, t_eval=t, method="DOP853", rtol=1e-11, atol=1e-12)
    return np.asarray(found.y).T


def held_linear(a: np.ndarray, b: np.ndarray, u: np.ndarray, dt: float) -> np.ndarray:
    """States of x' = A x + B u, exactly, the input of a row held until the next."""
    n, m = b.shape
    step = expm(np.block([[a, b], [np.zeros((m, n + m))]]) * dt)
    states = [np.ones(n)]
    for row in u[:-1]:
        states.append(step[:n, :n] @ states[-1] + step[:n, n:] @ row)
    return np.asarray(states)


OSCILLATOR = np.array([[0.0, 1.0], [-4.0, -0.8]]), np.array([[0.0], [3.0]])


@pytest.mark.parametrize("dt", [0.02, 1.0])
@pytest.mark.parametrize("every", [1, 12])
@pytest.mark.parametrize("weak", ["auto", False])
def test_held_inputs_leave_no_error(dt: float, every: int, weak: Any):
    u = np.repeat(np.random.default_rng(0).normal(size=(8 if every > 1 else 60, 1)), every, axis=0)
    x = held_linear(*OSCILLATOR, u, dt)
    fitted = SINDy(1, weak=weak).fit(x, dt, u)
    assert fitted.inputs_ == "held"
    np.testing.assert_allclose(fitted.coefficients_.T[:, 1:], np.hstack(OSCILLATOR), atol=1e-7)
    np.testing.assert_allclose(fitted.simulate(x[0], len(u), u), x, atol=1e-6)


@settings(max_examples=4, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 2), st.floats(0.02, 0.6))
def test_random_linear_plants_are_found(seed: int, states: int, inputs: int, dt: float):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(states, states))
    a -= (np.abs(np.linalg.eigvals(a).real).max() + 0.2) * np.eye(states)
    b = rng.normal(size=(states, inputs))
    u = rng.normal(size=(80, inputs))
    found = SINDy(1, 0.0).fit(held_linear(a, b, u, dt), dt, u).coefficients_
    np.testing.assert_allclose(found[1:].T, np.hstack([a, b]), atol=1e-6)
    np.testing.assert_allclose(found[0], 0.0, atol=1e-6)


@settings(max_examples=3, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.3))
def test_random_bilinear_plants_are_found(seed: int, dt: float):
    """x' = A x + (N x + b) u + c."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(2, 2)) - 2.5 * np.eye(2)
    n, b, c = 0.5 * rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2)
    u = rng.uniform(-1, 1, 100)
    states = [rng.normal(size=2)]
    for value in u[:-1]:
        drift, shift = a + n * value, b * value + c
        step = expm(np.block([[drift, shift[:, None]], [np.zeros((1, 3))]]) * dt)
        states.append(step[:2, :2] @ states[-1] + step[:2, 2])
    found = SINDy(2, 0.0).fit(np.asarray(states), dt, u, names=["x", "y"], input_names=["u"]).coefficients()
    truth = found * 0.0
    truth.loc["1"], truth.loc["u"] = c, b
    truth.loc["x"], truth.loc["y"] = a.T
    truth.loc["x u"], truth.loc["y u"] = n.T
    np.testing.assert_allclose(found, truth, atol=1e-6)


@pytest.mark.parametrize("rows", [6, 24])
def test_few_rows_a_period(rows: int):
    t = np.arange(0, 20, 1 / rows)
    fitted = SINDy(1, order=2, constant=False).fit(np.sin(2 * np.pi * t), t)
    np.testing.assert_allclose(fitted.coefficients_[:, 0], [-4 * np.pi**2, 0.0], rtol=1e-7)


def test_a_forced_oscillator_of_second_order():
    u = np.random.default_rng(1).normal(size=(80, 1))
    q = held_linear(*OSCILLATOR, u, 0.3)[:, :1]
    fitted = SINDy(1, order=2).fit(q, 0.3, u, names=["q"], input_names=["u"])
    assert sparsedyn.equations.text(fitted.equations()[1], 6) == "-4*q - 0.8*q_dot + 3*u"


def test_inputs_sampled_from_a_smooth_function():
    """x' = sin(2 t) - x: the data say that inputs are not held."""
    t = 0.1 * np.arange(100)
    x = integrated(lambda time, x: np.sin(2 * time) - x, np.ones(1), t)
    fitted = SINDy(1, 0.01).fit(x, t, np.sin(2 * t))
    assert fitted.inputs_ == "interpolated"
    np.testing.assert_allclose(fitted.coefficients_[:, 0], [0, -1, 1], atol=1e-4)
    np.testing.assert_allclose(fitted.simulate(x[0], t, np.sin(2 * t)), x, atol=1e-4)
    with pytest.warns(SparsedynWarning, match="inputs='interpolated' where inputs run smoothly"):
        assert SINDy(inputs="held").fit(x, t, np.sin(2 * t)).inputs_ == "held"


def test_time_on_the_right_hand_side_does_not_lag(tmp_path: Path):
    """m' = 2 exp(-0.7 t) - m / 4."""
    t = 0.5 * np.arange(40)
    m = integrated(lambda time, m: 2 * np.exp(-0.7 * time) - m / 4, np.ones(1), t)
    fitted = SINDy(1, 0.01).fit(m, t, np.exp(-0.7 * t), names=["m"], input_names=["e"])
    np.testing.assert_allclose(fitted.coefficients()["m"], [0, -0.25, 2], atol=1e-3)
    exact = SINDy(1).fit(m, t, np.exp(-0.7 * t), x_dot=2 * np.exp(-0.7 * t)[:, None] - m / 4)
    np.testing.assert_allclose(exact.simulate(m[0], t, lambda time: np.exp(-0.7 * time)), m, atol=1e-7)
    late = exact.simulate(m[10], t[10:], lambda time: [np.exp(-0.7 * time)])
    np.testing.assert_allclose(late, m[10:], atol=1e-7)
    fitted.save(tmp_path / "m.safetensors")
    assert sparsedyn.load(tmp_path / "m.safetensors").inputs_ == fitted.inputs_ == "interpolated"


@pytest.fixture(scope="module")
def driven() -> SINDy:
    u = np.random.default_rng(2).normal(size=(60, 2))
    x = held_linear(np.array([[-1.0]]), np.array([[1.0, 2.0]]), u, 0.1)
    return SINDy(1).fit(x, 0.1, u, names=["level"], input_names=["in", "out"])


def test_constants_and_dates(driven: SINDy):
    expected = driven.simulate([1.0], 30, np.tile([0.5, -0.2], (30, 1)))
    constants: list[Any] = [[0.5, -0.2], np.array([[0.5, -0.2]]), pd.Series({"out": -0.2, "in": 0.5})]
    for u in constants:
        np.testing.assert_allclose(driven.simulate([1.0], 30, u), expected)
    dates = pd.date_range("2026-03-01", periods=30, freq="100ms")
    table = pd.DataFrame({"out": -0.2, "in": np.linspace(0, 1, 30)}, index=dates)
    plain = driven.simulate([1.0], 30, table[["in", "out"]].to_numpy())
    for t, u in ((dates, table), (30, table), (table, None)):
        dated = driven.simulate([1.0], t, u)
        np.testing.assert_allclose(dated, plain, rtol=1e-6)
    np.testing.assert_array_equal(dated["time"], dates.to_numpy())
    with pytest.raises(DataError, match="u: expected the times t as its index"):
        driven.simulate([1.0], dates + pd.Timedelta("1h"), table)


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (np.zeros((2, 30)), r"u: expected \(time, input\), the shape \(30, 2\); got \(2, 30\). Transpose it"),
        (lambda t: [t], r"u\(t\): expected 2 values"),
        (np.zeros((29, 2)), "u: expected 30 rows"),
    ],
)
def test_other_inputs_are_refused(driven: SINDy, u: Any, message: str, as_users_run: None):
    with pytest.raises(DataError, match=message):
        driven.simulate([1.0], 30, u)

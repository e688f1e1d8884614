"""Maps: the next state instead of the derivative, by all that models of dynamics do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsedyn
from sparsedyn import DataError, SINDy, Trajectories


def logistic(r: float = 3.7, rows: int = 100) -> np.ndarray:
    x = [0.3]
    for _ in range(rows - 1):
        x.append(r * x[-1] * (1 - x[-1]))
    return np.asarray(x)


@pytest.mark.parametrize("threshold", [0.1, "auto"])
@pytest.mark.parametrize("r", [2.8, 3.7])
def test_the_logistic_map_is_found(r: float, threshold: Any, capsys: pytest.CaptureFixture[str]):
    x = logistic(r)
    fitted = SINDy(time="discrete", threshold=threshold).fit(x)
    np.testing.assert_allclose(fitted.coefficients()["x0"], [0, r, -r], atol=1e-9)
    np.testing.assert_allclose(fitted.predict(x[:-1]).to_numpy()[:, 0], x[1:])
    np.testing.assert_allclose(fitted.simulate([x[0]], 20)[:, 0], x[:20], rtol=1e-6)
    np.testing.assert_allclose(fitted.simulate([x[0]], [0, 3, 5])[:, 0], x[[0, 3, 5]], rtol=1e-6)
    assert fitted.score(x) == pytest.approx(1.0)
    fitted.print()
    assert capsys.readouterr().out == f"x0[k+1] = -{r}*x0[k]**2 + {r}*x0[k]\n"


def test_a_map_with_inputs_keeps_the_contract(tmp_path: Path):
    """Henon's map with an input."""
    rng = np.random.default_rng(0)
    runs, forces = [], []
    for _ in range(3):
        u, x = rng.uniform(-0.05, 0.05, (60, 1)), [np.zeros(2)]
        for k in range(59):
            a, b = x[-1]
            x.append(np.array([1 - 1.2 * a**2 + b + u[k, 0], 0.3 * a]))
        runs.append(np.asarray(x))
        forces.append(u)
    data = Trajectories(runs, forces, dt=0.5, state_names=["a", "b"], input_names=["u"])
    fitted = SINDy(time="discrete").fit(data[:2])
    assert [sparsedyn.equations.text(e, 6) for e in fitted.equations()] == ["-1.2*a**2 + b + u + 1", "0.3*a"]
    made = fitted.forecast(data[2:])
    np.testing.assert_allclose(made.predicted[0, 0], runs[2], atol=1e-5)
    assert fitted.evaluate(data[2:], horizons=[50])["diverged"].tolist() == [0]
    fitted.save(tmp_path / "map.safetensors")
    back = sparsedyn.load(tmp_path / "map.safetensors")
    assert isinstance(back, SINDy)
    back.set_params(time="continuous")
    np.testing.assert_array_equal(
        back.simulate([0, 0], 30, forces[0][:30]), fitted.simulate([0, 0], 30, forces[0][:30])
    )
    held = back.simulate([0, 0], 30, lambda t: forces[0][round(t / 0.5)])
    np.testing.assert_allclose(held, runs[0][:30], atol=1e-6)
    with pytest.raises(DataError, match="a whole number of sample times"):
        back.simulate([0, 0], [0.0, 0.3], forces[0][:2])
    assert np.isnan(fitted.simulate([30.0, 0.0], 30, 0.0)[-1]).all()


@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_random_linear_maps_are_found(seed: int, states: int):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(states, states))
    a *= 0.9 / np.abs(np.linalg.eigvals(a)).max()
    b, u, x = rng.normal(size=states), rng.normal(size=60), [rng.normal(size=states)]
    for value in u[:-1]:
        x.append(a @ x[-1] + b * value)
    found = SINDy(1, 0.0, time="discrete").fit(np.asarray(x), u=u).coefficients_
    np.testing.assert_allclose(found[1:].T, np.hstack([a, b[:, None]]), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "extra", "message"),
    [
        ({"order": 2}, {}, "order: expected the default along with time='discrete'"),
        ({"inputs": "interpolated"}, {}, "inputs: expected the default along with time='discrete'"),
        ({}, {"x_dot": logistic()}, "x_dot: expected none with time='discrete'"),
    ],
)
def test_what_maps_do_not_have(options: dict[str, Any], extra: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        SINDy(time="discrete", **options).fit(logistic(), 1.0, **extra)

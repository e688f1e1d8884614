"""Rolling forecasts against NumPy loops and exact solutions."""

from typing import Any

import equinox as eqx
import jax
import jaxtyping
import numpy as np
import pytest
from scipy.linalg import expm

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.forecast import Forecast, forecast, rollout
from sparsedyn.models import MLP

DT = 0.1
SCALING = Scaling(
    x_mean=np.array([10.0, -3.0]),
    x_std=np.array([2.0, 0.5]),
    u_mean=np.array([1.0]),
    u_std=np.array([4.0]),
    dx_mean=np.array([0.1, -0.2]),
    dx_std=np.array([3.0, 0.7]),
)


def stacked(members: int, hidden: tuple[int, ...], inputs: int = 1, size: float = 0.4, **options: Any) -> MLP:
    """An ensemble with weights from NumPy, as a fitted estimator holds it."""
    rng = np.random.default_rng(1)
    shapes = eqx.filter_eval_shape(MLP, 2, inputs, hidden, **options, key=jax.random.key(0))
    return jax.tree.map(lambda s: (size * rng.normal(size=(members, *s.shape))).astype(np.float32), shapes)


def field(models: MLP, member: int, x: np.ndarray, u: np.ndarray, scaling: Scaling) -> np.ndarray:
    """The learned derivative in the data's units, float64."""
    hidden = np.concatenate([(x - scaling.x_mean) / scaling.x_std, (u - scaling.u_mean) / scaling.u_std])
    for layer, (w, b) in enumerate(zip(models.weights, models.biases, strict=True)):
        hidden = hidden @ np.asarray(w, np.float64)[member] + np.asarray(b, np.float64)[member]
        hidden = np.tanh(hidden) if layer < len(models.weights) - 1 else hidden
    return hidden * scaling.dx_std + scaling.dx_mean


def by_hand(models: MLP, member: int, x0: np.ndarray, inputs: np.ndarray, method: str) -> np.ndarray:
    rows = [x0]
    for u in inputs[:-1]:
        x = rows[-1]
        f = lambda x, u=u: field(models, member, x, u, SCALING)  # noqa: E731
        if method == "euler":
            rows.append(x + DT * f(x))
        else:
            k1 = f(x)
            k2 = f(x + DT / 2 * k1)
            k3 = f(x + DT / 2 * k2)
            k4 = f(x + DT * k3)
            rows.append(x + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(rows)


@pytest.fixture(scope="module")
def problem() -> tuple[MLP, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x0 = SCALING.x_mean + SCALING.x_std * rng.normal(size=(3, 2))
    inputs = SCALING.u_mean + SCALING.u_std * rng.normal(size=(3, 25, 1))
    return stacked(4, (5,), activation="tanh"), x0, inputs


@pytest.mark.parametrize("method", ["euler", "rk4"])
@pytest.mark.devices
def test_against_a_numpy_loop(problem: Any, method: str):
    models, x0, inputs = problem
    got = rollout(models, x0, inputs, scaling=SCALING, dt=DT, method=method)
    assert got.shape == (4, 3, 25, 2)
    np.testing.assert_allclose(got[:, :, 0], np.broadcast_to(x0, (4, 3, 2)), atol=1e-5)
    for member in range(4):
        for trajectory in range(3):
            expected = by_hand(models, member, x0[trajectory], inputs[trajectory], method)
            np.testing.assert_allclose(got[member, trajectory], expected, atol=2e-4)


@pytest.mark.devices
def test_members_and_trajectories_do_not_know_of_each_other(problem: Any):
    # Four members lie on several devices, one alone on one.
    models, x0, inputs = problem
    together = rollout(models, x0, inputs, scaling=SCALING, dt=DT)
    for member in (0, 3):
        alone = jax.tree.map(lambda a, m=member: a[m : m + 1], models)
        one = rollout(alone, x0, inputs, scaling=SCALING, dt=DT)
        np.testing.assert_allclose(one[0], together[member], rtol=1e-6, atol=1e-5)
    some = rollout(models, x0[1:2], inputs[1:2], scaling=SCALING, dt=DT)
    np.testing.assert_allclose(some[:, 0], together[:, 1], rtol=1e-6, atol=1e-5)


def test_an_input_acts_from_its_row_to_the_next(problem: Any):
    models, x0, inputs = problem
    changed = inputs.copy()
    changed[:, 7] += 1.0
    base = rollout(models, x0, inputs, scaling=SCALING, dt=DT)
    other = rollout(models, x0, changed, scaling=SCALING, dt=DT)
    np.testing.assert_array_equal(base[:, :, :8], other[:, :, :8])
    assert np.all(np.abs(base[:, :, 8] - other[:, :, 8]) > 0)
    # The last input acts beyond the last row.
    changed = inputs.copy()
    changed[:, -1] += 1.0
    np.testing.assert_array_equal(base, rollout(models, x0, changed, scaling=SCALING, dt=DT))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_convergence_order(method: str, order: int):
    # dx/dt = A x + B u with u held: the exact solution is known.
    a = np.array([[-0.2, 1.0], [-1.0, -0.1]])
    b = np.array([[0.0], [0.5]])
    linear = stacked(1, ())
    weight = np.concatenate([a.T, b.T])[None].astype(np.float32)
    models = eqx.tree_at(lambda m: (m.weights[0], m.biases[0]), linear, (weight, np.zeros((1, 2), np.float32)))
    x0, u, end = np.array([1.0, -0.5]), 0.7, 4.0
    steady = np.linalg.solve(a, -b[:, 0] * u)
    exact = expm(a * end) @ (x0 - steady) + steady
    errors = []
    for rows in (8, 16):
        got = rollout(
            models, x0[None], np.full((1, rows + 1, 1), u), scaling=Scaling.identity(2, 1), dt=end / rows, method=method
        )
        errors.append(np.linalg.norm(got[0, 0, -1] - exact))
    assert errors[0] > 1e-4, "float32 must not hide the order"
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.45)


def test_scaling_away_from_zero_keeps_its_digits():
    # Temperatures near 1000 that change in the fourth digit: the step is taken in scaled states.
    scaling = Scaling(
        np.array([1e4, 1e4]), np.array([1e-2, 1e-2]), np.zeros(1), np.ones(1), np.zeros(2), np.array([1e-3, 1e-3])
    )
    models = stacked(1, ())
    models = eqx.tree_at(
        lambda m: (m.weights[0], m.biases[0]), models, (np.zeros((1, 3, 2), np.float32), np.ones((1, 2), np.float32))
    )
    got = rollout(models, np.full((1, 2), 1e4), np.zeros((1, 101, 1)), scaling=scaling, dt=0.1)
    np.testing.assert_allclose(got[0, 0, :, 0] - 1e4, 1e-4 * np.arange(101), atol=1e-7)


def test_a_blown_up_forecast_goes_on_and_leaves_the_others_alone():
    models = stacked(2, ())
    explosive = np.zeros((2, 3, 2), np.float32)
    explosive[1, 0, 0] = 1e4
    models = eqx.tree_at(lambda m: (m.weights[0], m.biases[0]), models, (explosive, np.zeros((2, 2), np.float32)))
    got = rollout(models, np.ones((1, 2)), np.zeros((1, 60, 1)), scaling=Scaling.identity(2, 1), dt=1.0)
    assert not np.isfinite(got[1, 0, -1, 0])
    np.testing.assert_array_equal(got[0, 0], np.ones((60, 2)))


def test_a_single_row_is_the_initial_state(problem: Any):
    models, x0, inputs = problem
    got = rollout(models, x0, inputs[:, :1], scaling=SCALING, dt=DT)
    np.testing.assert_allclose(got[:, :, 0], np.broadcast_to(x0, (4, 3, 2)), atol=1e-5)


def test_a_plant_without_inputs():
    models = stacked(2, (4,), inputs=0)
    scaling = Scaling.identity(2, 0)
    got = rollout(models, np.ones((1, 2)), np.zeros((1, 5, 0)), scaling=scaling, dt=DT)
    assert got.shape == (2, 1, 5, 2)
    assert np.isfinite(got).all()


def test_wrong_shapes_are_named(problem: Any, monkeypatch: pytest.MonkeyPatch):
    # Users run without jaxtyping's checks, which would come first.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    models, x0, inputs = problem
    with pytest.raises(DataError, match=r"rollout: .* as many trajectories; got \(2, 2\) and \(3, 25, 1\)"):
        rollout(models, x0[:2], inputs, scaling=SCALING, dt=DT)
    with pytest.raises(DataError, match=r"fitted on 2 states and 1 inputs; got 2 and 2"):
        rollout(models, x0, np.concatenate([inputs, inputs], axis=2), scaling=SCALING, dt=DT)
    with pytest.raises(ValueError, match=r"method: expected one of euler, rk4; got 'rk45'"):
        rollout(models, x0, inputs, scaling=SCALING, dt=DT, method="rk45")


# -- forecasts over trajectories ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uneven(problem: Any) -> tuple[MLP, Trajectories, Forecast]:
    models, x0, inputs = problem
    rng = np.random.default_rng(3)
    lengths = (25, 12, 18)
    states = [np.vstack([x, x + rng.normal(size=(n - 1, 2))]) for x, n in zip(x0, lengths, strict=True)]
    cut = [u[:n] for u, n in zip(inputs, lengths, strict=True)]
    names: dict[str, Any] = {"state_names": ["mass", "heat"], "state_units": ["kg", "K"], "labels": ["a", "b", "c"]}
    data = Trajectories(states, cut, dt=DT, **names)
    return models, data, forecast(models, data, scaling=SCALING)


def test_unequal_lengths(uneven: Any):
    models, data, made = uneven
    assert made.predicted.shape == (4, 3, 25, 2)
    for i, n in enumerate(data.lengths):
        alone = rollout(models, data.states[i][:1], data.inputs[i][None], scaling=SCALING, dt=DT)
        np.testing.assert_allclose(made.predicted[:, i, :n], alone[:, 0], rtol=1e-6, atol=1e-5)
        np.testing.assert_array_equal(made.truth[i, :n], data.states[i])
        assert np.isnan(made.truth[i, n:]).all()
        assert np.isnan(made.error[:, i, n:]).all()
        assert np.isfinite(made.error[:, i, :n]).all()
        error = np.abs(alone[:, 0] - data.states[i]) / SCALING.x_std
        np.testing.assert_allclose(made.error[:, i, :n], error, rtol=1e-4, atol=1e-5)
    assert made.error[:, :, 0].max() < 1e-5
    assert made.inputs.shape == (3, 25, 1)


def test_scores_leave_out_what_is_too_short(uneven: Any):
    _, _, made = uneven
    table = made.score([5, 12, 13, 18, 19, 25])
    np.testing.assert_array_equal(table["forecasts"], [12, 12, 8, 8, 4, 4])
    np.testing.assert_array_equal(table["horizon"], [5, 12, 13, 18, 19, 25])
    with pytest.raises(DataError, match=r"horizon: expected between 2 and 25 rows .* got 26"):
        made.score([26])


def test_names_and_axes_of_a_forecast(uneven: Any):
    _, data, made = uneven
    assert made.dt == DT
    assert (made.state_names, made.state_units, made.labels) == (("mass", "heat"), ("kg", "K"), ("a", "b", "c"))
    dataset = made.to_xarray()
    assert dataset["predicted"].dims == ("member", "trajectory", "time", "state")
    one = dataset.sel(trajectory="b", state="heat")
    np.testing.assert_array_equal(one["predicted"], made.predicted[:, 1, :, 1])
    np.testing.assert_array_equal(one["truth"][:12], data.states[1][:, 1])
    np.testing.assert_allclose(dataset["time"], np.arange(25) * DT)

"""The objective of free runs over windows."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.data import DataError, Scaling, Trajectories, samples
from sparsedyn.estimators.stepper._rollouts import rollout_matching
from sparsedyn.forecast import rollout
from sparsedyn.models import MLP
from sparsedyn.training import derivative_matching

KEY = jax.random.key(0)


def drawn(scale: float, **options: Any) -> MLP:
    """A network with weights from NumPy, since JAX compiles a draw per shape."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(lambda key: MLP(2, 1, **options, key=key), KEY)

    def draw(shape: jax.ShapeDtypeStruct) -> jax.Array:
        matrix = len(shape.shape) == 2
        return jnp.asarray(scale * matrix * np.sqrt(2 / shape.shape[0]) * rng.normal(size=shape.shape), jnp.float32)

    return jax.tree.map(draw, shapes)


MODEL = drawn(1.0, hidden=(8,), activation="tanh")


def walks(*lengths: int) -> Trajectories:
    rng = np.random.default_rng(3)
    states = [np.cumsum(rng.normal(size=(rows, 2)) * [1.0, 1e3] + [0.3, 0.0], axis=0) for rows in lengths]
    return Trajectories(states, [rng.normal(size=(rows, 1)) for rows in lengths], dt=0.5)


DATA = walks(9, 6, 3)
SCALING = Scaling.fit(samples(DATA))


def built(rows: int, method: str = "euler", **options: Any) -> Any:
    return rollout_matching(DATA, options.get("validation"), SCALING, rows=rows, method=method)


def test_one_euler_step_matches_derivatives():
    objective, starts, _ = built(1)
    matched = jax.jit(jax.value_and_grad(derivative_matching))(MODEL, SCALING.transform(samples(DATA)), KEY)
    found = eqx.filter_jit(eqx.filter_value_and_grad(objective))(MODEL, jnp.asarray(starts), KEY)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(matched), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_windows_are_the_free_runs_of_forecasts(method: str):
    objective, starts, _ = built(4, method)
    # 9 rows hold 5 windows of 4 steps, 6 rows hold 2, and 3 rows none.
    assert starts.tolist() == [0, 1, 2, 3, 4, 9, 10]
    places = [(0, start) for start in range(5)] + [(1, 0), (1, 1)]
    states = np.stack([DATA.states[i][a : a + 5] for i, a in places])
    inputs = np.stack([DATA.inputs[i][a : a + 5] for i, a in places])
    models = jax.tree.map(lambda leaf: leaf[None] if eqx.is_array(leaf) else leaf, MODEL)
    made = rollout(models, states[:, 0], inputs, scaling=SCALING, dt=DATA.dt, method=method)[0]
    unit = (states[:, 1:] - states[:, :1]).std(axis=(0, 1))
    expected = np.mean(np.square((made - states)[:, 1:] / unit))
    np.testing.assert_allclose(eqx.filter_jit(objective)(MODEL, jnp.asarray(starts), KEY), expected, rtol=1e-4)


def test_windows_of_validation_data_are_judged_by_the_scales_of_training():
    validation = walks(4, 7)
    objective, _, held_out = built(5, validation=validation)
    assert held_out is not None
    assert held_out.tolist() == [18 + 4, 18 + 5]
    kept = np.asarray(objective.states)[held_out] * SCALING.x_std + SCALING.x_mean
    np.testing.assert_allclose(kept, validation.states[1][:2], rtol=1e-5)
    np.testing.assert_array_equal(objective.unit, built(5)[0].unit)


def test_a_window_that_diverges_has_a_finite_error_and_gradient():
    objective, starts, _ = built(8, "rk4")
    wild = drawn(1e3, hidden=(8, 8))
    value, gradient = eqx.filter_jit(eqx.filter_value_and_grad(objective))(wild, jnp.asarray(starts), KEY)
    assert np.isfinite(value)
    assert value > 10
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_trajectories_shorter_than_a_window_are_refused():
    with pytest.raises(DataError, match=r"x: expected a trajectory of more than 9 rows .* the longest has 9"):
        built(9)

"""STR: the formula, and the gradient of the learnable threshold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import STR, Free

KEY = jax.random.key(0)
W = np.array([[-2.0, -0.5, -0.05], [0.05, 0.5, 2.0]])


def sigmoid(s: float) -> float:
    return 1 / (1 + np.exp(-s))


def test_formula_and_one_threshold_per_matrix():
    technique = STR(dense_start=False)
    free, memo = technique.init([jnp.asarray(W, jnp.float32), None, jnp.asarray(W.T, jnp.float32)], key=KEY)
    assert memo is None
    assert [s.shape for s in jax.tree.leaves(free.aux)] == [(), ()]
    assert all(float(s) == -2.0 for s in jax.tree.leaves(free.aux))
    first, hole, _ = technique.effective(free, memo)
    expected = np.sign(W) * np.maximum(np.abs(W) - sigmoid(-2.0), 0)
    np.testing.assert_allclose(first, expected, rtol=1e-6)
    assert hole is None
    np.testing.assert_array_equal(np.asarray(first) == 0, np.abs(W) <= sigmoid(-2.0))
    # The same with a key: STR has no noise.
    np.testing.assert_array_equal(first, technique.effective(free, memo, key=KEY)[0])


def test_thresholds_are_the_layers_own():
    technique = STR()
    free = Free([jnp.asarray(W), jnp.asarray(W)], [jnp.asarray(-3.0), jnp.asarray(1.0)])
    soft, hard = technique.effective(free, None)
    np.testing.assert_allclose(soft, np.sign(W) * np.maximum(np.abs(W) - sigmoid(-3), 0), rtol=1e-5)
    np.testing.assert_allclose(hard, np.sign(W) * np.maximum(np.abs(W) - sigmoid(1), 0), rtol=1e-5)


def test_gradient_of_the_threshold():
    technique = STR()
    task = np.array([[0.3, -0.7, 1.1], [0.2, 0.9, -0.4]])
    with jax.enable_x64(True):
        s = -2.0

        @jax.jit
        def total(s: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            def of(w: jax.Array, s: jax.Array) -> jax.Array:
                return jnp.sum(task * technique.effective(Free([w], [s]), None)[0])

            return jax.value_and_grad(of, (0, 1))(jnp.asarray(W), s)

        _, (to_w, to_s) = total(s)
        open_ = np.abs(W) > sigmoid(-2.0)
        # d/ds = -sigmoid'(s) * sum over open weights of sign(w) * dL/dw_effective; d/dw = dL/dw_effective there.
        slope = sigmoid(-2.0) * (1 - sigmoid(-2.0))
        assert float(to_s) == pytest.approx(-slope * np.sum(np.sign(W) * task * open_), rel=1e-12)
        np.testing.assert_allclose(to_w, task * open_, rtol=1e-12)
        step = 1e-6
        numeric = (float(total(s + step)[0]) - float(total(s - step)[0])) / (2 * step)
        assert float(to_s) == pytest.approx(numeric, rel=1e-6)


def test_a_closed_weight_may_come_back_but_never_by_itself():
    technique = STR(dense_start=False)
    weights = [jnp.asarray(W)]
    free, memo = technique.init(weights, key=KEY)
    assert np.all(technique.active(memo, weights)[0])
    assert technique.turns() == ()
    assert float(technique.penalty(free, memo, jnp.float32(0.1))) == 0.0
    lowered = Free(free.weights, [jnp.asarray(-6.0)])
    assert np.count_nonzero(technique.effective(free, memo)[0]) == 4
    assert np.count_nonzero(technique.effective(lowered, memo)[0]) == 6


def test_initial_threshold_can_differ_between_members():
    weights = [np.broadcast_to(W.astype(np.float32), (3, *W.shape))]
    starts = np.array([-4.0, -2.0, 0.0], np.float32)

    def one(start: jax.Array, w: list[jax.Array]) -> jax.Array:
        technique = STR(start, dense_start=False)
        free, memo = technique.init(w, key=KEY)
        return jnp.sum(technique.effective(free, memo)[0] == 0)

    np.testing.assert_array_equal(jax.jit(jax.vmap(one))(starts, weights), [0, 2, 4])


def test_training_may_start_from_the_weights_that_were_given():
    weights = [jnp.asarray(W, jnp.float32).at[0, 2].set(0.0)]
    technique = STR()
    free, memo = technique.init(weights, key=KEY)
    np.testing.assert_allclose(technique.effective(free, memo)[0], weights[0], atol=1e-7)
    # A weight that another technique has cut stays cut.
    assert free.weights[0][0, 2] == 0.0

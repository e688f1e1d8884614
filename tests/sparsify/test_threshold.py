"""Sequential thresholding: what is small goes for good, the rest trains on."""

import jax
import jax.numpy as jnp
import numpy as np

from sparsedyn.sparsify import SequentialThresholding

KEY = jax.random.key(0)
W = np.array([[0.05, -0.2, 0.1], [-0.09, 0.5, -0.1]], np.float32)


def test_weights_below_the_threshold_go_for_good():
    technique = SequentialThresholding(0.1, (0.3, 0.6))
    free, memo = technique.init([jnp.asarray(W)], key=KEY)
    idle = technique.revise(free, memo, free.weights, jnp.float32(0.5), key=KEY)
    assert np.all(idle.memo.mask[0])
    np.testing.assert_array_equal(idle.free.weights[0], W)

    first = technique.revise(free, memo, free.weights, jnp.float32(0.3), key=KEY)
    stays = np.abs(W) >= np.float32(0.1)
    np.testing.assert_array_equal(first.memo.mask[0], stays)
    np.testing.assert_array_equal(first.fresh[0], ~stays)
    np.testing.assert_array_equal(first.free.weights[0], np.where(stays, W, 0))

    # The rest is refitted: one shrinks below, one that was removed is pushed up in vain.
    refitted = first.free._replace(weights=[jnp.asarray([[9.0, -0.2, 0.02], [0.0, 0.5, -0.1]], jnp.float32)])
    second = technique.revise(refitted, first.memo, refitted.weights, jnp.float32(0.6), key=KEY)
    np.testing.assert_array_equal(second.memo.mask[0], [[False, True, False], [False, True, True]])
    np.testing.assert_array_equal(second.fresh[0], [[False, False, True], [False, False, False]])
    left = np.array([[0, -0.2, 0], [0, 0.5, -0.1]], np.float32)
    np.testing.assert_array_equal(technique.effective(refitted, second.memo)[0], left)
    np.testing.assert_array_equal(technique.active(second.memo, refitted.weights)[0], second.memo.mask[0])
    assert float(technique.penalty(refitted, second.memo, jnp.float32(0.6))) == 0.0


def test_no_threshold_removes_nothing():
    technique = SequentialThresholding(0.0, (0.3,))
    free, memo = technique.init([jnp.zeros((2, 2))], key=KEY)
    assert np.all(technique.revise(free, memo, free.weights, jnp.float32(0.3), key=KEY).memo.mask[0])

"""Support: what is zero at the start stays zero, the rest is free."""

import jax
import jax.numpy as jnp
import numpy as np

from sparsedyn.sparsify import Support

KEY = jax.random.key(0)
W = np.array([[0.5, 0.0, -1e-9], [0.0, 2.0, 3.0]], np.float32)


def test_zeros_stay_zero_whatever_the_optimizer_does():
    technique = Support()
    free, memo = technique.init([jnp.asarray(W)], key=KEY)
    np.testing.assert_array_equal(technique.effective(free, memo)[0], W)
    moved = free._replace(weights=[jnp.asarray(W) + 1.0])
    np.testing.assert_array_equal(technique.effective(moved, memo)[0], np.where(W != 0, W + 1.0, 0.0))
    slope = jax.grad(lambda w: jnp.sum(technique.effective(free._replace(weights=[w]), memo)[0]))(jnp.asarray(W))
    np.testing.assert_array_equal(slope, W != 0)
    np.testing.assert_array_equal(technique.active(memo, moved.weights)[0], W != 0)
    # A weight that training happens to bring to zero is not lost.
    assert technique.turns() == ()
    assert technique.active(memo, [jnp.zeros((2, 3))])[0].sum() == 4
    assert float(technique.penalty(free, memo, jnp.float32(0.5))) == 0.0

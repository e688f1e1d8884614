"""The model of sparse identification: a library times coefficients."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.data import Samples
from sparsedyn.models import Library, SINDyModel
from sparsedyn.sparsify import MagnitudePruning
from sparsedyn.training import fit, learning_rates

LIBRARY = Library(3, 2)
WEIGHTS = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)


def test_first_order():
    x, u = np.array([0.3, -2.0], np.float32), np.array([0.7], np.float32)
    expected = LIBRARY.evaluate(np.array([0.3, -2.0, 0.7])) @ WEIGHTS
    np.testing.assert_allclose(SINDyModel(WEIGHTS, LIBRARY)(jnp.asarray(x), jnp.asarray(u)), expected, rtol=1e-5)


def test_second_order_derives_positions_by_velocities():
    model = SINDyModel(WEIGHTS[:, :1], LIBRARY, order=2)
    x, u = jnp.array([0.3, -2.0]), jnp.array([0.7])
    found = model(x, u)
    assert found.shape == (2,)
    assert found[0] == x[1]
    np.testing.assert_allclose(found[1], (LIBRARY(jnp.concatenate([x, u])) @ WEIGHTS)[0], rtol=1e-5)
    with pytest.raises(ValueError, match="order"):
        SINDyModel(WEIGHTS, LIBRARY, order=3)


def test_coefficients_train_in_the_common_loop():
    """Magnitude pruning leaves the terms that there are: any technique takes this model as it takes networks."""
    rng = np.random.default_rng(1)
    x, u = rng.normal(size=(256, 2)), rng.normal(size=(256, 1))
    truth = np.zeros((10, 2))
    truth[[1, 5], 0], truth[[3, 9], 1] = (1.0, -0.5), (2.0, 0.7)
    samples = Samples(x, u, LIBRARY.evaluate(np.concatenate([x, u], axis=1)) @ truth)
    model = SINDyModel(np.zeros((1, 10, 2), np.float32), LIBRARY)
    (flag,) = jax.tree.leaves(eqx.filter(model.sparse_part(), lambda leaf: leaf is True))
    assert flag
    found = fit(
        model,
        samples,
        sparsifier=MagnitudePruning(0.8),
        rates=learning_rates("cosine", 0.05, 600),
        keys=jax.random.split(jax.random.key(0), 1),
        batch=64,
    ).last
    np.testing.assert_allclose(found.coefficients[0], truth, atol=5e-3)

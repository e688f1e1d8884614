"""The objective of coordinates and their equation: what it leaves out, and what compiled trainings of it share."""

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.models import Autoencoder, Jet, Library
from sparsedyn.sparsify import Chain
from sparsedyn.training import Fit, LatentDynamics, engine, fit

LIBRARY = Library(2, 1)
OBJECTIVE = LatentDynamics(sparsity=1e-3, spread=1e-3, bending=1e-2, importance=(0.5, 0.3, 0.2))


@pytest.fixture(scope="module")
def data() -> Jet:
    values = np.random.default_rng(0).normal(size=(2, 40, 3)).astype(np.float32)
    return Jet(values[0], values[1])


def autoencoder(key: Any) -> Autoencoder:
    return Autoencoder(3, LIBRARY, widths=(4,), coefficients=jnp.ones((LIBRARY.size, 2)), key=key)


def trained(data: Jet, objective: Any) -> Fit:
    keys = jax.random.split(jax.random.key(0), 2)
    models = eqx.filter_vmap(autoencoder)(keys)
    rates = np.full(6, 1e-2, np.float32)
    return fit(models, data, sparsifier=Chain(), rates=rates, keys=keys, batch=20, objective=objective)


def leaves(found: Fit) -> np.ndarray:
    return np.concatenate([np.ravel(a) for a in jax.tree.leaves(eqx.filter(found.last, eqx.is_array))])


@pytest.mark.slow
def test_objectives_that_differ_in_numbers_share_what_is_compiled(data: Jet):
    before = engine.advance._cache_size()
    first = leaves(trained(data, OBJECTIVE))
    compiled = engine.advance._cache_size()
    others = (
        {"derivative": 0.0, "latent": 0.0, "sparsity": 0.0},
        {"spread": 0.1, "decoder": 2.0, "importance": (0.2, 0.2, 0.6)},
    )
    for changed in others:
        assert not np.allclose(leaves(trained(data, replace(OBJECTIVE, **changed))), first)
    assert engine.advance._cache_size() == compiled
    # What is left out is not computed, which is another computation.
    trained(data, replace(OBJECTIVE, bending=0.0))
    assert engine.advance._cache_size() == compiled + (compiled - before)
    np.testing.assert_array_equal(leaves(trained(data, OBJECTIVE)), first)


@pytest.mark.slow
def test_numbers_that_are_told_give_the_slopes_of_ones_that_are_compiled(data: Jet):
    model = autoencoder(jax.random.key(0))
    numbers, rest = eqx.partition(OBJECTIVE, eqx.is_inexact_array_like)

    @eqx.filter_jit
    def slopes(model: Autoencoder, objective: Any) -> tuple[Any, Any]:
        return eqx.filter_value_and_grad(lambda model: objective(model, data, jax.random.key(1)))(model)

    told = slopes(model, eqx.combine(jax.tree.map(lambda number: jnp.asarray(number, jnp.float32), numbers), rest))
    for found, expected in zip(jax.tree.leaves(told), jax.tree.leaves(slopes(model, OBJECTIVE)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.slow
def test_models_are_shown_at_validations_and_what_is_raised_ends_training(data: Jet):
    seen: list[tuple[int, Autoencoder]] = []
    keys = jax.random.split(jax.random.key(0), 1)
    models = eqx.filter_vmap(autoencoder)(keys)
    arguments = {"sparsifier": Chain(), "rates": np.full(6, 1e-2, np.float32), "keys": keys, "batch": 20}

    def look(progress: Any, read: Any) -> None:
        seen.append((progress.step, read()))

    found = fit(models, data, objective=OBJECTIVE, on_models=look, **arguments)
    assert [step for step, _ in seen] == [2, 4, 6]
    np.testing.assert_array_equal(seen[-1][1].coefficients, found.last.coefficients)
    assert not np.array_equal(seen[0][1].encoder.weights[0], seen[1][1].encoder.weights[0])

    def stop(progress: Any, read: Any) -> None:
        raise InterruptedError(progress.step)

    with pytest.raises(InterruptedError, match="2"):
        fit(models, data, objective=OBJECTIVE, on_models=stop, **arguments)

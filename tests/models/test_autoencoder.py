"""Derivatives through encoders and decoders: forward mode against finite differences and float64 references."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedyn.models import ACTIVATIONS, Autoencoder, Chart, Jet, Library, pushforward

SMOOTH = sorted(set(ACTIVATIONS) - {"relu"})


def chart(widths: tuple[int, ...], activation: str, seed: int, linear: bool = True) -> Chart:
    key = jax.random.key(seed)
    plane = jax.random.normal(jax.random.fold_in(key, 9), (4, 3)) if linear else None
    return Chart((4, *widths, 3), linear=plane, activation=activation, key=key)


def wide(module: eqx.Module) -> eqx.Module:
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float64) if eqx.is_inexact_array(a) else a, module)


# A few shapes, each compiled once.
widths = st.sampled_from([(), (1,), (24, 5), (3, 8, 2)])


@settings(max_examples=8, deadline=None)
@given(widths, st.sampled_from(SMOOTH), st.integers(0, 5), st.booleans())
def test_first_and_second_derivatives_are_those_of_a_moving_point(widths, activation, seed, linear):
    rng = np.random.default_rng(seed)
    c0, c1, c2 = rng.normal(size=(3, 4))
    with jax.enable_x64(True):
        made = wide(chart(widths, activation, seed, linear))

        def along(t: float) -> np.ndarray:
            return np.asarray(made(jnp.asarray(c0 + c1 * t + c2 * t**2)))

        moved = pushforward(made, Jet(jnp.asarray(c0), jnp.asarray(c1), jnp.asarray(2 * c2)))
        h = 1e-4
        first = (along(h) - along(-h)) / (2 * h)
        second = (along(h) - 2 * along(0) + along(-h)) / h**2
        np.testing.assert_allclose(moved.value, along(0), rtol=1e-12)
        np.testing.assert_allclose(moved.first, first, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(moved.second, second, rtol=1e-4, atol=1e-5)


@settings(max_examples=6, deadline=None)
@given(widths, st.sampled_from(sorted(ACTIVATIONS)), st.integers(0, 5), st.sampled_from([1, 2]))
@pytest.mark.slow
def test_float32_derivatives_agree_with_float64(widths, activation, seed, order):
    rng = np.random.default_rng(seed)
    points = [rng.normal(size=(8, 4)) for _ in range(order + 1)]
    made = chart(widths, activation, seed)
    narrow = pushforward(made, Jet(*(jnp.asarray(p, jnp.float32) for p in points)))
    with jax.enable_x64(True):
        reference = pushforward(wide(made), Jet(*(jnp.asarray(p.astype(np.float32), jnp.float64) for p in points)))
        exact = [np.asarray(part) for part in reference if part is not None]
    found = [np.asarray(part) for part in narrow if part is not None]
    assert len(found) == len(exact) == order + 1
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


def test_batches_are_carried_like_single_points():
    made, rng = chart((7,), "tanh", 0), np.random.default_rng(1)
    value, first, second = (jnp.asarray(a, jnp.float32) for a in rng.normal(size=(3, 5, 4)))
    together = pushforward(made, Jet(value, first, second))
    alone = [pushforward(made, Jet(*parts)) for parts in zip(value, first, second, strict=True)]
    for i, part in enumerate(together):
        np.testing.assert_allclose(part, np.stack([one[i] for one in alone]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_as_a_model_it_is_the_latent_equation(order):
    library = Library(2 * order, 2)
    coefficients = jnp.asarray(np.random.default_rng(0).normal(size=(library.size, 2)), jnp.float32)
    model = Autoencoder(6, library, order=order, coefficients=coefficients, key=jax.random.key(0))
    state = jnp.arange(2.0 * order) + 0.5
    highest = library(state) @ coefficients
    expected = highest if order == 1 else jnp.concatenate([state[2:], highest])
    np.testing.assert_allclose(model(state, jnp.zeros(0)), expected, rtol=1e-6)
    assert [leaf.shape for leaf in jax.tree.leaves(eqx.filter(model, model.sparse_part()))] == [coefficients.shape]


def test_with_linear_parts_a_new_autoencoder_is_near_a_projection():
    library = Library(2, 1)
    model = Autoencoder(5, library, coefficients=jnp.ones((library.size, 2)), key=jax.random.key(3))
    plane = np.asarray(model.encoder.linear)
    np.testing.assert_allclose(plane.T @ plane, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(model.decoder.linear, plane.T, atol=1e-6)

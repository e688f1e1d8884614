"""Derivatives through encoders and decoders: forward mode against finite differences and float64 references."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedyn.models import ACTIVATIONS, Autoencoder, Chart, Jet, Library, pushforward


def chart(widths: tuple[int, ...], activation: str, seed: int, linear: bool = True) -> Chart:
    """A chart with weights from NumPy, since JAX compiles a draw per shape."""
    rng, plane = np.random.default_rng(seed), jnp.zeros((4, 3)) if linear else None
    make = eqx.filter_eval_shape(
        lambda key: Chart((4, *widths, 3), linear=plane, activation=activation, key=key), jax.random.key(0)
    )
    return jax.tree.map(lambda s: jnp.asarray(rng.normal(size=s.shape) / np.sqrt(s.shape[0]), jnp.float32), make)


def wide(module: eqx.Module) -> eqx.Module:
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float64) if eqx.is_inexact_array(a) else a, module)


# A few shapes, each compiled once.
WIDTHS = [(), (1,), (24, 5), (3, 8, 2)]
widths = st.sampled_from(WIDTHS)
push = eqx.filter_jit(pushforward)


@pytest.mark.parametrize(
    ("widths", "activation", "linear"),
    [((), "tanh", True), *zip(WIDTHS[1:], ("tanh", "gelu", "softplus"), (False, True, True), strict=True)],
)
def test_first_and_second_derivatives_are_those_of_a_moving_point(widths, activation, linear):
    c0, c1, c2 = np.random.default_rng(0).normal(size=(3, 4))
    h = 1e-4
    with jax.enable_x64(True):
        made = wide(chart(widths, activation, 0, linear))
        times = np.array([-h, 0.0, h])[:, None]
        before, now, after = np.asarray(
            eqx.filter_jit(eqx.filter_vmap(made))(jnp.asarray(c0 + c1 * times + c2 * times**2))
        )
        moved = push(made, Jet(jnp.asarray(c0), jnp.asarray(c1), jnp.asarray(2 * c2)))
    np.testing.assert_allclose(moved.value, now, rtol=1e-12)
    np.testing.assert_allclose(moved.first, (after - before) / (2 * h), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moved.second, (after - 2 * now + before) / h**2, rtol=1e-4, atol=1e-5)


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
    together = push(made, Jet(value, first, second))
    alone = [push(made, Jet(*parts)) for parts in zip(value, first, second, strict=True)]
    for i, part in enumerate(together):
        np.testing.assert_allclose(part, np.stack([one[i] for one in alone]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_as_a_model_it_is_the_latent_equation(order):
    library = Library(2 * order, 2)
    coefficients = np.random.default_rng(0).normal(size=(library.size, 2)).astype(np.float32)
    # The equation needs no coordinates, so none are drawn.
    shapes = eqx.filter_eval_shape(
        lambda key: Autoencoder(6, library, order=order, coefficients=jnp.asarray(coefficients), key=key),
        jax.random.key(0),
    )
    model = eqx.tree_at(lambda model: model.coefficients, shapes, jnp.asarray(coefficients))
    state = np.arange(2.0 * order) + 0.5
    highest = library.evaluate(state) @ coefficients
    expected = highest if order == 1 else np.concatenate([state[2:], highest])
    found = eqx.filter_jit(lambda weights, state: eqx.combine(weights, model)(state, jnp.zeros(0)))(
        eqx.filter(model, eqx.is_array), state.astype(np.float32)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert [leaf.shape for leaf in jax.tree.leaves(eqx.filter(shapes, shapes.sparse_part()))] == [coefficients.shape]


def test_with_linear_parts_a_new_autoencoder_is_near_a_projection():
    library = Library(2, 1)
    model = Autoencoder(5, library, coefficients=jnp.ones((library.size, 2)), key=jax.random.key(3))
    plane = np.asarray(model.encoder.linear)
    np.testing.assert_allclose(plane.T @ plane, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(model.decoder.linear, plane.T, atol=1e-6)

"""The multilayer perceptron against a NumPy re-derivation: shapes, initialization, skips, activations."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from sparsedyn.models import ACTIVATIONS, MLP

KEY = jax.random.key(0)

# Re-derived, not imported: what the field means by these names.
REFERENCE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "silu": lambda a: a / (1 + np.exp(-a)),
    # The tanh approximation of Hendrycks & Gimpel is within 1e-3 of the exact one.
    "gelu": lambda a: 0.5 * a * (1 + erf(a / np.sqrt(2))),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "identity": lambda a: a,
}


def by_hand(model: MLP, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The network in float64 NumPy, with the skips written out as sums of two products."""
    features = np.concatenate([x, u])
    hidden = features
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
        w = np.asarray(weight, np.float64)
        if model.skip and layer > 0:
            out = hidden @ w[: len(hidden)] + features @ w[len(hidden) :]
        else:
            out = hidden @ w
        if bias is not None:
            out = out + np.asarray(bias, np.float64)
        hidden = REFERENCE[model.activation](out) if layer < len(model.weights) - 1 else out
    return hidden


def drawn(states: int, inputs: int, hidden: tuple[int, ...], **options: Any) -> MLP:
    """A network with random weights and biases; NumPy draws them, since JAX compiles a draw per shape."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(MLP, states, inputs, hidden, **options, key=KEY)
    return jax.tree.map(lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32), shapes)


@pytest.mark.parametrize(
    ("hidden", "skip", "shapes"),
    [
        ((25, 25, 25), False, [(13, 25), (25, 25), (25, 25), (25, 8)]),
        ((64, 32), False, [(13, 64), (64, 32), (32, 8)]),
        ((48, 48), True, [(13, 48), (61, 48), (61, 8)]),
        ((5,), False, [(13, 5), (5, 8)]),
        ((5,), True, [(13, 5), (18, 8)]),
        ((), False, [(13, 8)]),
        ((), True, [(13, 8)]),
    ],
)
def test_shapes(hidden: tuple[int, ...], skip: bool, shapes: list[tuple[int, int]]):
    model = eqx.filter_eval_shape(MLP, 8, 5, hidden, skip=skip, key=KEY)
    assert [w.shape for w in model.weights] == shapes
    assert [b.shape for b in model.biases if b is not None] == [(o,) for _, o in shapes]


def test_biases_start_at_zero_and_can_be_left_out():
    assert all(b is not None and not np.any(b) for b in MLP(8, 8, (16, 16), key=KEY).biases)
    model = drawn(8, 5, (9,), bias=False)
    assert model.biases == (None, None)
    # Without biases and with ReLU the network is positively homogeneous.
    x, u = jnp.arange(8.0) - 3, jnp.arange(5.0) - 2
    np.testing.assert_allclose(model(3 * x, 3 * u), 3 * model(x, u), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("skip", [False, True])
def test_he_variance(skip: bool):
    model = MLP(100, 100, (200, 200), skip=skip, key=KEY)
    for weight in model.weights:
        fan_in = weight.shape[0]
        # Standard errors of mean and variance of n normal draws, five of them.
        n, sigma2 = weight.size, 2 / fan_in
        weight = np.asarray(weight)
        assert abs(weight.mean()) < 5 * np.sqrt(sigma2 / n)
        assert abs(weight.var() - sigma2) < 5 * sigma2 * np.sqrt(2 / n)
        assert np.abs(weight).max() > 3.5 * np.sqrt(sigma2), "normal, not uniform"


def test_layers_and_members_are_drawn_independently():
    model = MLP(8, 8, (16, 16), key=KEY)
    first, second, _ = model.weights
    assert abs(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]) < 0.3
    assert not np.array_equal(first, second)
    other = MLP(8, 8, (16, 16), key=jax.random.key(1))
    assert not np.array_equal(first, other.weights[0])
    same = MLP(8, 8, (16, 16), key=KEY)
    assert all(np.array_equal(a, b) for a, b in zip(model.weights, same.weights, strict=True))


@pytest.mark.parametrize(
    ("hidden", "bias", "skip"),
    [((), True, True), ((7,), False, True), ((6, 5, 4), True, True), ((6, 5, 4), True, False)],
)
def test_against_numpy(hidden: tuple[int, ...], bias: bool, skip: bool):
    model = drawn(3, 2, hidden, skip=skip, bias=bias)
    x, u = np.array([0.3, -1.2, 2.0]), np.array([0.7, -0.1])
    got = model(jnp.asarray(x, jnp.float32), jnp.asarray(u, jnp.float32))
    assert got.shape == (3,)
    np.testing.assert_allclose(got, by_hand(model, x, u), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activations(name: str):
    model = drawn(3, 0, (16,), activation=name)
    x = np.array([0.5, -0.4, 0.8])
    expected = by_hand(model, x, np.zeros(0))
    tolerance = 5e-3 if name == "gelu" else 1e-5
    np.testing.assert_allclose(model(jnp.asarray(x, jnp.float32), jnp.zeros(0)), expected, rtol=1e-4, atol=tolerance)


def test_a_skip_makes_a_linear_balance_a_single_weight():
    model = drawn(2, 1, (4, 4), skip=True, bias=False)
    zeros = [np.zeros_like(w) for w in model.weights]
    # The rows of the last matrix: four hidden, then x1, x2, u1.
    zeros[-1][4 + 2, 1] = 2.5
    model = eqx.tree_at(lambda m: m.weights, model, tuple(zeros))
    np.testing.assert_array_equal(model(jnp.array([3.0, 4.0]), jnp.array([2.0])), [0.0, 5.0])


def test_an_unknown_activation_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"activation: expected one of relu, .*got 'rely'"):
        MLP(2, 1, (4,), activation="rely", key=KEY)


@pytest.mark.parametrize("hidden", [(4, 0), (-1,)])
def test_an_empty_layer_is_an_error(hidden: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"hidden: expected widths of at least 1"):
        MLP(2, 1, hidden, key=KEY)


def test_the_variance_may_follow_the_fan_out():
    model = MLP(100, 100, (400,), fan="out", key=jax.random.key(0))
    np.testing.assert_allclose(np.var(model.weights[0]), 2 / 400, rtol=0.05)

"""Structure against brute force: perturb a feature, watch the output."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.equations import count_nonzeros, prune_structure, reach, sparsity
from sparsedyn.models import MLP

MEMBERS = 6


def sparse(hidden: tuple[int, ...], keep: float, skip: bool, seed: int) -> MLP:
    """Positive sparse weights: with them and an increasing activation no two paths cancel."""
    rng = np.random.default_rng(seed)
    shapes = eqx.filter_eval_shape(MLP, 3, 2, hidden, skip=skip, activation="softplus", key=jax.random.key(0))

    def draw(s: Any) -> np.ndarray:
        values = rng.uniform(0.2, 1.0, (MEMBERS, *s.shape))
        return (values * (rng.random(values.shape) < keep)).astype(np.float32)

    return jax.tree.map(draw, shapes)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("hidden", [(), (6,), (5, 4, 6)])
def test_reach_against_brute_force(hidden: tuple[int, ...], skip: bool):
    models = sparse(hidden, 0.3, skip, seed=len(hidden))
    got = reach(models)
    assert got.shape == (MEMBERS, 3, 5)
    base = np.linspace(-0.5, 0.5, 5)
    points = np.stack([base, *(base + 2.0 * np.eye(5)[j] for j in range(5))]).astype(np.float32)
    evaluate = jax.jit(jax.vmap(lambda model: jax.vmap(lambda p: model(p[:3], p[3:]))(jnp.asarray(points))))
    outputs = np.asarray(evaluate(jax.tree.map(jnp.asarray, models)), np.float64)
    moved = np.abs(outputs[:, 1:] - outputs[:, :1]) > 1e-6
    np.testing.assert_array_equal(got, np.swapaxes(moved, 1, 2))
    assert got.any()
    assert not got.all()


def test_signs_do_not_matter_and_nothing_overflows():
    # Two paths that cancel: still a path. Many wide layers: path counts must not wrap round to zero.
    models = sparse((64,) * 12, 1.1, False, seed=0)
    assert reach(models).all()
    mixed = jax.tree.map(lambda w: w * (-1) ** np.arange(w.shape[-1]), models)
    assert reach(mixed).all()


def test_a_zero_network_reaches_nothing_and_a_skip_goes_straight_through():
    models = jax.tree.map(np.zeros_like, sparse((4, 4), 1.1, True, seed=0))
    assert not reach(models).any()
    # Last matrix: rows are four hidden units, three states, two inputs.
    models.weights[-1][2, 4 + 3 + 1, 0] = 1e-30
    expected = np.zeros((MEMBERS, 3, 5), bool)
    expected[2, 0, 4] = True
    np.testing.assert_array_equal(reach(models), expected)


def test_sparsity_three_ways():
    weights = (
        np.array([[[0.0, 1.0], [5e-4, -2.0]], [[0.0, 0.0], [0.0, 1e-3]]], np.float32),
        np.array([[[0.0], [-1e-3]], [[3.0], [-0.002]]], np.float32),
    )
    masks = (
        np.array([[[False, True], [True, True]], [[False, False], [True, True]]]),
        np.array([[[True], [True]], [[True], [True]]]),
    )
    model = eqx.filter_eval_shape(MLP, 2, 0, (2,), bias=False, key=jax.random.key(0))
    active = eqx.tree_at(lambda m: m.weights, model, masks)
    models = eqx.tree_at(lambda m: m.weights, model, weights)
    found = sparsity(models, active)
    np.testing.assert_allclose(found["exact"], [2 / 6, 3 / 6])
    np.testing.assert_allclose(found["mask"], [1 / 6, 2 / 6])
    np.testing.assert_allclose(found["small"], [4 / 6, 4 / 6])
    np.testing.assert_allclose(sparsity(models, active, small=1.0)["small"], [5 / 6, 5 / 6])
    np.testing.assert_array_equal(count_nonzeros(models), [4, 3])


@pytest.mark.parametrize(("activation", "skip", "bias"), [("tanh", False, True), ("sigmoid", True, False)])
def test_the_smaller_dense_network_computes_the_same(activation: str, skip: bool, bias: bool):
    network = MLP(2, 1, (6, 5, 4), activation=activation, skip=skip, bias=bias, key=jax.random.key(0))
    rng = np.random.default_rng(0)
    network = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), network)
    first, second, third, last = network.weights
    # Nothing reaches the first unit, the second reaches nothing, the only unit above it does not count either.
    first[:, 0] = 0
    second[1] = 0
    second[:, 2] = 0
    second[1, 2] = 1
    third[2] = 0
    last[3] = 0
    smaller = prune_structure(network)
    assert [w.shape[1] for w in smaller.weights] == [4, 4, 3, 2]
    for point in jnp.asarray(rng.normal(size=(10, 3)), jnp.float32):
        expected = network(point[:2], point[2:])
        np.testing.assert_allclose(smaller(point[:2], point[2:]), expected, rtol=1e-5, atol=1e-5)


def test_a_layer_that_counts_for_nothing_keeps_one_unit():
    network = MLP(2, 0, (3, 3), key=jax.random.key(0))
    smaller = prune_structure(jax.tree.map(np.zeros_like, network))
    assert [w.shape for w in smaller.weights] == [(2, 1), (1, 1), (1, 2)]

"""How strongly outputs depend on features: against known functions and a second computation in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.data import Scaling, Trajectories, samples
from sparsedyn.equations import (
    against_truth,
    depends,
    jaccard,
    kappa,
    local_effect,
    mean_jaccard,
    mean_kappa,
    pooled,
    reach,
    sensitivity,
    standardized,
    strength,
    total_effect,
)
from sparsedyn.models import MLP

MEMBERS = 3


def networks(hidden: tuple[int, ...], skip: bool = False, activation: str = "tanh") -> MLP:
    """Networks with weights from NumPy, of the variance that they begin with, and without biases of any size."""
    rng = np.random.default_rng(1)
    shapes = eqx.filter_eval_shape(MLP, 3, 2, hidden, skip=skip, activation=activation, key=jax.random.key(0))

    def draw(shape: jax.ShapeDtypeStruct) -> np.ndarray:
        deviation = np.sqrt(2 / shape.shape[0]) if len(shape.shape) == 2 else 0.0
        return (deviation * rng.normal(size=(MEMBERS, *shape.shape))).astype(np.float32)

    return jax.tree.map(draw, shapes)


def points(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardized samples, columns exactly of mean 0 and standard deviation 1."""
    z = np.random.default_rng(seed).normal(size=(count, 5))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    return z[:, :3], z[:, 3:]


def test_the_strength_of_a_linear_map_is_slope_times_standard_deviation():
    models = networks(())
    slopes = np.abs(np.swapaxes(models.weights[0], 1, 2))
    x, u = points(2000)
    np.testing.assert_allclose(strength(models, x, u), slopes, rtol=0.03)
    np.testing.assert_allclose(strength(models, 3.0 * x, u)[..., :3], 3.0 * slopes[..., :3], rtol=0.03)
    np.testing.assert_allclose(sensitivity(models, x, u), slopes, rtol=1e-5)


@pytest.mark.parametrize("skip", [False, True])
def test_strength_and_sensitivity_against_numpy(skip: bool):
    models = networks((6, 5), skip)
    x, u = points(400)
    z = np.concatenate([x, u], axis=1)

    def evaluate(member: int, z: np.ndarray) -> np.ndarray:
        hidden = z
        for layer, (weight, bias) in enumerate(zip(models.weights, models.biases, strict=True)):
            assert bias is not None
            joined = np.concatenate([hidden, z], axis=1) if skip and layer else hidden
            hidden = joined @ weight[member] + bias[member]
            hidden = np.tanh(hidden) if layer < 2 else hidden
        return hidden

    moved, slope = np.empty((MEMBERS, 3, 5)), np.empty((MEMBERS, 3, 5))
    rng = np.random.default_rng(9)
    for member in range(MEMBERS):
        for j in range(5):
            changes = []
            for _ in range(40):
                other = z.copy()
                other[:, j] = rng.permutation(z[:, j])
                changes.append(evaluate(member, other) - evaluate(member, z))
            moved[member, :, j] = np.sqrt(np.mean(np.square(changes), axis=(0, 1)) / 2)
            step = 1e-5 * np.eye(5)[j]
            difference = (evaluate(member, z + step) - evaluate(member, z - step)) / 2e-5
            slope[member, :, j] = np.sqrt(np.mean(np.square(difference), axis=0))
    # Other exchanges, so the same up to chance.
    np.testing.assert_allclose(strength(models, x, u), moved, rtol=0.12)
    np.testing.assert_allclose(sensitivity(models, x, u), slope, rtol=1e-3)


def test_no_path_is_no_strength_at_all():
    models = networks((6, 5))
    models = jax.tree.map(lambda w: w * (np.random.default_rng(w.size).random(w.shape) < 0.25), models)
    x, u = points(400)
    paths = reach(models)
    assert paths.any()
    assert not paths.all()
    for measure in (strength, sensitivity):
        assert not measure(models, x, u)[~paths].any()


def test_an_input_that_rests_most_of_the_time_is_seen_by_exchanges_only():
    # Flat at rest (0) and at the pulses (1), a step in between.
    def step(x: jax.Array, u: jax.Array) -> jax.Array:
        return jax.nn.relu(10 * (u - 0.45)) - jax.nn.relu(10 * (u - 0.55))

    u = np.zeros((1000, 1))
    u[::20] = 1.0
    found = total_effect(step, np.zeros((1000, 0)), u)
    np.testing.assert_allclose(found, [[u.std()]], rtol=0.1)
    assert not local_effect(step, np.zeros((1000, 0)), u).any()


def test_the_square_of_the_strength_is_a_share_of_variance():
    # Ishigami's function, of which the total effects are known.
    def ishigami(x: jax.Array, u: jax.Array) -> jax.Array:
        a, b = x
        return jnp.stack([jnp.sin(a) + 7 * jnp.sin(b) ** 2 + 0.1 * u[0] ** 4 * jnp.sin(a)])

    z = np.random.default_rng(0).uniform(-np.pi, np.pi, (2000, 3))
    values = np.asarray(jax.jit(jax.vmap(ishigami))(z[:, :2], z[:, 2:]))
    share = total_effect(ishigami, z[:, :2], z[:, 2:]) ** 2 / values.var()
    np.testing.assert_allclose(share, [[0.5574, 0.4424, 0.2436]], atol=0.04)


def test_many_samples_are_thinned_and_the_number_of_members_does_not_matter():
    models = networks(())
    x, u = points(5000)
    found = strength(models, x, u)
    rows = np.linspace(0, 4999, 2000).round().astype(int)
    np.testing.assert_array_equal(found, strength(models, x[rows], u[rows]))
    np.testing.assert_array_equal(found, strength(models, x, u))
    alone = strength(jax.tree.map(lambda w: w[1:2], models), x, u)
    np.testing.assert_allclose(alone[0], found[1], rtol=1e-6)


def test_a_broken_network_is_nan_and_depends_on_nothing():
    models = networks((6, 5))
    models.weights[0][1] = np.nan
    for measure in (strength, sensitivity):
        found = measure(models, *points(400))
        assert np.isnan(found[1]).all()
        assert np.isfinite(found[[0, 2]]).all()
        assert not depends(found)[1].any()


def test_points_without_a_value_are_left_out():
    def root(x: jax.Array, u: jax.Array) -> jax.Array:
        return jnp.where(x < 0, jnp.nan, x)

    x = np.random.default_rng(0).normal(size=(2000, 1))
    found = total_effect(root, x, np.zeros((2000, 0)))
    np.testing.assert_allclose(found, [[x[x >= 0].std()]], rtol=0.1)


def test_samples_of_trajectories():
    rng = np.random.default_rng(0)
    data = Trajectories([rng.normal(size=(n, 2)) for n in (30, 20)], [rng.normal(size=(n, 1)) for n in (30, 20)], dt=1)
    x, u = pooled(data)
    np.testing.assert_array_equal(x, np.concatenate(data.states))
    assert u.shape == (50, 1)
    scaling = Scaling.fit(samples(data))
    np.testing.assert_allclose(standardized(data, scaling)[1], (u - scaling.u_mean) / scaling.u_std)


def test_likeness_by_hand():
    maps = np.zeros((4, 2, 3), bool)
    maps[0, 0, :2] = maps[1, 0, 1:] = True
    maps[2] = True
    expected = [[1, 1 / 3, 2 / 6, 0], [1 / 3, 1, 2 / 6, 0], [2 / 6, 2 / 6, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(jaccard(maps), expected)
    whole, by_output = mean_jaccard(maps[:2])
    assert whole == pytest.approx(1 / 3)
    # Neither has anything in the second row.
    np.testing.assert_allclose(by_output, [1 / 3, 1.0])
    # Two of six each: observed 4/6, by chance 1/9 + 4/9.
    assert kappa(maps)[0, 1] == pytest.approx((4 / 6 - 5 / 9) / (4 / 9))
    assert np.isnan(kappa(maps)[2, 2])
    assert mean_kappa(maps[:2]) == kappa(maps)[0, 1]


def test_one_member_agrees_with_nobody_and_full_maps_agree_for_nothing():
    one = np.ones((1, 2, 3), bool)
    whole, by_output = mean_jaccard(one)
    assert np.isnan([whole, *by_output, mean_kappa(one)]).all()
    full = np.ones((5, 2, 3), bool)
    assert mean_jaccard(full).overall == 1.0
    assert np.isnan(mean_kappa(full))
    chance = np.random.default_rng(0).random((20, 20, 20)) < 0.9
    assert mean_jaccard(chance).overall > 0.8
    assert mean_kappa(chance) == pytest.approx(0.0, abs=0.02)


def test_against_the_truth_by_hand():
    truth = np.array([[True, True, False], [False, False, True]])
    maps = np.stack([truth, np.ones_like(truth), np.zeros_like(truth), ~truth])
    precision, recall, index = against_truth(maps, truth)
    np.testing.assert_allclose(precision, [1.0, 0.5, np.nan, 0.0])
    np.testing.assert_allclose(recall, [1.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(index, [1.0, 0.5, 0.0, 0.0])
    nothing = against_truth(maps[2:3], np.zeros_like(truth))
    assert np.isnan(nothing.recall[0])
    assert nothing.jaccard[0] == 1.0


def test_a_threshold_is_exceeded_not_met():
    np.testing.assert_array_equal(depends(np.array([0.1, 0.1001, 0.0, np.nan]), 0.1), [False, True, False, False])

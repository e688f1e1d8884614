"""Encoders, and the models that hold one: what they compute, and which of their weights techniques act on."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.models import EQL, MLP, PerState
from sparsedyn.sparsify import Chain, SequentialThresholding
from sparsedyn.training import fit
from sparsedyn.training.state import join, split
from sparsedyn_papers.kim2019.digit_sum import Digits, DigitSum, digit_sums
from sparsedyn_papers.kim2019.encoder import Encoder, convolved, maxima, normalized
from sparsedyn_papers.kim2019.propagator import Propagator, Series, propagation

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def digit_sum(key: Any) -> DigitSum:
    first, second = jax.random.split(key)
    encoder = Encoder((6, 6, 1), (3,), (4,), width=3, pool=2, key=first)
    return DigitSum(encoder, EQL(1, 1, 1, {"identity": 2, "square": 1}, hidden=1, key=second))


def propagator(key: Any) -> Propagator:
    first, *others = jax.random.split(key, 3)
    cells = (EQL(2, 1, 1, {"identity": 2, "product": 1}, hidden=1, key=k) for k in others)
    return Propagator(Encoder((12, 2), (3,), (4,), stride=2, key=first), PerState(tuple(cells)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("space", [(9,), (8, 7)])
def test_the_convolution_is_the_usual_one(space: tuple[int, ...], stride: int):
    axes = "XY"[: len(space)]
    for width in (3, 4):
        x = jnp.asarray(RNG.normal(size=(*space, 2)), jnp.float32)
        kernel = jnp.asarray(RNG.normal(size=((width,) * len(space)) + (2, 3)), jnp.float32)
        usual = jax.lax.conv_general_dilated(
            x[None], kernel, (stride,) * len(space), "SAME", dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C")
        )
        np.testing.assert_allclose(convolved(x, kernel, stride), usual[0], rtol=1e-4, atol=1e-5)


def test_maxima_are_those_of_whole_blocks():
    x = jnp.asarray(RNG.normal(size=(5, 4, 2)), jnp.float32)
    expected = [[np.asarray(x)[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max((0, 1)) for j in range(2)] for i in range(2)]
    np.testing.assert_array_equal(maxima(x, 2), expected)


@pytest.mark.slow
def test_what_batches_are_normalized_by_can_be_written_into_the_encoder():
    encoder = Encoder((12, 2), key=KEY)
    x = jnp.asarray(RNG.normal(size=(50, 12, 2)), jnp.float32)
    z = jax.vmap(encoder)(x)
    settled = encoder.standardized(z.mean(0), z.std(0), 0.5)
    np.testing.assert_allclose(jax.vmap(settled)(x), normalized(z, 0.5), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose([normalized(z, 0.5).mean(), normalized(z, 0.5).std()], [0.0, 0.5], atol=1e-3)


def test_too_small_an_image_is_refused():
    with pytest.raises(ValueError, match="at least 4 cells a side"):
        Encoder((3, 3, 1), (4, 4), pool=2, key=KEY)


@pytest.mark.parametrize(("make", "part"), [(digit_sum, "head"), (propagator, "transition")])
def test_techniques_see_the_equations_and_nothing_else(make: Any, part: str):
    model = make(KEY)
    weights, other, static = split(model)
    ours = jax.tree.leaves(eqx.filter(getattr(model, part), eqx.is_inexact_array))
    assert [w.shape for w in jax.tree.leaves(weights)] == [w.shape for w in ours]
    encoder = jax.tree.leaves(eqx.filter(model.encoder, eqx.is_inexact_array))
    assert len(jax.tree.leaves(other)) == len(encoder)
    joined = join(weights, other, static)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(joined), jax.tree.leaves(model), strict=True))


def test_every_matrix_of_a_plain_model_is_sparse_by_default():
    flags = MLP(2, 1, (3,), key=KEY).sparse_part()
    assert flags.weights == (True, True)
    assert flags.biases == (False, False)


@pytest.mark.parametrize(("make", "part"), [(digit_sum, "head"), (propagator, "transition")])
@pytest.mark.slow
def test_training_removes_weights_of_the_equations_only(make: Any, part: str):
    keys = jax.random.split(KEY, 2)
    models = eqx.filter_vmap(make)(keys)
    if part == "head":
        data: Any = Digits(RNG.uniform(size=(16, 6, 6, 1)).astype(np.float32), (np.arange(16) % 10).astype(np.float32))
        objective = digit_sums(15)
    else:
        data = Series(*(RNG.uniform(size=s).astype(np.float32) for s in ((16, 12, 2), (16, 4, 2))))
        objective = propagation(3)
    technique = Chain(SequentialThresholding(1e3, at=(0.5,)))
    rates = np.full(4, 1e-3, np.float32)
    found = fit(models, data, sparsifier=technique, rates=rates, keys=keys, batch=8, objective=objective).last
    sparse = jax.tree.leaves(eqx.filter(getattr(found, part), eqx.is_inexact_array))
    assert all(np.all(w == 0) for w in sparse)
    for before, after in zip(models.encoder.weights, found.encoder.weights, strict=True):
        assert np.all(after != 0)
        assert not np.array_equal(before, after)


@pytest.mark.slow
def test_propagation_repeats_the_cell_and_its_error_is_that_of_the_first_steps():
    model = propagator(KEY)
    series = jnp.asarray(RNG.normal(size=(5, 12, 2)), jnp.float32)
    truth = RNG.normal(size=(5, 6, 2)).astype(np.float32)
    z = jax.vmap(model.encoder)(series)
    states = [jnp.asarray(truth[:, 0])]
    for _ in range(3):
        states.append(jnp.concatenate([jax.vmap(part)(states[-1], z) for part in model.transition.parts], axis=1))
    expected = np.stack(states[1:], axis=1)
    np.testing.assert_allclose(model(states[0][0], series[0]), expected[0, 0], rtol=1e-5)
    np.testing.assert_allclose(model.propagated(states[0][0], z[0], 3), expected[0], rtol=1e-4, atol=1e-6)
    error = eqx.filter_jit(propagation(3, normalize=False))(model, Series(series, truth), KEY)
    np.testing.assert_allclose(error, np.mean((expected - truth[:, 1:4]) ** 2), rtol=1e-4)


@pytest.mark.slow
def test_only_sums_below_the_limit_count():
    model = digit_sum(KEY)
    images, digits = RNG.uniform(size=(8, 6, 6, 1)).astype(np.float32), np.array([9, 9, 1, 0, 8, 7, 3, 5], np.float32)
    together = eqx.filter_jit(lambda model, *pair: jax.vmap(model)(*pair))
    squares = []
    for shift in (1, 2):
        found = together(model, images, np.roll(images, shift, axis=0))[:, 0]
        wanted = digits + np.roll(digits, shift)
        squares += np.square(np.asarray(found) - wanted)[wanted < 15].tolist()
    assert 0 < len(squares) < 16
    error = eqx.filter_jit(digit_sums(15, partners=2, normalize=False))(model, Digits(images, digits), KEY)
    np.testing.assert_allclose(error, np.mean(squares), rtol=1e-4)

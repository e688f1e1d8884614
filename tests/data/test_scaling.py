"""Scaling is measured on the samples it is given and on nothing else."""

import json

import numpy as np
import pytest

from sparsedyn.data import Samples, Scaling, Trajectories, samples


def drawn(count: int = 400, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    x = rng.normal([1e4, -3], [5, 1e-3], (count, 2))
    return Samples(x, rng.normal(1.4e5, 1e3, (count, 1)), rng.normal(0, [1e-6, 10], (count, 2)))


def test_transformed_samples_have_mean_zero_and_deviation_one_in_float32() -> None:
    scaled = Scaling.fit(drawn()).transform(drawn())
    for array in scaled:
        assert array.dtype == np.float32
        np.testing.assert_allclose(array.mean(axis=0, dtype=float), 0, atol=1e-5)
        np.testing.assert_allclose(array.std(axis=0, dtype=float), 1, rtol=1e-5)


def test_other_samples_are_scaled_with_the_fitted_numbers() -> None:
    scaling = Scaling.fit(drawn())
    other = drawn(50, seed=1)
    expected = (other.x - drawn().x.mean(axis=0)) / drawn().x.std(axis=0)
    np.testing.assert_allclose(scaling.transform(other).x, expected, rtol=1e-6, atol=1e-6)


def test_a_split_does_not_let_test_data_in() -> None:
    states = np.random.default_rng(0).normal(size=(10, 20, 1))
    inputs = np.random.default_rng(1).normal(size=(10, 20, 1))
    train, _, test = Trajectories(states, inputs, dt=1).split(seed=0)
    changed = states.copy()
    changed[[int(label) for label in test.labels]] *= 100
    again = Trajectories(changed, inputs, dt=1).split(seed=0)[0]
    assert Scaling.fit(samples(train)).to_dict() == Scaling.fit(samples(again)).to_dict()


def test_a_constant_derivative_is_left_as_it_is() -> None:
    x = np.arange(10.0)[:, None] * 0.1
    ramp = samples(Trajectories(np.hstack([x, x**2])[None], dt=0.1))
    scaling = Scaling.fit(ramp)
    assert scaling.dx_std[0] == 1
    assert scaling.dx_std[1] > 0
    np.testing.assert_allclose(scaling.transform(ramp).dx[:, 0], 0, atol=1e-12)


def test_identity() -> None:
    pooled = drawn()
    for before, after in zip(pooled, Scaling.identity(2, 1).transform(pooled), strict=True):
        np.testing.assert_array_equal(before.astype(np.float32), after)


@pytest.mark.parametrize("inputs", [0, 1])
def test_dictionaries_keep_every_bit(inputs: int) -> None:
    pooled = drawn()._replace(u=drawn().u[:, :inputs])
    scaling = Scaling.fit(pooled)
    back = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert back.to_dict() == scaling.to_dict()
    assert back.u_mean.shape == (inputs,)

"""Derivatives at times that are not regular."""

import numpy as np
import pytest

from sparsedyn.data import DERIVATIVES, DataError, Trajectories, samples
from sparsedyn.data.derivatives import differentiator, resolved
from sparsedyn.data.derivatives.noise import white_noise

RNG = np.random.default_rng(0)
TIME = np.sort(RNG.uniform(0, 10, 400))
STATES = np.stack([np.sin(TIME), np.cos(2 * TIME)], axis=1)
SLOPES = np.stack([np.cos(TIME), -2 * np.sin(2 * TIME)], axis=1)


@pytest.mark.parametrize(("method", "error"), [("forward", 0.3), ("central", 0.05), ("spline", 5e-3), ("auto", 5e-3)])
def test_methods_take_times_for_a_sample_time(method: str, error: float):
    found = differentiator(method, [STATES], [TIME])(STATES, TIME)
    inner = slice(5, -5)
    np.testing.assert_allclose(found.slopes[inner], SLOPES[found.rows][inner], atol=error)


@pytest.mark.parametrize("method", ["forward", "central", "spline", "smoothing-spline"])
def test_regular_times_say_what_a_sample_time_says(method: str):
    regular = 0.1 * np.arange(50)
    states = np.sin(regular)[:, None]
    (rows, by_step), (same, by_times) = DERIVATIVES[method](states, 0.1), DERIVATIVES[method](states, regular)
    assert rows == same
    np.testing.assert_allclose(by_times, by_step, rtol=1e-6, atol=1e-9)


def test_noise_is_estimated_by_divided_differences():
    noisy = STATES + 0.01 * RNG.normal(size=STATES.shape)
    np.testing.assert_allclose(white_noise([noisy], 6, [TIME]), 0.01, rtol=0.15)
    assert resolved("auto", [noisy], times=[TIME]) == "smoothing-spline"
    assert resolved("auto", [STATES], times=[TIME]) == "spline"
    regular = [0.1 * np.arange(400)]
    np.testing.assert_allclose(white_noise([noisy], 3, regular), white_noise([noisy], 3), rtol=1e-9)


def test_samples_use_the_times_of_their_rows():
    data = Trajectories(STATES, time=TIME)
    np.testing.assert_allclose(samples(data, "spline").dx[5:-5], SLOPES[5:-5], atol=5e-3)
    with pytest.raises(DataError, match="savgol: expected regular times"):
        samples(data, "savgol")

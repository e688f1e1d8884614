"""Smoothing of noisy states: how large the noise is, and whether it grows with the state."""

import numpy as np
import pytest

from sparsedyn.data.derivatives import smoothed

ROWS = 400
STATE = 3 * np.exp(-0.01 * np.arange(ROWS)[:, None]) * (1.2 + np.sin(0.06 * np.arange(ROWS)[:, None]))


@pytest.mark.parametrize("grows", [False, True])
def test_the_noise_of_every_value(grows: bool):
    size = 0.05 * STATE if grows else np.full_like(STATE, 0.05)
    found = smoothed(STATE + size * np.random.default_rng(0).normal(size=STATE.shape))
    assert np.mean(np.square(found.states - STATE) / np.square(size)) < 1
    assert np.sqrt(np.mean(np.square(np.log(found.spread / size)))) < 0.5
    assert np.isclose(found.noise[0], np.sqrt(np.mean(np.square(size))), rtol=0.15)
    assert np.ptp(found.spread) == 0 or grows


def test_few_rows_stay_as_they_are():
    found = smoothed(STATE[:5])
    np.testing.assert_array_equal(found.states, STATE[:5])
    assert not found.spread.any()

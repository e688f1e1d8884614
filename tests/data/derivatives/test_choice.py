"""Methods are chosen by how noisy states look, and noise is told from smooth states."""

import numpy as np
import pytest

from sparsedyn import DataError
from sparsedyn.data import DERIVATIVES
from sparsedyn.data.derivatives import differentiator, resolved, splined
from sparsedyn.data.derivatives.noise import white_noise
from sparsedyn.data.derivatives.polynomials import windows

DT = 0.02
TIME = DT * np.arange(400)
SMOOTH = np.stack([np.sin(2 * TIME), np.exp(-TIME)], axis=1)
EXACT = np.stack([2 * np.cos(2 * TIME), -np.exp(-TIME)], axis=1)
NOISE = np.random.default_rng(0).normal(size=SMOOTH.shape)


@pytest.mark.parametrize("order", [3, 6])
def test_white_noise_is_measured(order: int):
    np.testing.assert_allclose(white_noise([SMOOTH + 0.01 * NOISE], order), 0.01, rtol=0.1)
    assert (white_noise([SMOOTH[:order]], order) == 0).all()


def test_auto_is_a_spline_for_smooth_states_and_smooths_noisy_ones():
    noisy = SMOOTH + 0.01 * NOISE
    assert resolved("auto", [SMOOTH]) == "spline"
    assert resolved("auto", [noisy]) == "smoothing-spline"
    assert resolved("auto", [noisy], noisy="local-polynomials") == "local-polynomials"
    assert resolved("central", [noisy]) == "central"


def test_local_polynomials_smooth_over_windows_that_suit_the_noise():
    noisy = SMOOTH + 0.01 * NOISE
    rows, states, slopes = differentiator("auto", [noisy])(noisy, DT)
    assert np.abs(slopes - EXACT[rows]).std() < 0.2 * np.abs(np.gradient(noisy, DT, axis=0) - EXACT).std()
    assert np.abs(states - SMOOTH[rows]).std() < 0.6 * 0.01
    widths = windows([np.stack([SMOOTH[:, 0], noisy[:, 0]], axis=1)], 6)
    assert widths[0] < widths[1]
    # Velocities after positions are filtered alike.
    joined = np.concatenate([noisy, noisy], axis=1)
    np.testing.assert_array_equal(differentiator("auto", [noisy])(joined, DT).slopes[:, 2:], slopes)


def test_a_named_method_is_that_method_and_too_few_rows_have_no_derivative():
    rows, states, slopes = differentiator("central", [SMOOTH])(SMOOTH, DT)
    np.testing.assert_array_equal(slopes, DERIVATIVES["central"](SMOOTH, DT)[1])
    np.testing.assert_array_equal(states, SMOOTH[rows])
    assert len(differentiator("central", [SMOOTH])(SMOOTH[:2], DT).slopes) == 0


@pytest.mark.parametrize(("order", "tolerance"), [(1, 1e-4), (2, 1e-5)])
def test_splines_give_values_and_derivatives(order: int, tolerance: float):
    value, first, second = splined(SMOOTH[None], DT, order)
    np.testing.assert_allclose(value[0], SMOOTH, atol=1e-12)
    np.testing.assert_allclose(first[0], EXACT, atol=tolerance)
    if order == 2:
        np.testing.assert_allclose(second[0, 5:-5], (SMOOTH * [-4, 1])[5:-5], atol=1e-4)
    smooth = splined(SMOOTH[None] + 0.01 * NOISE, DT, order).value[0]
    assert np.abs(smooth - SMOOTH).std() < 0.5 * 0.01
    with pytest.raises(DataError, match="at least 5 rows a trajectory"):
        splined(SMOOTH[None, :4], DT, order)

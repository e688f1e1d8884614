"""Smoothing splines of many columns: those that SciPy gives one by one."""

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from sparsedyn.data.derivatives.smoothing_splines import smoothing_spline


@pytest.mark.parametrize("rows", [5, 60])
def test_all_columns_are_as_by_scipy(rows: int):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.5, 1.5, rows))
    columns = np.sin(times[:, None] / [3, 8, 20]) + rng.normal(size=(rows, 3)) * [0.001, 0.05, 0.5]
    found = smoothing_spline(times, columns)
    for order, tolerance in enumerate((1e-6, 1e-5, 1e-4)):
        expected = np.stack([make_smoothing_spline(times, column)(times, nu=order) for column in columns.T], axis=1)
        np.testing.assert_allclose(found(times, nu=order), expected, atol=tolerance * np.abs(expected).max())


def test_straight_lines_stay():
    times = np.arange(40.0)
    lines = times[:, None] * [0.5, -3.0] + 7
    np.testing.assert_allclose(smoothing_spline(times, lines)(times), lines, rtol=1e-10)

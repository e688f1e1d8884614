"""Derivatives converge to the analytic ones at their order; samples pool trajectories row by row."""

from typing import Any

import numpy as np
import pytest

from sparsedyn.data import DERIVATIVES, Trajectories, samples

# Method, options, order of convergence inside and at the ends.
ORDERS: list[tuple[str, dict[str, Any], float, float]] = [
    ("forward", {}, 1, 1),
    ("central", {}, 2, 2),
    ("savgol", {"window": 5, "order": 2}, 2, 2),
    ("savgol", {"window": 7, "order": 3}, 4, 4),
    ("savgol", {"window": 7, "order": 4}, 4, 4),
    ("spline", {}, 4, 3),
]


def curve(dt: float) -> tuple[np.ndarray, np.ndarray]:
    time = np.arange(0, 2 + dt / 2, dt)
    states = np.stack([np.sin(2 * time), np.exp(-time)], axis=1)
    return states, np.stack([2 * np.cos(2 * time), -np.exp(-time)], axis=1)


def largest_error(method: str, dt: float, inside: bool, options: dict[str, Any]) -> float:
    states, exact = curve(dt)
    rows, slopes = DERIVATIVES[method](states, dt, **options)
    error = np.abs(slopes - exact[rows]).max(axis=1)
    edge = len(error) // 4
    return float(error[edge:-edge].max() if inside else error.max())


@pytest.mark.parametrize(("method", "options", "inside", "everywhere"), ORDERS)
def test_order_of_convergence(method: str, options: dict[str, Any], inside: float, everywhere: float) -> None:
    for only_inside, order in ((True, inside), (False, everywhere)):
        coarse, fine = (largest_error(method, dt, only_inside, options) for dt in (0.02, 0.01))
        assert np.log2(coarse / fine) == pytest.approx(order, abs=0.15)


def test_every_method_is_covered() -> None:
    assert {method for method, *_ in ORDERS} | {"smoothing-spline"} == set(DERIVATIVES)


def test_smoothing_spline_without_smoothing_interpolates_and_with_it_beats_differences_under_noise() -> None:
    dt = 0.01
    states, exact = curve(dt)
    _, slopes = DERIVATIVES["smoothing-spline"](states, dt, smoothing=0.0)
    assert np.abs(slopes - exact)[20:-20].max() < 1e-6
    noisy = states + 1e-2 * np.random.default_rng(0).normal(size=states.shape)
    _, smooth = DERIVATIVES["smoothing-spline"](noisy, dt)
    rows, rough = DERIVATIVES["central"](noisy, dt)
    assert np.sqrt(np.mean((smooth - exact) ** 2)) < 0.2 * np.sqrt(np.mean((rough - exact[rows]) ** 2))


def test_polynomials_are_exact() -> None:
    time = np.arange(12) * 0.3
    states = np.stack([time**3, time], axis=1)
    for method, options in (("savgol", {"window": 7, "order": 3}), ("spline", {})):
        rows, slopes = DERIVATIVES[method](states, 0.3, **options)
        np.testing.assert_allclose(slopes, np.stack([3 * time**2, np.ones(12)], axis=1)[rows], rtol=1e-9, atol=1e-9)


def test_forward_samples_are_what_an_euler_step_needs() -> None:
    rng = np.random.default_rng(1)
    states = [rng.normal(size=(rows, 2)) for rows in (5, 3)]
    inputs = [rng.normal(size=(rows, 1)) for rows in (5, 3)]
    pooled = samples(Trajectories(states, inputs, dt=0.1))
    assert [array.shape for array in pooled] == [(6, 2), (6, 1), (6, 2)]
    np.testing.assert_allclose(pooled.x + 0.1 * pooled.dx, np.concatenate([x[1:] for x in states]))
    np.testing.assert_array_equal(pooled.u, np.concatenate([u[:-1] for u in inputs]))
    assert all(array.dtype == np.float64 for array in pooled)


def test_no_difference_is_taken_across_trajectories() -> None:
    data = Trajectories([np.zeros((12, 1)), np.full((12, 1), 1e6)], dt=1)
    for method in DERIVATIVES:
        np.testing.assert_allclose(samples(data, method).dx, 0, atol=1e-6)


def test_options_reach_the_method() -> None:
    data = Trajectories(np.random.default_rng(0).normal(size=(2, 20, 1)), dt=1)
    assert len(samples(data, "savgol", window=5, order=2).x) == 2 * 16
    assert len(samples(data, "central").x) == 2 * 18
    assert len(samples(data, "spline").x) == 2 * 20

"""Snapshots fit together and are taken apart consistently; POD is the best basis, computed either way."""

import numpy as np
import pytest

from sparsedyn.data import DataError, Snapshots, pod, reduction


def some(trajectories: int = 3, rows: int = 8, dimension: int = 6) -> Snapshots:
    values = np.arange(trajectories * rows * dimension, dtype=np.float32).reshape(trajectories, rows, dimension)
    return Snapshots(values, 2 * values, None, 0.1, values[..., :2].astype(np.float64), (2, 3))


def test_pooled_rows_are_those_of_the_trajectories() -> None:
    snapshots = some()
    pooled = snapshots.pooled()
    np.testing.assert_array_equal(pooled.x[8:16], snapshots.x[1])
    assert np.shares_memory(pooled.x, snapshots.x)
    assert pooled.x_dot is not None
    np.testing.assert_array_equal(pooled.x_dot, 2 * pooled.x)
    assert pooled.x_ddot is None
    assert pooled.truth is not None
    assert pooled.truth.shape == (24, 2)


def test_select_takes_trajectories_and_rows_and_keeps_time() -> None:
    snapshots = some()
    part = snapshots.select(trajectories=np.array([2, 0]), rows=slice(1, None, 3))
    np.testing.assert_array_equal(part.x, snapshots.x[[2, 0], 1::3])
    assert part.x_dot is not None
    np.testing.assert_array_equal(part.x_dot, 2 * part.x)
    assert part.truth is not None
    np.testing.assert_array_equal(part.truth, part.x[..., :2])
    assert part.dt == pytest.approx(0.3)
    assert part.frame == (2, 3)
    with pytest.raises(DataError, match="positive step"):
        snapshots.select(rows=slice(None, None, -1))


def test_noise_has_the_share_asked_for_and_takes_the_derivatives_away() -> None:
    snapshots = some(rows=2000)
    noisy = snapshots.noisy(0.01, seed=1)
    error = noisy.x.astype(np.float64) - snapshots.x
    assert np.sqrt(np.mean(error**2) / np.mean(snapshots.x.astype(np.float64) ** 2)) == pytest.approx(0.01, rel=0.02)
    assert noisy.x_dot is None
    assert noisy.x_ddot is None
    np.testing.assert_array_equal(noisy.x, snapshots.noisy(0.01, seed=1).x)
    assert not np.array_equal(noisy.x, snapshots.noisy(0.01, seed=2).x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_dot": np.zeros((3, 7, 6))}, r"x_dot: expected the shape of x, \(3, 8, 6\); got \(3, 7, 6\)"),
        ({"truth": np.zeros((3, 7, 2))}, "truth: expected .* with 3 trajectories of 8 rows"),
        ({"frame": (2, 2)}, "frame: expected a shape of 6 values"),
        ({"dt": 0.0}, "dt: expected a positive time"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict, message: str) -> None:
    snapshots = some()
    fields = {name: getattr(snapshots, name) for name in ("x", "x_dot", "x_ddot", "dt", "truth", "frame")}
    with pytest.raises(DataError, match=message):
        Snapshots(**{**fields, **change})


def spectrum(rows: int, columns: int) -> np.ndarray:
    """Random directions with singular values 1, 1/4, 1/16, ... down to about 1e-9."""
    generator = np.random.default_rng(0)
    left = np.linalg.qr(generator.normal(size=(rows, 16)))[0]
    right = np.linalg.qr(generator.normal(size=(columns, 16)))[0]
    return left * 0.25 ** np.arange(16) @ right.T


@pytest.mark.parametrize("shape", [(3000, 40), (40, 3000)])
def test_pod_is_the_truncated_singular_value_decomposition(shape: tuple[int, int]) -> None:
    x = spectrum(*shape)
    found = pod(x, 5)
    _, values, directions = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(5), atol=1e-13)
    np.testing.assert_allclose(np.abs(directions[:5] @ found.basis), np.eye(5), atol=1e-8)
    assert found.truncation == pytest.approx((values[5:] ** 2).sum() / (values**2).sum(), rel=1e-6)
    lost = found.restore(found.reduce(x)) - x
    assert (lost**2).sum() / (x**2).sum() == pytest.approx(found.truncation, rel=1e-9)
    batch = x[:6].reshape(2, 3, -1)
    np.testing.assert_allclose(found.reduce(batch), found.reduce(x)[:6].reshape(2, 3, 5), atol=1e-15)


def test_pod_of_float32_loses_no_more_than_its_rounding() -> None:
    x = spectrum(2500, 40)
    assert pod(x.astype(np.float32), 8).truncation == pytest.approx(pod(x, 8).truncation, rel=0.01)


def test_pod_of_drawn_rows_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    x = spectrum(300, 200)
    exact = pod(x, 4)
    monkeypatch.setattr(reduction, "LARGEST_GRAM", 60)
    drawn = pod(x, 4)
    assert exact.truncation <= drawn.truncation < 20 * exact.truncation
    np.testing.assert_array_equal(drawn.basis, pod(x, 4).basis)


def test_pod_refuses_more_modes_than_there_are_directions() -> None:
    x = spectrum(100, 40)[:, :30] * ([1.0] * 3 + [0.0] * 27)
    with pytest.raises(DataError, match="at most 3, the number of independent directions in x; got 4"):
        pod(x, 4)
    with pytest.raises(DataError, match=r"from 1 to 30, .* got 31"):
        pod(x, 31)

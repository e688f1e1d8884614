"""Lifted Lorenz and the filmed pendulum: exact derivatives, coordinates that obey their equations, seeds."""

import numpy as np
import pytest

from sparsedyn.data import Snapshots, pod
from sparsedyn.systems import Lorenz63, lifted_lorenz, pendulum_video, simulate

# The same rows everywhere: the plants are compiled once.
LORENZ, PENDULUM = {"steps": 60, "dt": 0.004}, {"steps": 40, "dt": 0.02}


@pytest.fixture(scope="module")
def lorenz() -> Snapshots:
    return lifted_lorenz(8, **LORENZ, noise=0.0, seed=3)


@pytest.fixture(scope="module")
def pendulum() -> Snapshots:
    return pendulum_video(20, **PENDULUM)


def differences(values: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives by central differences of order six, without three rows at each end."""
    first, second = (-1, 9, -45, 0, 45, -9, 1), (2, -27, 270, -490, 270, -27, 2)
    rows = values.shape[1] - 6
    shifted = [values[:, k : k + rows].astype(np.float64) for k in range(7)]
    return (
        sum(w * v for w, v in zip(first, shifted, strict=True)) / (60 * dt),
        sum(w * v for w, v in zip(second, shifted, strict=True)) / (180 * dt**2),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lorenz", "pendulum"])
def test_derivatives_are_those_of_the_measurements(name: str, request: pytest.FixtureRequest) -> None:
    snapshots = request.getfixturevalue(name)
    first, second = differences(snapshots.x, snapshots.dt)
    for found, exact, relative in ((first, snapshots.x_dot, 1e-4), (second, snapshots.x_ddot, 2e-3)):
        np.testing.assert_allclose(found, exact[:, 3:-3], atol=relative * np.abs(exact).max())


def test_lorenz_measurements_are_six_modes_of_coordinates_that_obey_lorenz(lorenz: Snapshots) -> None:
    truth = lorenz.truth
    assert truth is not None
    rates, _ = differences(truth, lorenz.dt)
    x, y, z = np.moveaxis(40 * truth[:, 3:-3], -1, 0)
    expected = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=-1) / 40
    np.testing.assert_allclose(rates, expected, atol=1e-6 * np.abs(expected).max())
    assert pod(lorenz.pooled().x, 6).truncation < 1e-13
    line, (first, second, third) = np.linspace(-1, 1, 128), truth[2, 7]
    cubic, quartic, quintic = line**3, line**4, line**5
    curve = first + second * line + third * (3 * line**2 - 1) / 2 + first**3 * (5 * cubic - 3 * line) / 2
    curve += second**3 * (35 * quartic - 30 * line**2 + 3) / 8 + third**3 * (63 * quintic - 70 * cubic + 15 * line) / 8
    np.testing.assert_allclose(lorenz.x[2, 7], curve, rtol=1e-5, atol=1e-5)
    states, inputs = simulate(Lorenz63(), 8, **LORENZ, x0=40 * truth[:, 0]).stack()
    np.testing.assert_allclose(states, 40 * truth)
    assert inputs.shape == (8, 60, 0)


def test_lorenz_starts_fill_the_box() -> None:
    for box in (1.0, 1.5):
        truth = lifted_lorenz(256, **LORENZ, box=box, dimension=4).truth
        assert truth is not None
        starts = 40 * truth[:, 0] - [0, 0, 25]
        reach = np.abs(starts).max(axis=0) / (box * np.array([36, 48, 41]))
        assert (reach <= 1).all()
        assert (reach > 0.95).all()


def test_noise_is_of_the_size_asked_for_and_belongs_to_its_trajectory(lorenz: Snapshots) -> None:
    noisy = lifted_lorenz(8, **LORENZ, noise=1e-2, seed=3)
    for without, with_noise in ((lorenz.x, noisy.x), (lorenz.x_dot, noisy.x_dot), (lorenz.x_ddot, noisy.x_ddot)):
        assert np.std(with_noise.astype(np.float64) - without) == pytest.approx(1e-2, rel=0.05)
    fewer = lifted_lorenz(2, **LORENZ, noise=1e-2, seed=3)
    np.testing.assert_array_equal(fewer.x, noisy.x[:2])
    assert not np.array_equal(fewer.x, lifted_lorenz(2, **LORENZ, noise=1e-2, seed=4).x)


def test_pendulums_swing_with_constant_energy_below_the_separatrix(pendulum: Snapshots) -> None:
    truth = pendulum.truth
    assert truth is not None
    angle, velocity = np.moveaxis(truth, -1, 0)
    energy = velocity**2 / 2 - np.cos(angle)
    np.testing.assert_allclose(energy, np.broadcast_to(energy[:, :1], energy.shape), atol=1e-8)
    assert np.abs(energy).max() <= 0.99 + 1e-8
    assert np.abs(energy[:, 0]).max() > 0.9
    assert np.abs(angle).max() < np.pi


def test_the_spot_is_at_the_tip_of_the_pendulum(pendulum: Snapshots) -> None:
    assert pendulum.truth is not None
    assert pendulum.frame == (51, 51)
    pixels = pendulum.x.reshape(-1, 51, 51).astype(np.float64)
    across = np.linspace(-1.5, 1.5, 51)
    up = across[::-1]
    total = pixels.sum(axis=(1, 2))
    angle = pendulum.truth[..., 0].ravel()
    np.testing.assert_allclose((pixels.sum(axis=1) @ across) / total, np.sin(angle), atol=1e-3)
    np.testing.assert_allclose((pixels.sum(axis=2) @ up) / total, -np.cos(angle), atol=1e-3)
    np.testing.assert_array_equal(pendulum.x[:2], pendulum_video(2, **PENDULUM).x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"count": 0}, "count must be at least 1"), ({"noise": -1.0}, "noise must be"), ({"dt": 0.0}, "dt must be")],
)
def test_arguments_out_of_range_are_named(arguments: dict, message: str) -> None:
    for make in (lifted_lorenz, pendulum_video):
        with pytest.raises(ValueError, match=message):
            make(**{"count": 1, "steps": 3, **arguments})

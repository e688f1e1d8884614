"""Autoencoders of one latent variable that begin at the curve along which the data lie."""

from pathlib import Path

import numpy as np
import pytest

from sparsedyn import DataError, SINDyAutoencoder
from sparsedyn.data import Snapshots
from sparsedyn.estimators.autoencoder import geodesic, projected
from sparsedyn.estimators.autoencoder._curve import curve_along
from sparsedyn.estimators.autoencoder._selection import forward_selection
from sparsedyn.models import PRIMITIVES, Jet, Library
from sparsedyn.training import Checkpoint

# Trainings are short here, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")

WAVES = np.arange(1, 5)
SINES = Library(2, 3, (PRIMITIVES["sin"],))


def swings(count: int, steps: int, force: np.ufunc, dt: float = 0.05, seed: int = 0) -> np.ndarray:
    """Angles and velocities of z'' = force(z), (count, steps, 2), by Runge-Kutta steps."""

    def rate(state: np.ndarray) -> np.ndarray:
        return np.stack([state[:, 1], force(state[:, 0])], axis=1)

    state = np.random.default_rng(seed).uniform([-2.0, -0.8], [2.0, 0.8], (count, 2))
    found = [state]
    for _ in range(steps - 1):
        k1 = rate(state)
        k2 = rate(state + dt / 2 * k1)
        k3 = rate(state + dt / 2 * k2)
        state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + rate(state + dt * k3))
        found.append(state)
    return np.stack(found, axis=1)


def pendulum(z: np.ndarray) -> np.ndarray:
    return -np.sin(z)


def filmed(states: np.ndarray) -> Snapshots:
    """Waves in the angle, along which the data move as fast as the angle does, with derivatives."""
    z, velocity = states[..., :1], states[..., 1:]
    acceleration = pendulum(z)
    cos, sin = np.cos(WAVES * z), np.sin(WAVES * z)
    x = np.concatenate([cos / WAVES, sin / WAVES], axis=-1)
    tangent = np.concatenate([-sin, cos], axis=-1)
    bend = np.concatenate([-cos * WAVES, -sin * WAVES], axis=-1)
    return Snapshots(x, tangent * velocity, tangent * acceleration + bend * velocity**2, 0.05, states, (8,))


def deviation(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(found - wanted)) / np.mean(np.square(wanted))))


@pytest.fixture(scope="module")
def film() -> Snapshots:
    return filmed(swings(12, 80, pendulum))


def along(film: Snapshots) -> Jet:
    pooled = film.pooled()
    return Jet(pooled.x, pooled.x_dot, pooled.x_ddot)


def test_the_distance_along_the_curve_is_the_angle(film: Snapshots):
    jet = along(film)
    curve = curve_along(jet.value, np.random.default_rng(0))
    found = curve.pushforward(jet)
    angle, velocity = film.pooled().truth.T
    slope, offset = np.polyfit(angle, found.value[:, 0], 1)
    # The length of the tangent of eight waves.
    assert abs(slope) == pytest.approx(2.0, rel=1e-4)
    assert deviation(found.value[:, 0], slope * angle + offset) < 1e-3
    assert deviation(found.first[:, 0], slope * velocity) < 3e-3
    assert deviation(found.second[:, 0], slope * pendulum(angle)) < 1e-2
    assert deviation(curve.points(curve.locate(jet.value)), jet.value) < 1e-3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.random.default_rng(0).normal(size=(1000, 2)), "x: expected data along one open curve"),
        (np.r_[np.linspace(0, 1, 300), np.linspace(9, 10, 300)][:, None] * np.ones(3), "without gaps; got 2 pieces"),
    ],
)
def test_data_that_are_no_curve_are_refused(values: np.ndarray, message: str):
    with pytest.raises(DataError, match=message):
        curve_along(values, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("force", "terms"),
    [
        (pendulum, ["sin(z)"]),
        pytest.param(lambda z: -2.0 * z, ["z"], marks=pytest.mark.slow),
        pytest.param(lambda z: z - z**3, ["z", "z^3"], marks=pytest.mark.slow),
    ],
)
def test_only_terms_that_pay_are_chosen(force: np.ufunc, terms: list[str]):
    states = swings(10, 100, force).reshape(-1, 2)
    # In other units, from another origin.
    moved = Jet(*(part[:, None] for part in (3 * states[:, 0] + 0.5, 3 * states[:, 1], 3 * force(states[:, 0]))))
    choice = forward_selection(SINES, moved)
    assert [SINES.names(("z", "z_dot"))[i] for i in np.flatnonzero(choice.kept[:, 0])] == terms
    assert choice.error < 1e-4
    if terms == ["sin(z)"]:
        assert choice.change.matrix[0, 0] == pytest.approx(1 / 3, rel=1e-4)
    else:
        assert choice.change(moved.value).std() == pytest.approx(1.0)


def geodesic_one(**settings: object) -> SINDyAutoencoder:
    return SINDyAutoencoder(1, (48,), 2, 3, True, 2, recipe=geodesic(), effort=0.02, **settings)


@pytest.fixture(scope="module")
def fitted(film: Snapshots) -> SINDyAutoencoder:
    return geodesic_one().fit(film)


@pytest.mark.slow
def test_a_pendulum_is_found(film: Snapshots, fitted: SINDyAutoencoder):
    angle = film.pooled().truth[:, 0]
    for index in (0, 1):
        table = fitted.coefficients(index)["z"]
        assert list(table.index[table != 0]) == ["sin(z)"]
        slope = np.polyfit(fitted.encode(film.pooled().x, index)[:, 0], angle, 1)[0]
        assert abs(table["sin(z)"] * slope) == pytest.approx(1.0, abs=0.03)
    score = fitted.evaluate(film)
    assert score["decoder"] < 1e-2
    assert score["derivative"] < 5e-2
    assert not np.array_equal(fitted.member(0).decoder.weights[0], fitted.member(1).decoder.weights[0])


@pytest.mark.slow
def test_it_goes_on_where_it_was_stopped(tmp_path: Path, film: Snapshots, fitted: SINDyAutoencoder):
    def place(phase: int) -> Checkpoint:
        return Checkpoint(tmp_path / f"{phase}.checkpoint", "test", seconds=0.0)

    def stop(phase: int, phases: int, share: float, progress: object) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        geodesic_one().fit(film, checkpoint=place, on_progress=stop)
    assert (tmp_path / "0.checkpoint").exists()
    resumed = geodesic_one().fit(film, checkpoint=place)
    np.testing.assert_array_equal(resumed.coefficients_, fitted.coefficients_)


def test_it_is_the_default_of_second_order_equations_of_one_variable():
    assert SINDyAutoencoder(1, order=2).settings().recipe == geodesic()
    for latent, order in ((1, 1), (2, 2)):
        assert SINDyAutoencoder(latent, order=order).settings().recipe == projected()


def test_two_variables_are_refused(film: Snapshots):
    with pytest.raises(ValueError, match="latent: expected 1, since the recipe begins along a curve; got 2"):
        SINDyAutoencoder(2, order=2, recipe=geodesic()).fit(film)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("width", [1.0, 0.3, 0.1])
def test_closed_curves_are_refused_whatever_the_seed(width: float, seed: int):
    angle = np.arange(400) * 0.05
    loop = np.column_stack([np.cos(angle), width * np.sin(angle), 0.3 * np.cos(angle) + 0.1 * width * np.sin(angle)])
    with pytest.raises(DataError, match="along one"):
        curve_along(loop, np.random.default_rng(seed))


def test_a_curve_that_crosses_itself_is_refused():
    angle = np.linspace(0, 2 * np.pi, 1000)
    with pytest.raises(DataError, match="along one"):
        curve_along(np.column_stack([np.sin(angle), np.sin(2 * angle)]), np.random.default_rng(0))


def test_rows_that_repeat_are_one_place():
    some = np.linspace(0, 1, 10)
    with pytest.raises(DataError, match="different rows"):
        curve_along(np.repeat(np.column_stack([some, some**2]), 20, axis=0), np.random.default_rng(0))

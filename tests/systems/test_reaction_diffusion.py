"""The exponential method is of order four and right; the spiral turns; derivatives are those of the equations."""

from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sparsedyn.data import Snapshots
from sparsedyn.systems import reaction_diffusion
from sparsedyn.systems.exponential import ETDRK4, squared_wave_numbers
from sparsedyn.systems.reaction_diffusion import reaction, spiral

POINTS, LENGTH, DIFFUSION, END = 32, 20.0, 0.1, 2.0
small = partial(reaction_diffusion, points=POINTS, noise=0.0)


@pytest.fixture(scope="module")
def long() -> Snapshots:
    """A run of many blocks."""
    return small(steps=1001, dt=0.05)


def right_hand_side(parts):
    """Of the whole equations, as they are written in u and v."""
    u, v = parts
    squared = u**2 + v**2
    laplacian = np.fft.ifft2(-squared_wave_numbers(POINTS, LENGTH) * np.fft.fft2(parts)).real
    return np.stack([(1 - squared) * u + squared * v, (1 - squared) * v - squared * u]) + DIFFUSION * laplacian


@pytest.fixture(scope="module")
def accurate() -> np.ndarray:
    """The field at the end, by an explicit method of order eight to a tolerance of 1e-11."""
    _, start = spiral(POINTS, LENGTH)
    solution = solve_ivp(
        lambda t, y: right_hand_side(y.reshape(start.shape)).ravel(),
        (0.0, END),
        start.ravel(),
        method="DOP853",
        rtol=1e-11,
        atol=1e-11,
    )
    return solution.y[:, -1].reshape(start.shape)


@jax.jit
def steps(linear, reacting, start, h, count):
    """So many steps of the exponential method; `reacting` 0 leaves the linear part alone."""
    solver = ETDRK4(linear)
    term = diffrax.ODETerm(lambda t, parts, args: args * reaction(t, parts, jnp.ones(())))
    coefficients = solver.init(term, 0.0, h, start, reacting)

    def step(_, parts):
        return solver.step(term, 0.0, h, parts, reacting, coefficients, False)[0]

    return jax.lax.fori_loop(0, count, step, start)


def test_the_exponential_method_converges_with_order_four_to_the_accurate_solution(accurate):
    linear, (_, start) = 1 - DIFFUSION * squared_wave_numbers(POINTS, LENGTH), spiral(POINTS, LENGTH)
    with jax.enable_x64(True):
        found = [np.asarray(steps(linear, 1.0, start, END / count, count)) for count in (20, 40, 80)]
    errors = [np.abs(field - accurate).max() for field in found]
    assert errors[1] < 1e-5
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 4, atol=0.4)


def test_the_exponential_method_is_exact_for_the_linear_part():
    linear = 0.3 - squared_wave_numbers(POINTS, 10.0)
    start = np.random.default_rng(0).normal(size=(2, POINTS, POINTS))
    with jax.enable_x64(True):
        found = steps(linear, 0.0, start, 0.7, 1)
    np.testing.assert_allclose(found, np.fft.ifft2(np.exp(0.7 * linear) * np.fft.fft2(start)).real, atol=1e-13)


@pytest.mark.slow
def test_snapshots_show_u_through_the_window_with_the_derivative_of_the_equations(long, accurate):
    radius, _ = spiral(POINTS, LENGTH)
    window = np.exp(-0.01 * radius**2)
    rate = right_hand_side(accurate)
    assert long.x_ddot is None
    np.testing.assert_allclose(long.x[0, 40].reshape(long.frame), window * accurate[0], atol=1e-5)
    np.testing.assert_allclose(long.x_dot[0, 40].reshape(long.frame), window * rate[0], atol=2e-4)


@pytest.mark.slow
def test_blocks_of_rows_and_steps_between_rows_make_no_difference(long):
    coarse = small(steps=51, dt=0.2)
    np.testing.assert_allclose(coarse.x, long.x[:, :201:4], atol=1e-6)
    x, exact = long.x[0, :201].astype(np.float64), long.x_dot[:, :201]
    differences = (8 * (x[3:-1] - x[1:-3]) - (x[4:] - x[:-4])) / (12 * long.dt)
    # Across the ends of blocks, and after the jump of the start at the edges has decayed.
    np.testing.assert_allclose(differences[60:], exact[0, 62:-2], atol=1e-3)


@pytest.mark.slow
def test_the_spiral_turns_uniformly_and_its_truth_says_how_far(long):
    truth = long.truth
    np.testing.assert_allclose(truth[0, 0], [1, 0], atol=1e-12)
    late = truth[0, 600:, 0] + 1j * truth[0, 600:, 1]
    speed = np.diff(np.unwrap(np.angle(late))) / 0.05
    np.testing.assert_allclose(np.abs(speed), 0.9, atol=0.1)
    assert np.ptp(speed) < 0.02
    # The last of the transient still decays.
    assert np.ptp(np.abs(late)) < 0.05


def test_noise_is_of_the_size_asked_for_and_comes_from_the_seed(long):
    noisy = reaction_diffusion(points=POINTS, steps=20, noise=0.1, seed=1)
    for without, with_noise in ((long.x[:, :20], noisy.x), (long.x_dot[:, :20], noisy.x_dot)):
        np.testing.assert_allclose(np.std(with_noise - without), 0.1, rtol=0.05)
    np.testing.assert_array_equal(noisy.x, reaction_diffusion(points=POINTS, steps=20, noise=0.1, seed=1).x)

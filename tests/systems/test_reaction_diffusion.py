"""The exponential method is of order four and right; the spiral turns; derivatives are those of the equations."""

from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from sparsedyn.systems import reaction_diffusion
from sparsedyn.systems.exponential import ETDRK4, backward, forward, squared_wave_numbers
from sparsedyn.systems.reaction_diffusion import reaction, spiral

POINTS, LENGTH, DIFFUSION, END = 32, 20.0, 0.1, 2.0
small = partial(reaction_diffusion, points=POINTS, noise=0.0)


def right_hand_side(t, parts, args):
    """Of the whole equations, as they are written in u and v."""
    u, v = parts
    squared = u**2 + v**2
    laplacian = backward(-squared_wave_numbers(POINTS, LENGTH) * forward(parts))
    return jnp.stack([(1 - squared) * u + squared * v, (1 - squared) * v - squared * u]) + DIFFUSION * laplacian


def accurate(end):
    """By an explicit method of order eight to a tolerance of 1e-11."""
    _, start = spiral(POINTS, LENGTH)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(right_hand_side),
        diffrax.Dopri8(),
        t0=0.0,
        t1=end,
        dt0=0.01,
        y0=start,
        stepsize_controller=diffrax.PIDController(rtol=1e-11, atol=1e-11),
    )
    return np.asarray(solution.ys[0])


def test_the_exponential_method_converges_with_order_four_to_the_accurate_solution():
    with jax.enable_x64(True):
        _, start = spiral(POINTS, LENGTH)
        solver = ETDRK4(1 - DIFFUSION * squared_wave_numbers(POINTS, LENGTH))

        @jax.jit
        def solve(h):
            term = diffrax.ODETerm(reaction)
            return diffrax.diffeqsolve(term, solver, 0.0, END, h, start, args=1.0, max_steps=None).ys[0]

        truth = accurate(END)
        errors = [np.abs(np.asarray(solve(h)) - truth).max() for h in (0.1, 0.05, 0.025)]
    assert errors[1] < 1e-5
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 4, atol=0.4)


def test_the_exponential_method_is_exact_for_the_linear_part():
    with jax.enable_x64(True):
        wave = squared_wave_numbers(16, 5.0)
        solver, term = ETDRK4(0.3 - wave), diffrax.ODETerm(lambda t, parts, args: jnp.zeros_like(parts))
        start = jnp.asarray(np.random.default_rng(0).normal(size=(2, 16, 16)))
        coefficients = solver.init(term, 0.0, 0.7, start, None)
        found = solver.step(term, 0.0, 0.7, start, None, coefficients, False)[0]
        np.testing.assert_allclose(found, backward(jnp.exp(0.7 * (0.3 - wave)) * forward(start)), atol=1e-13)


def test_snapshots_show_u_through_the_window_with_the_derivative_of_the_equations():
    snapshots = small(steps=41)
    radius, _ = spiral(POINTS, LENGTH)
    window = np.exp(-0.01 * np.asarray(radius) ** 2)
    with jax.enable_x64(True):
        field = accurate(2.0)
        rate = np.asarray(right_hand_side(0.0, jnp.asarray(field), None))
    assert snapshots.x_dot is not None
    assert snapshots.x_ddot is None
    np.testing.assert_allclose(snapshots.x[0, 40].reshape(snapshots.frame), window * field[0], atol=1e-5)
    np.testing.assert_allclose(snapshots.x_dot[0, 40].reshape(snapshots.frame), window * rate[0], atol=2e-4)


def test_blocks_of_rows_and_steps_between_rows_make_no_difference():
    fine = small(steps=201, dt=0.05)
    coarse = small(steps=51, dt=0.2)
    np.testing.assert_allclose(coarse.x, fine.x[:, ::4], atol=1e-6)
    x, exact = fine.x[0].astype(np.float64), fine.x_dot
    assert exact is not None
    differences = (8 * (x[3:-1] - x[1:-3]) - (x[4:] - x[:-4])) / (12 * fine.dt)
    # Across the ends of blocks, and after the jump of the start at the edges has decayed.
    np.testing.assert_allclose(differences[60:], exact[0, 62:-2], atol=1e-3)


def test_the_spiral_turns_uniformly_and_its_truth_says_how_far():
    truth = small(steps=1001, dt=0.05).truth
    assert truth is not None
    np.testing.assert_allclose(truth[0, 0], [1, 0], atol=1e-12)
    late = truth[0, 600:, 0] + 1j * truth[0, 600:, 1]
    speed = np.diff(np.unwrap(np.angle(late))) / 0.05
    np.testing.assert_allclose(np.abs(speed), 0.9, atol=0.1)
    assert np.ptp(speed) < 0.02
    # The last of the transient still decays.
    assert np.ptp(np.abs(late)) < 0.05


def test_noise_is_of_the_size_asked_for_and_comes_from_the_seed():
    clean = small(steps=20)
    noisy = reaction_diffusion(points=POINTS, steps=20, noise=0.1, seed=1)
    assert clean.x_dot is not None
    assert noisy.x_dot is not None
    for without, with_noise in ((clean.x, noisy.x), (clean.x_dot, noisy.x_dot)):
        np.testing.assert_allclose(np.std(with_noise - without), 0.1, rtol=0.05)
    np.testing.assert_array_equal(noisy.x, reaction_diffusion(points=POINTS, steps=20, noise=0.1, seed=1).x)

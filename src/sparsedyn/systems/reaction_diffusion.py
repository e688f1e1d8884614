"""A spiral wave of a lambda-omega reaction-diffusion system."""

import math
from typing import Final

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.data import Snapshots
from sparsedyn.systems.arguments import not_negative, sample_time, whole_number
from sparsedyn.systems.exponential import ETDRK4, squared_wave_numbers

# A step of the solver is at most that long.
LONGEST_STEP: Final = 0.05
# Rows computed by one call; the memory it takes is proportional.
BLOCK: Final = 100
WINDOW: Final = 0.01

Parts = Float[Array, "2 row column"]


def reaction_diffusion(
    *,
    steps: int = 10_000,
    dt: float = 0.05,
    points: int = 100,
    length: float = 20.0,
    diffusion: float = 0.1,
    beta: float = 1.0,
    noise: float = 1e-6,
    seed: int = 0,
) -> Snapshots:
    """One trajectory of a rotating spiral on `points` x `points` pixels; x is u, seen through a window.

    u_t = (1 - A^2) u + beta A^2 v + diffusion lap u and v_t = (1 - A^2) v - beta A^2 u + diffusion lap v, where
    A^2 = u^2 + v^2, on a periodic square of side `length` about the origin, from u + i v = tanh(r) exp(i (angle - r)).
    The window exp(-0.01 r^2) multiplies u and u_t. x_dot is the right-hand side, exact for the computed field; x_ddot
    is None. White `noise` of this standard deviation is added to both, as in the published data, drawn with `seed`.
    x and x_dot are float32, with the defaults 0.4 GB each.

    `truth` tells where in its turn the spiral is: the overlap of u + i v with the start, under the window, as real and
    imaginary part; (1, 0) at the start.

    Source: K. Champion, B. Lusch, J. N. Kutz, S. L. Brunton, "Data-driven discovery of coordinates and governing
    equations" (2019). Its released data drop the first two rows and come from a solver at a tolerance of 1e-3.
    """
    steps, points = whole_number("steps", steps, least=2), whole_number("points", points, least=4)
    dt, length = sample_time(dt), sample_time(length)
    diffusion, noise = not_negative("diffusion", diffusion), not_negative("noise", noise)
    generator = np.random.default_rng(whole_number("seed", seed, least=0))
    x, x_dot = np.empty((2, 1, steps, points**2), dtype=np.float32)
    truth = np.empty((1, steps, 2))
    with jax.enable_x64(True):
        linear = jnp.asarray(1 - diffusion * squared_wave_numbers(points, length))
        radius, spun = spiral(points, length)
        window, start = jnp.asarray(np.exp(-WINDOW * radius**2)), jnp.asarray(spun)
        field, substeps = start, math.ceil(dt / LONGEST_STEP)
        times = jnp.asarray(np.arange(BLOCK * substeps + 1) * (dt / substeps))
        for begin in range(0, steps, BLOCK):
            rows = slice(begin, min(begin + BLOCK, steps))
            size = rows.stop - rows.start
            field, saved = _advance(field, linear, window, start, jnp.asarray(beta, float), times)
            u, u_t, turn = (np.asarray(values)[:size].reshape(size, -1) for values in saved)
            x[0, rows], x_dot[0, rows], truth[0, rows] = u, u_t, turn
            for exact in (x[0, rows], x_dot[0, rows]):
                exact += noise * generator.standard_normal(exact.shape, dtype=np.float32)
    return Snapshots(x, x_dot, None, dt, truth, (points, points))


def spiral(points: int, length: float) -> tuple[Float[np.ndarray, "row column"], Float[np.ndarray, "2 row column"]]:
    """Return the distance of the grid's points from the origin, and the spiral that the field starts from."""
    line = (np.arange(points) / points - 0.5) * length
    place = line + 1j * line[:, None]
    radius, angle = np.abs(place), np.angle(place)
    phase = angle - radius
    return radius, np.tanh(radius) * np.stack([np.cos(phase), np.sin(phase)])


def reaction(t: object, parts: Parts, beta: Float[Array, ""]) -> Parts:
    """Return what the reaction adds to growth and diffusion: -A^2 (1 + i beta) (u + i v)."""
    u, v = parts
    return -(u**2 + v**2) * jnp.stack([u - beta * v, v + beta * u])


# The times are an array: one compilation serves all lengths of a row that take as many steps.
@jax.jit
def _advance(
    field: Parts,
    linear: Float[Array, "row column"],
    window: Float[Array, "row column"],
    start: Parts,
    beta: Float[Array, ""],
    times: Float[Array, " time"],
) -> tuple[Parts, tuple[Array, Array, Array]]:
    """Return the field a block of rows later, and what is kept of each row from the present one on.

    `times` are those of all steps from the first row of this block to the first of the next.
    """
    solver, term = ETDRK4(linear), diffrax.ODETerm(reaction)
    substeps = len(times) // BLOCK
    whole = jnp.sum(window * start**2)

    def seen(t: object, parts: Parts, args: object) -> tuple[Array, Array, Array]:
        rate = solver.func(term, t, parts, args)
        (u, v), (u0, v0) = parts, start
        turn = jnp.stack([jnp.sum(window * (u * u0 + v * v0)), jnp.sum(window * (v * u0 - u * v0))]) / whole
        return (window * u).astype(jnp.float32), (window * rate[0]).astype(jnp.float32), turn

    solution = diffrax.diffeqsolve(
        term,
        solver,
        t0=times[0],
        t1=times[-1],
        dt0=None,
        y0=field,
        args=beta,
        stepsize_controller=diffrax.StepTo(ts=times),
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=times[:-1:substeps], fn=seen), diffrax.SubSaveAt(t1=True)]),
        max_steps=len(times),
    )
    rows, last = solution.ys
    return last[0], rows

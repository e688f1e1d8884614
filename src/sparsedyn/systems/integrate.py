"""One trajectory of a plant, row by row, each input held until the next row."""

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sparsedyn.systems.base import AbstractSystem, runge_kutta
from sparsedyn.systems.excitation import AbstractExcitation

TOLERANCE = 1e-10
# More steps than this within one sample mean that the state runs off to infinity.
MOST_STEPS = 512


def trajectory(
    system: AbstractSystem,
    excitation: AbstractExcitation | None,
    start: Float[Array, " state"],
    signal: Float[Array, "row input"],
    dt: float,
) -> tuple[Float[Array, "row state"], Float[Array, "row input"]]:
    """States and inputs at the rows, the first at `start`.

    The input is the signal, plus the feedback of the excitation where one is given. Once a state is not
    finite, the rest are NaN.
    """

    def advance(
        x: Float[Array, " state"], u: Float[Array, " input"]
    ) -> tuple[Float[Array, " state"], tuple[Float[Array, " state"], Float[Array, " input"]]]:
        if excitation is not None:
            u = u + excitation.feedback(x, dt)
        if system.sampled:
            following = runge_kutta(system, x, u, dt)
        else:
            following = flow(system, x, u, dt, start)
        return following, (x, u)

    _, (states, inputs) = jax.lax.scan(advance, start, signal)
    return states, inputs


def flow(
    system: AbstractSystem,
    x: Float[Array, " state"],
    u: Float[Array, " input"],
    dt: float,
    harmless: Float[Array, " state"],
) -> Float[Array, " state"]:
    """State after `dt` under a held input, by Dormand and Prince's method of order 8 to a tolerance of 1e-10.

    Integrated sample by sample, so no step ever crosses a jump of the input. NaN where that fails.
    """
    alive = jnp.all(jnp.isfinite(x)) & jnp.all(jnp.isfinite(u))
    # With NaN, in the feedback too, the adaptive steps would shrink until they run out, while all other trajectories
    # wait.
    begin, held = jnp.where(alive, x, harmless), jnp.where(alive, u, 0.0)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, u: system.field(jnp.asarray(t), y, u)),
        diffrax.Dopri8(),
        t0=0.0,
        t1=dt,
        dt0=dt,
        y0=begin,
        args=held,
        stepsize_controller=diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE),
        max_steps=MOST_STEPS,
        throw=False,
    )
    assert solution.ys is not None
    reached = alive & (solution.result == diffrax.RESULTS.successful)
    return jnp.where(reached, solution.ys[-1], jnp.nan)

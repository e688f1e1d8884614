"""A pendulum, filmed."""

from typing import Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from sparsedyn.data import Snapshots
from sparsedyn.systems.arguments import not_negative, sample_time, whole_number
from sparsedyn.systems.measured import measured
from sparsedyn.systems.pendulum import Pendulum
from sparsedyn.systems.simulate import simulate

PIXELS: Final = 51
HALF_WIDTH: Final = 1.5
BLUR: Final = 0.05
FASTEST: Final = 2.1
# The pendulum turns over at an energy of 1, and rests at -1.
ENERGY: Final = 0.99
# Starts drawn at once, of which about half are kept; their number must not depend on how many are wanted.
DRAWN: Final = 64


def pendulum_video(
    count: int = 100, *, seed: int = 0, steps: int = 500, dt: float = 0.02, noise: float = 0.0
) -> Snapshots:
    """Videos of 51 x 51 pixels of a pendulum of length 1: a bright spot exp(-r^2 / 0.05) at its tip.

    The picture shows [-1.5, 1.5] x [-1.5, 1.5], its first row on top, the pivot in the middle. Starts are uniform in
    angle, -pi..pi, and velocity, -2.1..2.1, as far as abs(velocity^2 / 2 - cos(angle)) <= 0.99: the pendulum swings and
    never turns over. The derivatives are exact, by the chain rule; `noise` is the standard deviation of white noise on
    x, x_dot and x_ddot alike (the published data has none). x and its derivatives are float32, with the defaults 0.5 GB
    each. `truth` holds angle and velocity. Trajectory i of a seed does not depend on `count`.

    Source: K. Champion, B. Lusch, J. N. Kutz, S. L. Brunton, "Data-driven discovery of coordinates and governing
    equations" (2019).
    """
    count, noise, dt = whole_number("count", count, least=1), not_negative("noise", noise), sample_time(dt)
    starts, disturbances = np.random.default_rng(whole_number("seed", seed, least=0)).spawn(2)
    plant = Pendulum()
    states, _ = simulate(plant, count, steps, dt=dt, x0=_swinging(count, starts)).stack()
    x, x_dot, x_ddot = measured(plant, states, _film, noise, disturbances)
    return Snapshots(x, x_dot, x_ddot, dt, states, (PIXELS, PIXELS))


def _film(state: Float[Array, "2"]) -> Float[Array, " dimension"]:
    """The picture of the pendulum at an angle and a velocity, its rows one after the other."""
    across, up = np.meshgrid(np.linspace(-HALF_WIDTH, HALF_WIDTH, PIXELS), np.linspace(HALF_WIDTH, -HALF_WIDTH, PIXELS))
    tip_across, tip_up = jnp.sin(state[0]), -jnp.cos(state[0])
    distance = (across.ravel() - tip_across) ** 2 + (up.ravel() - tip_up) ** 2
    return jnp.exp(-distance / BLUR)


def _swinging(count: int, generator: np.random.Generator) -> Float64[np.ndarray, "{count} 2"]:
    """Starts that are drawn again until the energy is within its bounds."""
    kept = np.empty((0, 2))
    while len(kept) < count:
        drawn = generator.uniform((-np.pi, -FASTEST), (np.pi, FASTEST), (DRAWN, 2))
        energy = drawn[:, 1] ** 2 / 2 - np.cos(drawn[:, 0])
        kept = np.concatenate([kept, drawn[np.abs(energy) <= ENERGY]])
    return kept[:count]

"""Lorenz's three variables behind 128 measured ones."""

from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial import legendre

from sparsedyn.data import Snapshots
from sparsedyn.systems.arguments import not_negative, sample_time, whole_number
from sparsedyn.systems.lorenz import Lorenz63
from sparsedyn.systems.measured import measured
from sparsedyn.systems.simulate import simulate

SCALE: Final = 1 / 40
CENTRE: Final = (0.0, 0.0, 25.0)
WIDTHS: Final = (72.0, 96.0, 82.0)


def lifted_lorenz(
    count: int = 1024,
    *,
    seed: int = 0,
    steps: int = 250,
    dt: float = 0.02,
    noise: float = 1e-6,
    box: float = 1.0,
    dimension: int = 128,
) -> Snapshots:
    """Lorenz trajectories lifted to curves: P0 z1 + P1 z2 + P2 z3 + P3 z1^3 + P4 z2^3 + P5 z3^3.

    z are Lorenz's variables divided by 40, the `truth`; P are Legendre polynomials at `dimension` points of [-1, 1].
    Trajectories start uniformly in a box about (0, 0, 25) of the widths 72, 96 and 82, times `box`: more than 1 gives
    starts unlike those of the default. The derivatives are exact, by the chain rule. White `noise` of this standard
    deviation is added to x, x_dot and x_ddot alike, as in the published data; for noise that matters see
    `Snapshots.noisy`. x and its derivatives are float32. Trajectory i of a seed does not depend on `count`.

    Source: K. Champion, B. Lusch, J. N. Kutz, S. L. Brunton, "Data-driven discovery of coordinates and governing
    equations" (2019).
    """
    count = whole_number("count", count, least=1)
    dimension = whole_number("dimension", dimension, least=2)
    noise, box, dt = not_negative("noise", noise), not_negative("box", box), sample_time(dt)
    starts, disturbances = np.random.default_rng(whole_number("seed", seed, least=0)).spawn(2)
    x0 = CENTRE + box * np.array(WIDTHS) * (starts.random((count, 3)) - 0.5)
    plant = Lorenz63()
    states, _ = simulate(plant, count, steps, dt=dt, x0=x0).stack()
    modes = legendre.legvander(np.linspace(-1, 1, dimension), 5)

    with jax.enable_x64(True):
        lift = _Lift(jnp.asarray(modes))
    x, x_dot, x_ddot = measured(plant, states, lift, noise, disturbances)
    return Snapshots(x, x_dot, x_ddot, dt, SCALE * states, (dimension,))


class _Lift(eqx.Module):
    """Lorenz's variables as the curve of these modes."""

    modes: Float[Array, "dimension 6"]

    def __call__(self, state: Float[Array, "3"]) -> Float[Array, " dimension"]:
        z = SCALE * state
        return self.modes @ jnp.concatenate([z, z**3])

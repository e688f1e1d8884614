"""Latent states of snapshots, and the paths that latent equations lead to from them."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sparsedyn._steps import rk4_step
from sparsedyn.models import Autoencoder

SUBSTEPS = 4
"""Runge-Kutta steps from one row of the data to the next."""


def latent_state(
    model: Autoencoder,
    x: Float[np.ndarray, "*batch mode"],
    x_dot: Float[np.ndarray, "*batch mode"] | None,
) -> Float[np.ndarray, "*batch state"]:
    """Return what an equation is integrated from: latent variables and, for `order` 2, their velocities."""
    values = np.asarray(x, np.float32)
    if x_dot is None:
        return np.asarray(model.encoder(values), np.float64)
    z, z_dot = jax.jvp(model.encoder, (values,), (np.asarray(x_dot, np.float32),))
    return np.concatenate([np.asarray(z, np.float64), np.asarray(z_dot, np.float64)], axis=-1)


def substeps(dt: float, of_data: float) -> int:
    """Return how many steps are made from row to row, each as short as those between rows of the data."""
    return max(1, math.ceil(SUBSTEPS * dt / of_data - 1e-6))


def simulated(
    models: Autoencoder,
    start: Float[np.ndarray, "member trajectory state"],
    dt: float,
    rows: int,
    substeps: int = SUBSTEPS,
) -> Float[np.ndarray, "member trajectory time state"]:
    """Return the latent states of every member from its own initial states, in float64; row 0 is the initial one.

    From row to row so many Runge-Kutta steps are made. A simulation that blows up goes on as inf or NaN.
    """
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64) if eqx.is_inexact_array(leaf) else leaf, models)
        return np.asarray(_simulated(wide, jnp.asarray(start, jnp.float64), dt, rows, substeps))


@eqx.filter_jit
def _simulated(models: Autoencoder, start: Array, dt: float, rows: int, substeps: int) -> Array:
    def one(model: Autoencoder, start: Array) -> Array:
        nothing = jnp.zeros(0)
        increment: Any = jax.vmap(lambda z: dt / substeps * model(z, nothing))

        def substep(_: Any, z: Array) -> Array:
            following: Array = rk4_step(lambda _, z: increment(z), z)
            return following

        def step(z: Array, _: Any) -> tuple[Array, Array]:
            z = jax.lax.fori_loop(0, substeps, substep, z)
            return z, z

        rest = jax.lax.scan(step, start, None, length=rows - 1)[1]
        return jnp.concatenate([start[None], rest]).swapaxes(0, 1)

    found: Array = eqx.filter_vmap(one)(models, start)
    return found

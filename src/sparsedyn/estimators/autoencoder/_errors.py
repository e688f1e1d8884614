"""What SINDy autoencoders are worth: errors, stability of what they simulate, and which of them to believe."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float

from sparsedyn._steps import rk4_step
from sparsedyn.models import Autoencoder, Jet, pushforward
from sparsedyn.training.parsimony import penalized

BOUND = 10.0
"""A simulation is bounded that stays within so many times the largest latent state of the data."""
POOR = 10.0
"""Members whose derivative error is this many times the least are set aside."""
PRICE = np.log(4.0)
"""A term has to make the error of the latent equation four times smaller."""
SUBSTEPS = 4
"""Runge-Kutta steps from one row of the data to the next."""

ERRORS = ("decoder", "derivative", "latent")


def errors(models: Autoencoder, data: Jet, importance: tuple[float, ...]) -> Float[np.ndarray, "member error"]:
    """Return the relative squared errors of every member: of `x`, of its highest derivative, and of the latent one.

    Each is a sum of squares over all samples, divided by that of what it is an error of; errors of `x` and of its
    derivative are weighted by `importance`.
    """
    lost, total = np.zeros(()), np.zeros(())
    for part in data.blocks():
        squares = np.asarray(_squares(models, part, importance), np.float64)
        lost, total = lost + squares[:, 0], total + squares[:, 1]
    return np.asarray(lost / total)


@eqx.filter_jit
def _squares(models: Autoencoder, data: Jet, importance: tuple[float, ...]) -> Float[Array, "member 2 error"]:
    weights = jnp.asarray(importance)

    def one(model: Autoencoder) -> Float[Array, "2 error"]:
        moved = pushforward(model.encoder, data)
        predicted = model.library(moved.state) @ model.coefficients
        path = moved._replace(first=predicted) if data.second is None else moved._replace(second=predicted)
        restored = pushforward(model.decoder, path)
        lost = [
            jnp.sum(weights * jnp.square(restored.value - data.value)),
            jnp.sum(weights * jnp.square(restored.highest - data.highest)),
            jnp.sum(jnp.square(predicted - moved.highest)),
        ]
        total = [
            jnp.sum(weights * jnp.square(data.value)),
            jnp.sum(weights * jnp.square(data.highest)),
            jnp.sum(jnp.square(moved.highest)),
        ]
        return jnp.stack([jnp.stack(lost), jnp.stack(total)])

    found: Array = eqx.filter_vmap(one)(models)
    return found


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


def ranking(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of members, the one to believe first, with a `score` of each, least best.

    The score is `ln(latent error) + terms ln 4`: a term is worth having that makes the error of the latent equation
    four times smaller. Members that died, whose simulations leave the region of the data, or whose derivative error is
    ten times the least, come last. The truth is not asked.
    """
    score = penalized(table["latent"], table["terms"], price=PRICE)
    near = table["derivative"] <= POOR * table.loc[table["alive"], "derivative"].min()
    sound = table["alive"] & table["bounded"] & near
    ordered = table.assign(score=score, _unsound=~sound, _far=~near)
    ordered = ordered.sort_values(["_unsound", "_far", "score"], kind="stable")
    return ordered.drop(columns=["_unsound", "_far"])

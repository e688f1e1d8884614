"""What a plant without inputs shows of itself, with exact time derivatives."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64

from sparsedyn.systems.base import AbstractSystem

Measure = Callable[[Float[Array, " state"]], Float[Array, " value"]]


def measured(
    plant: AbstractSystem,
    states: Float64[np.ndarray, "trajectory time state"],
    measure: Measure,
    noise: float,
    generator: np.random.Generator,
) -> Float32[np.ndarray, "3 trajectory time dimension"]:
    """Return what `measure` gives at the states, and its first and second time derivative along the plant's field.

    Computed in float64, compiled once for measures that are equal, as functions of a module are. White noise of the
    standard deviation `noise` is added to all three. The noise of a trajectory does not depend on how many there are.
    """

    with jax.enable_x64(True):
        dimension = jax.eval_shape(measure, jnp.asarray(states[0, 0])).shape[0]
        values = np.empty((3, *states.shape[:2], dimension), dtype=np.float32)
        for i, rows in enumerate(states):
            exact = np.asarray(_every(plant, measure, jnp.asarray(rows)))
            values[:, i] = exact + noise * generator.standard_normal(exact.shape) if noise else exact
    return values


@eqx.filter_jit
def _every(
    plant: AbstractSystem, measure: Measure, rows: Float[Array, "time state"]
) -> Float[Array, "3 time dimension"]:
    def field(x: Float[Array, " state"]) -> Float[Array, " state"]:
        return plant.field(0.0, x, jnp.zeros(0))

    first = along(field, measure)
    return jnp.stack([jax.vmap(which)(rows) for which in (measure, first, along(field, first))])


def along(field: Measure, measure: Measure) -> Measure:
    """Return the time derivative of what is measured while the state moves along the field: its Lie derivative."""

    def rate(x: Float[Array, " state"]) -> Float[Array, " value"]:
        return jax.jvp(measure, (x,), (field(x),))[1]

    return rate

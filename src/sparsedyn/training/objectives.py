"""Objectives of training: functions of a model, a batch and a key."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn._steps import STEPS
from sparsedyn.data import Samples
from sparsedyn.models import AbstractModel

Objective = Callable[[Any, Any, PRNGKeyArray], Float[Array, ""]]


def derivative_matching(model: AbstractModel, batch: Samples, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean squared error of the model's derivative over samples and states, in the samples' scaled units."""
    predicted = jax.vmap(model)(jnp.asarray(batch.x), jnp.asarray(batch.u))
    return jnp.mean(jnp.square(predicted - batch.dx))


class RolloutMatching(eqx.Module):
    """Mean squared error of free runs over windows of `rows` rows after the first, under recorded inputs.

    A sample is the place in `states` and `inputs`, in scaled units, at which a window begins: windows overlap, and rows
    are kept once. A step adds `gain` times the model's output, and `drift`, as forecasts do; inputs are held over it.
    Errors are divided by `unit`, what states change by within windows: the loss is about 1 for a model that changes
    nothing, however long windows are, and for one Euler step it is `derivative_matching` of forward differences.

    States are held between `low` and `high`, bounds well beyond the data. A window that diverges so has a finite error,
    and its gradient is that of the rows before; a member does not die of it.
    """

    states: Float[np.ndarray | Array, "row state"]
    inputs: Float[np.ndarray | Array, "row input"]
    gain: Float[np.ndarray | Array, " state"]
    drift: Float[np.ndarray | Array, " state"]
    unit: Float[np.ndarray | Array, " state"]
    low: Float[np.ndarray | Array, " state"]
    high: Float[np.ndarray | Array, " state"]
    rows: int = eqx.field(static=True)
    method: str = eqx.field(static=True, default="euler")

    def __call__(self, model: AbstractModel, batch: Int[Array, " window"], key: PRNGKeyArray) -> Float[Array, ""]:
        """Return the mean over windows, rows and states."""
        states, inputs = jnp.asarray(self.states), jnp.asarray(self.inputs)
        increment: Any = jax.vmap(lambda z, v: self.gain * model(z, v) + self.drift)

        def step(z: Array, row: Array) -> tuple[Array, Array]:
            v = inputs[batch + row]
            z = jnp.clip(STEPS[self.method](lambda _, z: increment(z, v), z), self.low, self.high)
            return z, jnp.mean(jnp.square((z - states[batch + row + 1]) / self.unit))

        # The first step apart: states differ between members, and perhaps devices, only after it.
        z, first = step(states[batch], jnp.zeros((), jnp.int32))
        _, rest = jax.lax.scan(step, z, jnp.arange(1, self.rows))
        return (first + jnp.sum(rest)) / self.rows

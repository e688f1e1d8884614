"""The interface of a plant, and one Runge-Kutta step of it."""

import abc
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import AbstractClassVar
from jaxtyping import Array, Float, PRNGKeyArray, Real

from sparsedyn._steps import rk4_step

if TYPE_CHECKING:
    from sparsedyn.systems.excitation import AbstractExcitation

Numbers = Array | np.ndarray
Time = float | int | Real[Array, ""]


class AbstractSystem(eqx.Module):
    """A plant: states, inputs and a vector field; independent of learning.

    A concrete plant names itself and its columns, writes `field`, `readout`, `initial` and `excitation` for
    one point (no batch axes), and inherits `step` and `outputs`, which take any leading axes.

    Class attributes: `name`; `state_names`, `input_names`, `output_names` and their units (one string per
    column, "" for a quantity without unit); `dt`, the sample time in the unit of time of the field;
    `sampled`, true where the plant is *defined* by its Runge-Kutta steps at `dt`, false where it is a smooth
    flow to be integrated to a tolerance.
    """

    name: AbstractClassVar[str]
    state_names: AbstractClassVar[tuple[str, ...]]
    state_units: AbstractClassVar[tuple[str, ...]]
    input_names: AbstractClassVar[tuple[str, ...]]
    input_units: AbstractClassVar[tuple[str, ...]]
    output_names: AbstractClassVar[tuple[str, ...]]
    output_units: AbstractClassVar[tuple[str, ...]]
    dt: AbstractClassVar[float]
    sampled: AbstractClassVar[bool]

    @abc.abstractmethod
    def field(self, t: Time, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Time derivative of the state at time `t`, state `x` and input `u`."""

    @abc.abstractmethod
    def readout(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        """Measurable quantities that are not states; empty where there are none."""

    @abc.abstractmethod
    def initial(self, key: PRNGKeyArray) -> Float[Array, " state"]:
        """One draw from the distribution of initial conditions."""

    @abc.abstractmethod
    def excitation(self) -> "AbstractExcitation":
        """The inputs that a simulation uses where none are given."""

    def step(
        self, x: Real[Numbers, "*#batch state"], u: Real[Numbers, "*#batch input"], dt: Time | None = None
    ) -> Float[Array, "*batch state"]:
        """State after one sample of `dt` (default: the plant's), the input held: one Runge-Kutta step.

        `x` is (..., state) and `u` (..., input), leading axes broadcast. Computed in float64 where JAX's x64
        mode is on, in float32 otherwise. Raises ValueError where a last axis has the wrong length.
        """
        return _step(self, *self._columns(x, u), self.dt if dt is None else dt)

    def outputs(
        self, x: Real[Numbers, "*#batch state"], u: Real[Numbers, "*#batch input"]
    ) -> Float[Array, "*batch output"]:
        """Measured quantities, (..., output), at the states `x` (..., state) and inputs `u` (..., input)."""
        return _outputs(self, *self._columns(x, u))

    def _columns(self, x: Numbers, u: Numbers) -> tuple[Array, Array]:
        """Both as JAX's default float, last axes checked."""
        for what, value, names in (("states", x, self.state_names), ("inputs", u, self.input_names)):
            if jnp.ndim(value) == 0 or jnp.shape(value)[-1] != len(names):
                raise ValueError(
                    f"{self.name}: {what} must end in an axis of {len(names)} "
                    f"({', '.join(names) or 'none'}), got shape {jnp.shape(value)}."
                )
        return jnp.asarray(x, jnp.result_type(float)), jnp.asarray(u, jnp.result_type(float))


# Compiled, because it is usually called in a loop.
@eqx.filter_jit
def _step(
    system: AbstractSystem, x: Float[Array, "*#batch state"], u: Float[Array, "*#batch input"], dt: Time
) -> Float[Array, "*batch state"]:
    def one(x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        return runge_kutta(system, x, u, dt)

    return jnp.vectorize(one, signature="(n),(m)->(n)")(x, u)


@eqx.filter_jit
def _outputs(
    system: AbstractSystem, x: Float[Array, "*#batch state"], u: Float[Array, "*#batch input"]
) -> Float[Array, "*batch output"]:
    return jnp.vectorize(system.readout, signature="(n),(m)->(p)")(x, u)


def runge_kutta(
    system: AbstractSystem, x: Float[Array, " state"], u: Float[Array, " input"], dt: Time
) -> Float[Array, " state"]:
    """One step of the classical fourth-order Runge-Kutta method, the input held over it."""
    following: Array = rk4_step(lambda time, state: system.field(time, state, u), x, dt)
    return following


def uniform(key: PRNGKeyArray, low: tuple[float, ...], high: tuple[float, ...]) -> Float[Array, " state"]:
    """One point drawn uniformly from the box between `low` and `high`."""
    return jax.random.uniform(key, (len(low),), minval=jnp.asarray(low), maxval=jnp.asarray(high))

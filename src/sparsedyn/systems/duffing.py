"""The forced Duffing oscillator."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.signals import APRBS


class Duffing(AbstractSystem):
    """A forced mass on a stiffening spring: x'' + delta x' + alpha x + beta x^3 = u.

    With the default alpha < 0 there are two stable equilibria, at x = +-sqrt(-alpha / beta), and the force moves the
    mass between them. Source: G. Duffing (1918); J. Guckenheimer and P. Holmes, Nonlinear Oscillations (1983), 2.2.
    """

    delta: float = eqx.field(converter=float, default=0.3)
    alpha: float = eqx.field(converter=float, default=-1.0)
    beta: float = eqx.field(converter=float, default=1.0)

    name: ClassVar[str] = "duffing"
    state_names: ClassVar[tuple[str, ...]] = ("position", "velocity")
    state_units: ClassVar[tuple[str, ...]] = ("", "")
    input_names: ClassVar[tuple[str, ...]] = ("force",)
    input_units: ClassVar[tuple[str, ...]] = ("",)
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.05
    sampled: ClassVar[bool] = False

    def field(self, t: Time, x: Float[Array, "2"], u: Float[Array, "1"]) -> Float[Array, "2"]:
        """(velocity, u - delta velocity - alpha position - beta position^3)."""
        position, velocity = x
        return jnp.stack([velocity, u[0] - self.delta * velocity - self.alpha * position - self.beta * position**3])

    def readout(self, x: Float[Array, "2"], u: Float[Array, "1"]) -> Float[Array, "0"]:
        """Nothing but the states."""
        return jnp.zeros(0, x.dtype)

    def initial(self, key: PRNGKeyArray) -> Float[Array, "2"]:
        """Uniform, position and velocity in -1.5..1.5."""
        return uniform(key, low=(-1.5, -1.5), high=(1.5, 1.5))

    def excitation(self) -> APRBS:
        """A force in -0.6..0.6, at a new level after 1..10 units of time."""
        return APRBS(-0.6, 0.6, shortest=1.0, longest=10.0)

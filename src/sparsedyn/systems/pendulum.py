"""The pendulum without friction."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.excitation import Channels


class Pendulum(AbstractSystem):
    """A mass on a rigid rod, without friction and inputs: angle'' = -stiffness sin(angle).

    The angle is 0 where the pendulum hangs down; `stiffness` is gravity over the length of the rod.
    """

    stiffness: float = eqx.field(converter=float, default=1.0)

    name: ClassVar[str] = "pendulum"
    state_names: ClassVar[tuple[str, ...]] = ("angle", "velocity")
    state_units: ClassVar[tuple[str, ...]] = ("rad", "rad/s")
    input_names: ClassVar[tuple[str, ...]] = ()
    input_units: ClassVar[tuple[str, ...]] = ()
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.02
    sampled: ClassVar[bool] = False

    def field(self, t: Time, x: Float[Array, "2"], u: Float[Array, "0"]) -> Float[Array, "2"]:
        """(velocity, -stiffness sin(angle))."""
        angle, velocity = x
        return jnp.stack([velocity, -self.stiffness * jnp.sin(angle)])

    def readout(self, x: Float[Array, "2"], u: Float[Array, "0"]) -> Float[Array, "0"]:
        """Nothing but the states."""
        return jnp.zeros(0, x.dtype)

    def initial(self, key: PRNGKeyArray) -> Float[Array, "2"]:
        """Uniform, the angle in -2..2, the velocity in -1..1: with the default stiffness it never turns over."""
        return uniform(key, low=(-2.0, -1.0), high=(2.0, 1.0))

    def excitation(self) -> Channels:
        """None: the plant has no inputs."""
        return Channels()

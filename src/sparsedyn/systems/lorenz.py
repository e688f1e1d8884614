"""Lorenz's convection rolls."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.excitation import Channels


class Lorenz63(AbstractSystem):
    """Three modes of thermal convection, without inputs; chaotic with the default parameters.

    x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z. Source: E. N. Lorenz, "Deterministic
    Nonperiodic Flow" (1963).
    """

    sigma: float = eqx.field(converter=float, default=10.0)
    rho: float = eqx.field(converter=float, default=28.0)
    beta: float = eqx.field(converter=float, default=8 / 3)

    name: ClassVar[str] = "lorenz63"
    state_names: ClassVar[tuple[str, ...]] = ("x", "y", "z")
    state_units: ClassVar[tuple[str, ...]] = ("", "", "")
    input_names: ClassVar[tuple[str, ...]] = ()
    input_units: ClassVar[tuple[str, ...]] = ()
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.01
    sampled: ClassVar[bool] = False

    def field(self, t: Time, x: Float[Array, "3"], u: Float[Array, "0"]) -> Float[Array, "3"]:
        """(sigma (y - x), x (rho - z) - y, x y - beta z)."""
        horizontal, difference, vertical = x
        return jnp.stack(
            [
                self.sigma * (difference - horizontal),
                horizontal * (self.rho - vertical) - difference,
                horizontal * difference - self.beta * vertical,
            ]
        )

    def readout(self, x: Float[Array, "3"], u: Float[Array, "0"]) -> Float[Array, "0"]:
        """Nothing but the states."""
        return jnp.zeros(0, x.dtype)

    def initial(self, key: PRNGKeyArray) -> Float[Array, "3"]:
        """Uniform in a box about (0, 0, 25) of widths 36, 48 and 41, about as wide as the attractor."""
        return uniform(key, low=(-18.0, -24.0, 4.5), high=(18.0, 24.0, 45.5))

    def excitation(self) -> Channels:
        """None: the plant has no inputs."""
        return Channels()

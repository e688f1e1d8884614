"""Predators and prey under harvest."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.signals import APRBS


class LotkaVolterra(AbstractSystem):
    """Predators, their prey, and a harvest that takes the same share of both.

    prey' = prey (alpha - beta predators - u), predators' = predators (delta prey - gamma - u), u the harvest
    effort per unit of time. Without harvest, delta prey - gamma ln prey + beta predators - alpha ln predators
    is conserved. Source: V. Volterra, "Fluctuations in the abundance of a species considered mathematically"
    (1926).
    """

    alpha: float = eqx.field(converter=float, default=1.0)
    beta: float = eqx.field(converter=float, default=1.0)
    gamma: float = eqx.field(converter=float, default=1.0)
    delta: float = eqx.field(converter=float, default=1.0)

    name: ClassVar[str] = "lotka-volterra"
    state_names: ClassVar[tuple[str, ...]] = ("prey", "predators")
    state_units: ClassVar[tuple[str, ...]] = ("", "")
    input_names: ClassVar[tuple[str, ...]] = ("harvest",)
    input_units: ClassVar[tuple[str, ...]] = ("",)
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.05
    sampled: ClassVar[bool] = False

    def field(self, t: Time, x: Float[Array, "2"], u: Float[Array, "1"]) -> Float[Array, "2"]:
        """(prey (alpha - beta predators - u), predators (delta prey - gamma - u))."""
        prey, predators = x
        return jnp.stack(
            [
                prey * (self.alpha - self.beta * predators - u[0]),
                predators * (self.delta * prey - self.gamma - u[0]),
            ]
        )

    def readout(self, x: Float[Array, "2"], u: Float[Array, "1"]) -> Float[Array, "0"]:
        """Nothing but the states."""
        return jnp.zeros(0, x.dtype)

    def initial(self, key: PRNGKeyArray) -> Float[Array, "2"]:
        """Uniform, both populations in 0.5..1.5."""
        return uniform(key, low=(0.5, 0.5), high=(1.5, 1.5))

    def excitation(self) -> APRBS:
        """A harvest effort in 0..0.3, at a new level after 2..10 units of time."""
        return APRBS(0.0, 0.3, shortest=2.0, longest=10.0)

"""Two tanks, one above the other."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.excitation import Channels
from sparsedyn.systems.signals import APRBS


class TwoTanks(AbstractSystem):
    """A pump fills the upper tank, which drains into the lower one, which drains through a valve.

    area upper' = pump_flow pump - outlet sqrt(2 g upper), area lower' = outlet sqrt(2 g upper) - valve outlet
    sqrt(2 g lower): Torricelli's law; the valve opens the lower outlet by that factor. Areas in cm^2, levels in cm, g
    in cm/s^2, the pump's flow in cm^3/s per volt. An empty tank gives nothing; none overflows. Source: K. H. Johansson,
    "The quadruple-tank process" (2000), IEEE Transactions on Control Systems Technology 8, one side of its tanks, with
    a valve.
    """

    area: float = eqx.field(converter=float, default=28.0)
    outlet: float = eqx.field(converter=float, default=0.071)
    gravity: float = eqx.field(converter=float, default=981.0)
    pump_flow: float = eqx.field(converter=float, default=3.33)

    name: ClassVar[str] = "two-tanks"
    state_names: ClassVar[tuple[str, ...]] = ("upper", "lower")
    state_units: ClassVar[tuple[str, ...]] = ("cm", "cm")
    input_names: ClassVar[tuple[str, ...]] = ("pump", "valve")
    input_units: ClassVar[tuple[str, ...]] = ("V", "")
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 2.0
    sampled: ClassVar[bool] = False

    def field(self, t: Time, x: Float[Array, "2"], u: Float[Array, "2"]) -> Float[Array, "2"]:
        """Balances of volume, per area."""
        falling, leaving = self.outlet * jnp.sqrt(2 * self.gravity * jnp.maximum(x, 0.0))
        return jnp.stack([self.pump_flow * u[0] - falling, falling - u[1] * leaving]) / self.area

    def readout(self, x: Float[Array, "2"], u: Float[Array, "2"]) -> Float[Array, "0"]:
        """Nothing but the states."""
        return jnp.zeros(0, x.dtype)

    def initial(self, key: PRNGKeyArray) -> Float[Array, "2"]:
        """Uniform, both levels in 4..16 cm."""
        return uniform(key, low=(4.0, 4.0), high=(16.0, 16.0))

    def excitation(self) -> Channels:
        """A voltage in 2..4 V and an opening in 0.8..1.2 of the outlet, each at a new level after 20..120 s."""
        return Channels(APRBS(2.0, 4.0, shortest=20.0, longest=120.0), APRBS(0.8, 1.2, shortest=20.0, longest=120.0))

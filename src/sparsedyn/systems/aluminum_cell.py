"""The aluminum electrolysis cell: mass and energy balances of bath, side ledge, metal and wall.

Source: E. J. Haugstvedt, A. Mino Calero, E. T. B. Lundby, A. Rasheed, J. T. Gravdahl, "A comparative study of
sparsity promoting techniques in neural network for modeling non-linear dynamics" (2023), IEEE Access. Differs
from the paper where the trajectories released with it do: the bubble coverage (3c) is a function of the line
current, not of the alumina feed, and the heat from ledge to wall in (5g) carries the area k9. The equations
here reproduce those trajectories to float32 rounding.
"""

from typing import ClassVar, Final, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.systems.base import AbstractSystem, Time, uniform
from sparsedyn.systems.excitation import Channels, Feedback
from sparsedyn.systems.signals import APRBS, Constant, Impulses

LEDGE_CONDUCTIVITY: Final = 2.5  # W / (m K)
WALL_CONDUCTIVITY: Final = 6.5  # W / (m K)
WALL_THICKNESS: Final = 0.1  # m
BATH_TRANSFER: Final = 1200.0  # W / (m^2 K)
WALL_TRANSFER: Final = 25.0  # W / (m^2 K)
AREA: Final = 17.92  # m^2
HEAT_OF_FUSION: Final = 119495.0
AMBIENT: Final = 35.0  # degC

# The constants k of the paper's balances.
K0: Final = 2e-5
K1: Final = 2 * LEDGE_CONDUCTIVITY * AREA / HEAT_OF_FUSION
K2: Final = BATH_TRANSFER * AREA / HEAT_OF_FUSION
K3: Final = 1.7e-7
K4: Final = 0.02
K5: Final = 0.03
K6: Final = 4.43e-8
K7: Final = 1881 * K2
K8: Final = 1881 * K1
K9: Final = AREA
K10: Final = 1 / BATH_TRANSFER
K11: Final = 1 / (2 * LEDGE_CONDUCTIVITY)
K12: Final = 1320 * K2
K13: Final = 1320 * K1
K14: Final = WALL_THICKNESS / (2 * WALL_CONDUCTIVITY)
K15: Final = 1 / (2 * LEDGE_CONDUCTIVITY)
K17: Final = 6e-7
K20: Final = 1 / WALL_TRANSFER
ALPHA: Final = 5.66e-4
BETA: Final = 7.58e-4

Scalar = Float[Array, ""]


class AluminumCell(AbstractSystem):
    """The aluminum electrolysis cell with 8 states and 5 inputs, sampled every 10 s.

    States: masses of side ledge, alumina (Al2O3), aluminum fluoride (AlF3), cryolite (Na3AlF6) and metal in
    kg; temperatures of bath, side ledge and wall in degC. Inputs: alumina feed, aluminum fluoride feed and
    metal tapping in kg/s, line current in A, anode-cathode distance in m. Outputs: cell voltage in V,
    liquidus temperature in degC.

    The bubble coverage has a pole at 2.064 % alumina. Trajectories start as low as 2 % and cross it.
    """

    name: ClassVar[str] = "aluminum-cell"
    state_names: ClassVar[tuple[str, ...]] = (
        "side_ledge",
        "alumina",
        "aluminum_fluoride",
        "cryolite",
        "metal",
        "bath_temperature",
        "ledge_temperature",
        "wall_temperature",
    )
    state_units: ClassVar[tuple[str, ...]] = ("kg",) * 5 + ("degC",) * 3
    input_names: ClassVar[tuple[str, ...]] = (
        "alumina_feed",
        "line_current",
        "fluoride_feed",
        "metal_tapping",
        "anode_distance",
    )
    input_units: ClassVar[tuple[str, ...]] = ("kg/s", "A", "kg/s", "kg/s", "m")
    output_names: ClassVar[tuple[str, ...]] = ("cell_voltage", "liquidus_temperature")
    output_units: ClassVar[tuple[str, ...]] = ("V", "degC")
    dt: ClassVar[float] = 10.0
    sampled: ClassVar[bool] = True

    def field(self, t: Time, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Balances of mass (kg/s) and of energy (degC/s), with w the freezing rate of the ledge."""
        ledge, _, _, _, _, bath, ledge_temperature, wall = x
        alumina_feed, current, fluoride_feed, tapping, _ = u
        liquidus = liquidus_temperature(*mass_percent(x))
        ledge_thickness = K0 * ledge
        superheat = bath - liquidus
        undercooling = liquidus - ledge_temperature
        w = K1 * undercooling / ledge_thickness - K2 * superheat
        bath_to_ledge = K9 * (bath - ledge_temperature) / (K10 + K11 * ledge_thickness)
        melting = K7 * superheat**2 - K8 * superheat * undercooling / ledge_thickness
        freezing = K12 * superheat * undercooling - K13 * undercooling**2 / ledge_thickness
        into_ledge = K9 * undercooling / (K15 * ledge_thickness)
        ledge_to_wall = K9 * (ledge_temperature - wall) / (K14 + K15 * ledge_thickness)
        wall_to_air = K9 * (wall - AMBIENT) / (K14 + K20)
        return jnp.stack(
            [
                w,
                alumina_feed - K3 * current,
                fluoride_feed - K4 * alumina_feed,
                -w + K5 * alumina_feed,
                K6 * current - tapping,
                ALPHA / jnp.sum(x[1:4]) * (current * cell_voltage(x, u) - bath_to_ledge - melting),
                BETA / ledge * (into_ledge - ledge_to_wall - freezing),
                K17 * (ledge_to_wall - wall_to_air),
            ]
        )

    def readout(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, "2"]:
        """Cell voltage in V and liquidus temperature in degC."""
        return jnp.stack([cell_voltage(x, u), liquidus_temperature(*mass_percent(x))])

    def initial(self, key: PRNGKeyArray) -> Float[Array, " state"]:
        """Uniform; alumina and fluoride follow from their mass fractions (2..5 % and 9..13 % of the bath)."""
        ledge, c2, c3, cryolite, metal, *temperatures = uniform(
            key,
            low=(2060.0, 0.02, 0.09, 11500.0, 9750.0, 960.0, 790.0, 555.0),
            high=(4460.0, 0.05, 0.13, 16000.0, 10000.0, 990.0, 850.0, 610.0),
        )
        bath = cryolite / (1 - c2 - c3)
        return jnp.stack([ledge, c2 * bath, c3 * bath, cryolite, metal, *temperatures])

    def excitation(self) -> Channels:
        """Feeders that keep alumina, fluoride and metal in range, with random levels and impulses on top."""
        start = (1000.0, 11000.0)
        return Channels(
            Feedback(Feeder("alumina", 0.023, gain=30000.0, least=140.0, most=220.0))
            + Impulses(1.0, 20.0, shortest=5000.0, longest=20000.0, first=start),
            Constant(140000.0) + APRBS(-22000.0, 15000.0, shortest=1000.0, longest=11000.0, rest=0.0),
            Feedback(Feeder("fluoride", 0.105, gain=13000.0, least=20.0, most=80.0))
            + Impulses(1.0, 10.0, shortest=10000.0, longest=30000.0, first=start),
            Feedback(Feeder("metal", 10000.0, gain=-300.0, least=20.0, most=90.0)),
            Constant(0.05) + APRBS(-0.007, 0.007, shortest=1000.0, longest=11000.0, rest=0.0),
        )


class Feeder(eqx.Module):
    """Proportional dosing in kg/s with a dead zone: `gain (reference - measured)`, for one sample.

    A dose below `least` kg per sample is not given at all, one above `most` is cut. What is measured is the
    mass fraction of alumina or of fluoride in the bath, or the mass of the metal in kg (a negative gain taps
    it).
    """

    measured: Literal["alumina", "fluoride", "metal"]
    reference: float = eqx.field(converter=float)
    gain: float = eqx.field(converter=float)
    least: float = eqx.field(converter=float)
    most: float = eqx.field(converter=float)

    def __call__(self, x: Float[Array, " state"], dt: float) -> Scalar:
        """Rate in kg/s at the state `x`."""
        if self.measured == "metal":
            value = x[4]
        else:
            value = x[1 if self.measured == "alumina" else 2] / jnp.sum(x[1:4])
        rate = self.gain * (self.reference - value)
        return jnp.where(rate < self.least / dt, 0.0, jnp.minimum(rate, self.most / dt))


def mass_percent(x: Float[Array, " state"]) -> tuple[Scalar, Scalar]:
    """Mass percent of alumina and of aluminum fluoride in the bath."""
    bath = jnp.sum(x[1:4])
    return 100 * x[1] / bath, 100 * x[2] / bath


def liquidus_temperature(alumina: Scalar, fluoride: Scalar) -> Scalar:
    """Temperature in degC below which the bath freezes; alumina and fluoride in mass percent."""
    return (
        991.2
        + 1.12 * fluoride
        - 0.13 * fluoride**2.2
        + 0.061 * fluoride**1.5
        - 7.93 * alumina / (1 + 0.0936 * fluoride - 0.0017 * fluoride**2 - 0.0023 * fluoride * alumina)
    )


def cell_voltage(x: Float[Array, " state"], u: Float[Array, " input"]) -> Scalar:
    """Voltage in V over bubbles and bath: the bubble layer, then the anode-cathode distance."""
    alumina, _ = mass_percent(x)
    current, distance = u[1], u[4]
    conductivity = jnp.exp(2.496 - 2068.4 / (273 + x[5]) - 2.07e-2 * alumina)
    excess = alumina - 2.2
    coverage = (
        0.531
        + 6.958e-7 * current
        - 2.51e-12 * current**2
        + 3.06e-18 * current**3
        + (0.431 - 0.1437 * excess) / (1 + 7.353 * excess)
    )
    thickness = (0.5517 + 3.8168e-6 * current) / (1 + 8.271e-6 * current)
    bubbles = 3.8168e-6 * coverage * thickness * current / (conductivity * (1 - coverage))
    return bubbles + current * distance / (2620 * conductivity)

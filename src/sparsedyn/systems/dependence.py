"""The derivatives of a plant as functions of one point, to see what they depend on."""

import equinox as eqx
import jax
from jaxtyping import Array, Float

from sparsedyn.systems.base import AbstractSystem, runge_kutta

# A smooth plant is followed over one sample in this many Runge-Kutta steps: the error is far below any threshold.
PARTS = 16


class Equations(eqx.Module):
    """The vector field of a plant: what is absent from an equation has no effect."""

    system: AbstractSystem

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the time derivative at the state `x` and the input `u`."""
        return self.system.field(0.0, x, u)


class MeanDerivative(eqx.Module):
    """The mean derivative over one sample, the input held: as forward differences estimate it.

    Within a sample an input spreads to states whose equations do not hold it, so this one depends on more, mostly
    weakly, than the equations do.
    """

    system: AbstractSystem
    dt: float

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the increment from the state `x` over one sample, divided by its length."""
        parts = 1 if self.system.sampled else PARTS
        end = jax.lax.fori_loop(0, parts, lambda _, state: runge_kutta(self.system, state, u, self.dt / parts), x)
        return (end - x) / self.dt

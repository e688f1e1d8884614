"""When to prune, and how much by then: times are fractions of training."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from sparsedyn.sparsify import arguments


class AbstractTiming(eqx.Module):
    """Turns, and the share of the final sparsity that is due at each."""

    @abstractmethod
    def turns(self) -> tuple[float, ...]:
        """Return the fractions of training at which something is due."""

    @abstractmethod
    def level(self, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the share, in [0, 1], of the final sparsity that is due at this fraction of training."""


class OneShot(AbstractTiming):
    """All at once, at the fraction `at`."""

    at: float = eqx.field(static=True, default=0.5)

    def __check_init__(self) -> None:
        arguments.one_shot(self.at)

    def turns(self) -> tuple[float, ...]:
        """Return the one turn."""
        return (self.at,)

    def level(self, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return one."""
        return jnp.ones_like(progress)


class Stages(AbstractTiming):
    """Iterative pruning at the given fractions, in equal parts or to the given `shares` of the final sparsity.

    Source: Han et al. 2015.
    """

    at: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=(0.1, 0.2, 0.3, 0.4))
    shares: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=())

    def __check_init__(self) -> None:
        arguments.stages(self.at, self.shares)

    def turns(self) -> tuple[float, ...]:
        """Return the given fractions."""
        return self.at

    def level(self, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the share that is due at the last stage that is reached."""
        levels = self.shares or tuple((i + 1) / len(self.at) for i in range(len(self.at)))
        reached = jnp.sum(jnp.asarray(self.at, jnp.float32) <= progress)
        return jnp.asarray((0.0, *levels), jnp.float32)[reached]


class Cubic(AbstractTiming):
    """Gradual pruning: `1 - (1 - t)^3` of the final sparsity, in `times` small cuts from `begin` to `end`.

    Source: Zhu & Gupta 2017.
    """

    begin: float = eqx.field(static=True, default=0.0)
    end: float = eqx.field(static=True, default=0.5)
    times: int = eqx.field(static=True, default=50)

    def __check_init__(self) -> None:
        arguments.cubic(self.begin, self.end, self.times)

    def turns(self) -> tuple[float, ...]:
        """Return evenly spaced fractions."""
        return arguments.evenly(self.begin, self.end, self.times)

    def level(self, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the cubic ramp, exactly one from `end` on."""
        share = jnp.clip((progress - self.begin) / (self.end - self.begin), 0.0, 1.0)
        return jnp.where(progress >= jnp.float32(self.end), 1.0, 1.0 - (1.0 - share) ** 3)

"""Penalties on the weights: L1, L2 and smoothed L0.5."""

from abc import abstractmethod
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractUnrevised, Free, Weights


class AbstractPenalty(AbstractUnrevised):
    """A technique that only adds a term to the loss."""

    weight: float | Float[Array, "..."]

    def __check_init__(self) -> None:
        arguments.l1(self.weight)

    @abstractmethod
    def cost(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the elementwise cost."""

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return the weights unchanged."""
        return Free(weights, None), None

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the weights unchanged."""
        return free.weights

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return `weight * sum(cost(w))` over all entries of all matrices."""
        return self.weight * sum((jnp.sum(self.cost(w)) for w in jax.tree.leaves(free.weights)), jnp.zeros(()))


class L1(AbstractPenalty):
    """`weight * sum |w|`. With Adam it leaves small weights rather than exact zeros. Tibshirani 1996."""

    weight: float | Float[Array, "..."] = 1e-4

    def cost(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return `|w|`."""
        # Not jnp.abs: its gradient at zero is one, which would push a pruned weight.
        return jnp.sign(w) * w


class L2(AbstractPenalty):
    """`weight * sum w^2`."""

    weight: float | Float[Array, "..."] = 1e-4

    def cost(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return `w^2`."""
        return jnp.square(w)


class AbstractRoot(AbstractPenalty):
    """`weight * sum |w|^q` with `q < 1`, smoothed: a quartic replaces |w| below `a`, so that the gradient at zero is
    finite."""

    a: float | Float[Array, "..."]
    power: eqx.AbstractClassVar[float]

    def __check_init__(self) -> None:
        arguments.root(self.weight, self.a)

    def cost(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return `|w|^q` above `a`, `(-w^4/(8 a^3) + 3 w^2/(4 a) + 3 a/8)^q` below."""
        a = self.a
        large = jnp.abs(w) >= a
        # Both branches stay finite everywhere: a NaN in the branch not taken would still poison the gradient.
        inner = jnp.where(large, 0.0, w)
        smooth = -(inner**4) / (8 * a**3) + 3 * inner**2 / (4 * a) + 3 * a / 8
        base = jnp.where(large, jnp.abs(w), smooth)
        return jnp.sqrt(base) if self.power == 0.5 else base**self.power


class L05(AbstractRoot):
    """Smoothed `weight * sum |w|^(1/2)`. Source: Wu et al. 2014; Kim et al. 2019, eq. (3)."""

    weight: float | Float[Array, "..."] = 5e-3
    a: float | Float[Array, "..."] = 0.01
    power: ClassVar[float] = 0.5


class L03(AbstractRoot):
    """Smoothed `weight * sum |w|^0.3`, for comparison. Source: Kim et al. 2019, section II-A."""

    weight: float | Float[Array, "..."] = 5e-3
    a: float | Float[Array, "..."] = 0.01
    power: ClassVar[float] = 0.3


class L07(AbstractRoot):
    """Smoothed `weight * sum |w|^0.7`, for comparison. Source: Kim et al. 2019, section II-A."""

    weight: float | Float[Array, "..."] = 5e-3
    a: float | Float[Array, "..."] = 0.01
    power: ClassVar[float] = 0.7

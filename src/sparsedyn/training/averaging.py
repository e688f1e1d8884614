"""Averages of the weights over the end of training: SWA and EMA."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from sparsedyn.sparsify.arguments import evenly


class Averaged(NamedTuple):
    """The running average and how many snapshots are in it."""

    value: PyTree
    snapshots: Float[Array, "..."]


class AbstractAverage(eqx.Module):
    """An average over snapshots of what the optimizer moves, read out through the sparsifier at the end.

    `active` is a leaf (1 or 0), so that averaged and plain runs share one computation.
    """

    active: eqx.AbstractVar[float | Float[Array, "..."]]
    start: eqx.AbstractVar[float]
    learning_rate: eqx.AbstractVar[float | None]
    raised: eqx.AbstractVar[bool]

    @abstractmethod
    def turns(self) -> tuple[float, ...]:
        """Return the fractions of training at which a snapshot is taken."""

    @abstractmethod
    def weight(self, count: Float[Array, ""]) -> Float[Array, ""]:
        """Return the weight of the next snapshot when the average has `count` already."""

    def init(self, value: PyTree) -> Averaged:
        """Return an empty average."""
        return Averaged(value, jnp.zeros(()))

    def update(self, averaged: Averaged, value: PyTree) -> Averaged:
        """Return the average with one more snapshot."""
        weight = self.weight(averaged.snapshots)
        moved = jax.tree.map(lambda mean, new: mean + weight * (new - mean), averaged.value, value)
        return Averaged(moved, averaged.snapshots + 1.0)

    def read(self, averaged: Averaged, last: PyTree) -> Any:
        """Return the average where it is active and has snapshots, `last` elsewhere."""
        use = (jnp.asarray(self.active) > 0) & (averaged.snapshots > 0)
        return jax.tree.map(lambda mean, end: jnp.where(use, mean, end), averaged.value, last)


class SWA(AbstractAverage):
    """Stochastic weight averaging: the mean of `snapshots` weights from `start` on, at a raised rate.

    `learning_rate` None raises the rate to half of the base rate; `raised` off keeps the schedule's own rates.
    Source: Izmailov et al. 2018. Differs from the source: snapshots come several times an epoch.
    """

    start: float = eqx.field(static=True, default=0.75)
    learning_rate: float | None = eqx.field(static=True, default=None)
    raised: bool = eqx.field(static=True, default=True)
    snapshots: int = eqx.field(static=True, default=100)
    active: float | Float[Array, "..."] = 1.0

    def turns(self) -> tuple[float, ...]:
        """Return evenly spaced fractions from `start` to the end."""
        return evenly(self.start, 1.0, self.snapshots)

    def weight(self, count: Float[Array, ""]) -> Float[Array, ""]:
        """Return `1 / (count + 1)`."""
        return 1.0 / (count + 1.0)


class EMA(AbstractAverage):
    """Exponential moving average with a memory of `memory` snapshots, over training from `start` on."""

    start: float = eqx.field(static=True, default=0.75)
    memory: float = eqx.field(static=True, default=20.0)
    learning_rate: float | None = eqx.field(static=True, default=None)
    raised: bool = eqx.field(static=True, default=True)
    snapshots: int = eqx.field(static=True, default=100)
    active: float | Float[Array, "..."] = 1.0

    def turns(self) -> tuple[float, ...]:
        """Return evenly spaced fractions from `start` to the end."""
        return evenly(self.start, 1.0, self.snapshots)

    def weight(self, count: Float[Array, ""]) -> Float[Array, ""]:
        """Return `1 / (count + 1)` until the memory is full, `1 / memory` then."""
        return 1.0 / jnp.minimum(count + 1.0, self.memory)


AVERAGES: dict[str, type[AbstractAverage]] = {"swa": SWA, "ema": EMA}

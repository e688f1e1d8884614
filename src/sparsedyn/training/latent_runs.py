"""Free runs of latent states as an objective of gradient training: models with the initial states of their windows."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn.models import AbstractModel, StateSpace
from sparsedyn.models.state_space import BOUNDS

NETWORK = ("F", "G", "H")
"""The matrices of a network's units, which techniques make sparse."""


class LatentRuns(AbstractModel):
    """A state-space model in training, together with the initial state of every window, which is trained along.

    The `F` of `raw` counts in `scale`, the size of what states change by from row to row: its entries are then about as
    large as those of the other matrices, as techniques that compare them expect. Bounds and `scale` are not trained.
    """

    raw: StateSpace
    starts: Float[np.ndarray | Array, "*member window state"]
    scale: Float[np.ndarray | Array, "*member state"]

    @property
    def model(self) -> StateSpace:
        """The model as it runs."""

        def fields(one: Any) -> list[Any]:
            return [one.F, *(getattr(one, name) for name in BOUNDS)]

        F, *bounds = fields(self.raw)
        F = jax.lax.stop_gradient(jnp.asarray(self.scale))[:, None] * F
        return eqx.tree_at(fields, self.raw, [F, *map(jax.lax.stop_gradient, bounds)])

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the latent state of the next row."""
        return self.model.step(x, u)

    def sparse_part(self) -> "LatentRuns":
        """Return flags that are true for the matrices of the units: the linear part is small already."""
        flags: LatentRuns = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda runs: [getattr(runs.raw, n) for n in NETWORK], flags, [True] * len(NETWORK))


class WindowRows(NamedTuple):
    """Windows by their place, and what each of their rows counts."""

    window: Int[np.ndarray | Array, " window"]
    weight: Float[np.ndarray | Array, "window row"]


class FreeRunMatching(eqx.Module):
    """Mean squared error of free runs over windows, from trained initial states, in standardized units.

    States are held within `reach`: a run that diverges has a finite error, and its gradient is that of the rows before.
    """

    u: Float[np.ndarray | Array, "window row input"]
    y: Float[np.ndarray | Array, "window row output"]
    reach: float = eqx.field(static=True, default=100.0)

    def __call__(self, model: LatentRuns, batch: WindowRows, key: PRNGKeyArray) -> Float[Array, ""]:
        """Return the mean over rows that count, and outputs."""
        one = model.model
        u, y = jnp.asarray(self.u)[batch.window], jnp.asarray(self.y)[batch.window]

        def row(x: Array, forcing: Array) -> tuple[Array, Array]:
            following = jax.vmap(one.step)(x, forcing)
            return jnp.clip(following, -self.reach, self.reach), jax.vmap(one.output)(x, forcing)

        start = jnp.asarray(model.starts)[batch.window]
        _, outputs = jax.lax.scan(row, start, jnp.swapaxes(u, 0, 1))
        squared = jnp.sum(jnp.square(jnp.swapaxes(outputs, 0, 1) - y), axis=2)
        weight = jnp.asarray(batch.weight)
        return jnp.sum(weight * squared) / jnp.maximum(jnp.sum(weight) * y.shape[2], 1.0)

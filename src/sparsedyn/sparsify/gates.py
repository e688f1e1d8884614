"""Hard-concrete gates: a differentiable surrogate of the L0 norm."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractUnrevised, Free, Weights


class L0(AbstractUnrevised):
    """Every weight is multiplied by a stochastic gate in [0, 1] with mass at exactly 0 and 1; `weight` times
    the expected number of open gates is added to the loss.

    Gate: `s = sigmoid((log e - log(1 - e) + log_alpha) / beta)`, `z = clip(s (zeta - gamma) + gamma, 0, 1)`
    with `e` uniform. Read-out: the same with `sigmoid(log_alpha)` for `s`. Source: Louizos, Welling & Kingma
    2018.
    """

    weight: float | Float[Array, "..."] = 1e-3
    drop_rate: float | Float[Array, "..."] = 0.5
    beta: float | Float[Array, "..."] = 2.0 / 3.0
    gamma: float | Float[Array, "..."] = -0.1
    zeta: float | Float[Array, "..."] = 1.1

    def __check_init__(self) -> None:
        arguments.l0(self.weight, self.drop_rate)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return gate logits `log((1 - p) / p)` for the drop rate `p`, with a little noise to break ties."""
        leaves, structure = jax.tree.flatten(weights)
        keys = jax.random.split(key, max(len(leaves), 1))
        centre = jnp.log(1.0 - jnp.asarray(self.drop_rate)) - jnp.log(jnp.asarray(self.drop_rate))
        logits = [centre + 0.01 * jax.random.normal(k, w.shape) for k, w in zip(keys, leaves, strict=False)]
        return Free(weights, jax.tree.unflatten(structure, logits)), None

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the gated weights: sampled gates with a key, the deterministic ones without."""
        leaves, structure = jax.tree.flatten(free.weights)
        logits = jax.tree.leaves(free.aux)
        if key is None:
            gates = [jax.nn.sigmoid(a) for a in logits]
        else:
            keys = jax.random.split(key, max(len(leaves), 1))
            noise = [jax.random.logistic(k, a.shape, a.dtype) for k, a in zip(keys, logits, strict=False)]
            gates = [jax.nn.sigmoid((n + a) / self.beta) for n, a in zip(noise, logits, strict=True)]
        stretched = [jnp.clip(s * (self.zeta - self.gamma) + self.gamma, 0.0, 1.0) for s in gates]
        return jax.tree.unflatten(structure, [w * z for w, z in zip(leaves, stretched, strict=True)])

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return `weight` times the expected number of gates that are not zero."""
        shift = self.beta * jnp.log(-jnp.asarray(self.gamma) / self.zeta)
        total = sum((jnp.sum(jax.nn.sigmoid(a - shift)) for a in jax.tree.leaves(free.aux)), jnp.zeros(()))
        return self.weight * total

"""Vary the penalty of a technique over training."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractSparsifier, Flags, Free, Revised, Weights


class Phases(AbstractSparsifier):
    """The `technique` with its penalty times a factor: `levels` at the fractions `at`, straight lines between them.

    Free training, then sparsity, then fine-tuning of what a threshold leaves:
    `Chain(Phases(L05(5e-3), at=(0.2, 0.3, 0.6), levels=(0, 1, 0)), SequentialThresholding(0.01, at=(0.6,)))`.

    Source: Martius & Lampert 2016; Kim et al. 2019, section III-D.
    """

    technique: AbstractSparsifier
    at: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=(0.3, 0.6))
    levels: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=(0.03, 1.0))

    def __check_init__(self) -> None:
        if not isinstance(self.technique, AbstractSparsifier):
            raise ValueError(f"technique: expected one such as L05(5e-3); got {self.technique!r}.")
        arguments.phases(self.technique, self.at, self.levels)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Initialize the technique."""
        return self.technique.init(weights, key=key)

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the technique's weights."""
        return self.technique.effective(free, memo, key=key)

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the technique's penalty times the factor of this fraction of training."""
        factor = jnp.interp(progress, jnp.asarray(self.at), jnp.asarray(self.levels))
        return factor * self.technique.penalty(free, memo, progress)

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return the technique's masks."""
        return self.technique.active(memo, weights)

    def turns(self) -> tuple[float, ...]:
        """Return the technique's turns."""
        return self.technique.turns()

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Let the technique revise."""
        return self.technique.revise(free, memo, dense_grad, progress, key=key)

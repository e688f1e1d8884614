"""The objective for finding coordinates and their equation together."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.models.autoencoder import Autoencoder, Jet, pushforward, support
from sparsedyn.models.terms import contributions
from sparsedyn.training.projection import projected, rms

FOLLOW = 1e-3
"""Weight of the term by which the model follows projected sizes: arbitrary, since Adam's steps do not depend on it."""
FOLLOWED = 0.5
"""Sizes are followed up to this one, which is beyond every threshold: larger ones would lag behind."""


def _single(values: Any) -> np.ndarray:
    return np.asarray(values, np.float32)


def _unless_zero(weight: float | None) -> float | None:
    return float(weight) if weight else None


class LatentDynamics(eqx.Module):
    """Reconstruction, derivatives in data and in latent space, and few terms: an objective of `training.fit`.

    Each error is a mean square relative to the mean square of what it is an error of, or, with `relative` off, a plain
    mean square as published. `importance` are the weights of the coordinates of `x` in them (none: all alike): data
    that were scaled coordinate by coordinate keep the meaning of their errors by it.

    `coefficients` is how the equation's coefficients come about. `trained`: the model's array holds them. `projected`:
    they are the least-squares solution on the batch, differentiated through (variable projection); the model's array
    says by its zeros which terms there are, and follows the sizes of what is found, so that techniques can threshold
    it. With `contributions` these sizes, and what `sparsity` and techniques act on, are contributions
    (`models.contributions`) rather than coefficients. `sparsity` weighs their sum, or with `mean` their
    mean.

    `spread` holds latent variables near mean 0 and variance 1, which contributions and relative errors leave free.
    `bending` is the price of what the encoder does beside its linear part, as a share of the latent variance. Bent
    coordinates can make up for wrong coefficients, at errors too small to notice. What these two weigh is left
    out where the weight is zero.

    Weights and `importance` are data to a compiled training: objectives that differ in them alone share it.

    Source: Champion et al. 2019; projection and contributions are not in it.
    """

    decoder: float = eqx.field(default=1.0, converter=float)
    derivative: float = eqx.field(default=0.1, converter=float)
    latent: float = eqx.field(default=0.1, converter=float)
    sparsity: float = eqx.field(default=0.0, converter=float)
    spread: float | None = eqx.field(default=None, converter=_unless_zero)
    bending: float | None = eqx.field(default=None, converter=_unless_zero)
    coefficients: Literal["trained", "projected"] = eqx.field(default="projected", static=True)
    contributions: bool = eqx.field(default=True, static=True)
    relative: bool = eqx.field(default=True, static=True)
    mean: bool = eqx.field(default=False, static=True)
    importance: Float[np.ndarray | Array, " feature"] = eqx.field(default=(), converter=_single)

    def __call__(self, model: Autoencoder, batch: Jet, key: PRNGKeyArray) -> Float[Array, ""]:
        """Return the weighted sum over a batch."""
        moved = pushforward(model.encoder, batch)
        theta, target = model.library(moved.state), jnp.asarray(moved.highest)
        found, size = self._equation(model, theta, target)
        predicted = theta @ found
        path = Jet(moved.value, predicted) if batch.second is None else Jet(moved.value, moved.first, predicted)
        restored = pushforward(model.decoder, path)
        loss = self.decoder * self._error(restored.value, batch.value, self._weights)
        loss += self.derivative * self._error(restored.highest, batch.highest, self._weights)
        loss += self.latent * self._error(predicted, target)
        loss += self.sparsity * (jnp.mean(size) if self.mean else jnp.sum(size))
        if self.coefficients == "projected":
            followed = jnp.minimum(jax.lax.stop_gradient(size), FOLLOWED)
            loss += FOLLOW * jnp.mean(jnp.square(model.coefficients - followed))
        if self.spread is not None:
            mean, variance = jnp.mean(moved.value, axis=0), jnp.var(moved.value, axis=0)
            loss += self.spread * jnp.mean(jnp.square(mean) + jnp.square(variance - 1.0))
        if self.bending is not None:
            bent = jnp.var(moved.value - model.encoder.linear_part(batch.value), axis=0)
            loss += self.bending * jnp.mean(bent / jax.lax.stop_gradient(jnp.var(moved.value, axis=0)))
        return loss

    def _equation(self, model: Autoencoder, theta: Array, target: Array) -> tuple[Array, Array]:
        """Return the coefficients and their sizes."""
        if self.coefficients == "projected":
            found = projected(theta, target, support(model))
            return found, contributions(found, rms(theta), rms(target)) if self.contributions else jnp.abs(found)
        held = model.coefficients
        if not self.contributions:
            return held, jnp.abs(held)
        unit = jax.lax.stop_gradient(contributions(jnp.ones_like(held), rms(theta), rms(target)))
        return held / unit, jnp.abs(held)

    @property
    def _weights(self) -> Array | None:
        return jnp.asarray(self.importance) if self.importance.size else None

    def _error(self, found: Any, wanted: Any, importance: Array | None = None) -> Array:
        weights = jnp.ones(wanted.shape[-1]) if importance is None else importance
        error: Array = jnp.mean(weights * jnp.square(found - wanted))
        return error / jnp.mean(weights * jnp.square(wanted)) if self.relative else error

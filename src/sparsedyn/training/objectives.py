"""What training minimizes: a function of a model, a batch and a key."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.data import Samples
from sparsedyn.models import AbstractModel, DigitSum, Propagator
from sparsedyn.models.convolution import normalized

Objective = Callable[[Any, Any, PRNGKeyArray], Float[Array, ""]]

SPREAD = 0.5
"""Standard deviation of an encoded variable: most of it lies where primitives are at their most expressive, [-1, 1]."""


class Digits(NamedTuple):
    """Images `(sample, row, column, channel)` and the digits on them."""

    image: Float[np.ndarray | Array, "sample row column channel"]
    digit: Float[np.ndarray | Array, " sample"]


class Series(NamedTuple):
    """Series that were `seen`, and for each the states from which and to which it is to be `propagated`."""

    seen: Float[np.ndarray | Array, "sample time channel"]
    propagated: Float[np.ndarray | Array, "sample step state"]


def derivative_matching(model: AbstractModel, batch: Samples, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean squared error of the model's derivative over samples and states, in the samples' scaled units."""
    predicted = jax.vmap(model)(jnp.asarray(batch.x), jnp.asarray(batch.u))
    return jnp.mean(jnp.square(predicted - batch.dx))


@cache
def digit_sums(below: int, *, partners: int = 4, normalize: bool = True) -> Objective:
    """Return the mean squared error of sums of two digits, over pairs in a batch whose sum is less than `below`.

    Every image is paired with the `partners` that come after it in the batch, which is in random order. With
    `normalize` the encoded batch is brought to mean 0 and standard deviation 0.5.
    """

    def objective(model: DigitSum, batch: Digits, key: PRNGKeyArray) -> Float[Array, ""]:
        latent = jax.vmap(model.encoder)(jnp.asarray(batch.image))
        latent = normalized(latent, SPREAD) if normalize else latent
        digit = jnp.asarray(batch.digit)
        near = [jnp.roll(jnp.arange(digit.size), shift) for shift in range(1, partners + 1)]
        left, right = jnp.tile(jnp.arange(digit.size), partners), jnp.concatenate(near)
        wanted = digit[left] + digit[right]
        found = jax.vmap(model.combined)(latent[left], latent[right])[:, 0]
        counts = wanted < below
        error = jnp.sum(jnp.where(counts, jnp.square(found - wanted), 0.0))
        return error / jnp.maximum(jnp.sum(counts), 1)

    return objective


@cache
def propagation(steps: int, *, normalize: bool = True) -> Objective:
    """Return the mean squared error of the first `steps` propagated states.

    With `normalize` the encoded batch is brought to mean 0 and standard deviation 0.5.
    """

    def objective(model: Propagator, batch: Series, key: PRNGKeyArray) -> Float[Array, ""]:
        latent = jax.vmap(model.encoder)(jnp.asarray(batch.seen))
        latent = normalized(latent, SPREAD) if normalize else latent
        truth = jnp.asarray(batch.propagated)
        found = jax.vmap(lambda start, z: model.propagated(start, z, steps))(truth[:, 0], latent)
        return jnp.mean(jnp.square(found - truth[:, 1 : steps + 1]))

    return objective

"""The sum of two digits: one encoder for both images, an equation of the two numbers, and what it is trained on."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from sparsedyn.models import AbstractModel, flags_of
from sparsedyn.training import Objective
from sparsedyn_papers.kim2019.encoder import SPREAD, Encoder, normalized

MIDDLE = 9.0
"""Sums of two digits lie in 9 ± 9: the head computes in units of that."""


class Digits(NamedTuple):
    """Images `(sample, row, column, channel)` and the digits on them."""

    image: Float[np.ndarray | Array, "sample row column channel"]
    digit: Float[np.ndarray | Array, " sample"]


class DigitSum(AbstractModel):
    """`9 head(z1, z2) + 9` of the encoded images `z1`, `z2`; techniques act on the head alone.

    Source: Kim et al. 2019, section III-B.
    """

    encoder: Encoder
    head: AbstractModel

    def __call__(
        self, x: Float[Array, "row column channel"], u: Float[Array, "row column channel"]
    ) -> Float[Array, " 1"]:
        """Return the sum of the digits on the images `x` and `u`."""
        return self.combined(self.encoder(x), self.encoder(u))

    def combined(self, first: Float[Array, " 1"], second: Float[Array, " 1"]) -> Float[Array, " 1"]:
        """Return the sum that belongs to two encoded images."""
        return MIDDLE * self.head(first, second) + MIDDLE

    def sparse_part(self) -> PyTree[bool]:
        """Flag what the head flags."""
        return flags_of(self, lambda model: model.head)


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

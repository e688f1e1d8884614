"""An autoencoder with latent dynamics: coordinates, and the equation that they obey."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.library import Library
from sparsedyn.models.mlp import ACTIVATIONS

Numbers = Array | np.ndarray


class Chart(eqx.Module):
    """A change of coordinates: an MLP, plus a linear part where `linear` is not `None`.

    It takes any leading axes. Weights are Glorot-uniform, biases zero.
    """

    linear: Float[Array, "_in _out"] | None
    weights: tuple[Float[Array, "_fan_in _fan_out"], ...]
    biases: tuple[Float[Array, " _fan_out"], ...]
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        linear: Float[Array, "_in _out"] | None,
        activation: str,
        last: float = 1.0,
        key: PRNGKeyArray,
    ):
        """`sizes` are the widths from input to output; `last` multiplies the weights of the last layer."""
        keys = jax.random.split(key, len(sizes) - 1)
        glorot = jax.nn.initializers.glorot_uniform()
        weights = [glorot(k, (i, o)) for k, (i, o) in zip(keys, pairwise(sizes), strict=True)]
        self.weights = (*weights[:-1], last * weights[-1])
        self.biases = tuple(jnp.zeros(o) for o in sizes[1:])
        self.linear = linear
        self.activation = activation

    def __call__(self, values: Float[Numbers, "*batch _in"]) -> Float[Array, "*batch _out"]:
        """Return the new coordinates of points."""
        return self.hidden(values) @ self.weights[-1] + self.biases[-1] + self.linear_part(values)

    def hidden(self, values: Float[Numbers, "*batch _in"]) -> Float[Array, "*batch _width"]:
        """Return the input of the last layer."""
        hidden = jnp.asarray(values)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = ACTIVATIONS[self.activation](hidden @ weight + bias)
        return hidden

    def linear_part(self, values: Float[Numbers, "*batch _in"]) -> Float[Array, "*batch _out"]:
        """Return the contribution of the linear part."""
        if self.linear is None:
            return jnp.zeros((*values.shape[:-1], self.biases[-1].size))
        return jnp.asarray(values) @ self.linear


class Autoencoder(AbstractModel):
    """Encoder, decoder and `library(z) @ coefficients`, the derivative of order `order` of the latent variables.

    Called as a model it is the latent right-hand side: of `z`, or for `order` 2 of `(z, z')`. Only the coefficients are
    made sparse.

    Attributes: `encoder`, `decoder`; `coefficients` (term, latent); `library`, of `order` times `latent` variables.

    Source: Champion et al. 2019.
    """

    encoder: Chart
    decoder: Chart
    coefficients: Float[Array, "term latent"]
    library: Library = eqx.field(static=True)
    order: int = eqx.field(static=True)

    def __init__(
        self,
        features: int,
        library: Library,
        *,
        order: int = 1,
        widths: Sequence[int] = (64, 32),
        activation: str = "silu",
        linear: bool = True,
        coefficients: Float[Array, "term latent"],
        key: PRNGKeyArray,
    ):
        """Draw the weights; with `linear` both halves begin near one random projection and its transpose."""
        latent = library.variables // order
        keys = jax.random.split(key, 3)
        plane = None
        if linear:
            plane = jnp.linalg.qr(jax.random.normal(keys[0], (features, max(latent, 1))))[0]
        last = 0.1 if linear else 1.0
        self.encoder = Chart((features, *widths, latent), linear=plane, activation=activation, last=last, key=keys[1])
        self.decoder = Chart(
            (latent, *reversed(widths), features),
            linear=None if plane is None else plane.T,
            activation=activation,
            last=last,
            key=keys[2],
        )
        self.coefficients = coefficients
        self.library = library
        self.order = order

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the derivative of the latent state `(z,)` or `(z, z')`; there are no inputs."""
        highest = self.library(x) @ self.coefficients
        return highest if self.order == 1 else jnp.concatenate([x[x.size // 2 :], highest])

    def sparse_part(self) -> PyTree[bool]:
        """Mark the coefficients, and nothing else, as the part to be made sparse."""
        return eqx.tree_at(lambda m: m.coefficients, jax.tree.map(lambda _: False, self), replace=True)


class Jet(NamedTuple):
    """Points with their first and, where there is one, second derivative in time."""

    value: Float[Numbers, "*batch coordinate"]
    first: Float[Numbers, "*batch coordinate"]
    second: Float[Numbers, "*batch coordinate"] | None = None

    def map(self, function: Callable[[Any], Any]) -> "Jet":
        """Apply a function to each of the arrays."""
        second = None if self.second is None else function(self.second)
        return Jet(function(self.value), function(self.first), second)

    def blocks(self, size: int = 8192) -> "Iterator[Jet]":
        """Return the samples, along the first axis, in blocks small enough for networks to be applied to."""
        for begin in range(0, len(self.value), size):
            yield self.map(partial(_rows, begin=begin, end=begin + size))

    @property
    def highest(self) -> Any:
        """The derivative of the highest order that there is."""
        return self.first if self.second is None else self.second

    @property
    def state(self) -> Any:
        """What the right-hand side depends on: the values, or values and first derivatives."""
        return self.value if self.second is None else jnp.concatenate([self.value, self.first], axis=-1)


def _rows(values: Numbers, begin: int, end: int) -> Array:
    return jnp.asarray(values[begin:end])


def pushforward(chart: Callable[[Any], Array], jet: Jet) -> Jet:
    """Return a jet in new coordinates: derivatives by forward-mode differentiation, nested for the second."""
    value, first = jnp.asarray(jet.value), jnp.asarray(jet.first)
    if jet.second is None:
        return Jet(*jax.jvp(chart, (value,), (first,)))

    def with_velocity(value: Array, first: Array) -> tuple[Array, Array]:
        made: tuple[Array, Array] = jax.jvp(chart, (value,), (first,))
        return made

    (moved, velocity), (_, second) = jax.jvp(with_velocity, (value, first), (first, jnp.asarray(jet.second)))
    return Jet(moved, velocity, second)


def support(model: Autoencoder) -> Bool[Array, "term latent"]:
    """Return which terms the equations have."""
    return model.coefficients != 0

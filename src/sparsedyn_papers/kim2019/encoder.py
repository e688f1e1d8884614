"""An encoder: from a series or an image to one number."""

from collections.abc import Sequence
from itertools import pairwise, product

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Encoder(eqx.Module):
    """Convolutions with ReLU over time or space, fully connected ReLU layers, and one linear unit.

    `shape` is that of an input, channels last: `(time, channel)` or `(row, column, channel)`. The input is padded with
    zeros, so that strides and pools alone change its size. `stride` is that of every convolution; every convolution is
    followed by the maxima of blocks of `pool` cells a side.

    The output is known up to a factor and a shift only. Training takes out both, by normalizing it over the batch, and
    `standardized` writes what was taken out into the last layer: what remains has no statistics to carry along.
    """

    kernels: tuple[Float[Array, "..."], ...]
    kernel_biases: tuple[Float[Array, " _channel"], ...]
    weights: tuple[Float[Array, "_fan_in _fan_out"], ...]
    biases: tuple[Float[Array, " _fan_out"], ...]
    stride: int = eqx.field(static=True)
    pool: int = eqx.field(static=True)

    def __init__(
        self,
        shape: Sequence[int],
        filters: Sequence[int] = (16, 16),
        hidden: Sequence[int] = (16,),
        *,
        width: int = 5,
        stride: int = 1,
        pool: int = 1,
        key: PRNGKeyArray,
    ):
        sizes, channels = list(shape[:-1]), [shape[-1], *filters]
        for _ in filters:
            sizes = [-(-size // stride) // pool for size in sizes]
        if min(sizes) < 1:
            raise ValueError(
                f"shape: expected at least {(stride * pool) ** len(filters)} cells a side for {len(filters)} "
                f"convolutions of stride {stride} and pool {pool}; got {tuple(shape[:-1])}. Use fewer or smaller ones."
            )
        features = channels[-1]
        for size in sizes:
            features *= size
        fans = [features, *hidden, 1]
        field = (width,) * len(sizes)
        keys = iter(jax.random.split(key, len(filters) + len(fans)))
        # He et al. 2015: ReLU halves the variance.
        self.kernels = tuple(
            jax.random.normal(next(keys), (*field, i, o)) * jnp.sqrt(2.0 / (i * width ** len(field)))
            for i, o in pairwise(channels)
        )
        self.kernel_biases = tuple(jnp.zeros(o) for o in channels[1:])
        self.weights = tuple(jax.random.normal(next(keys), (i, o)) * jnp.sqrt(2.0 / i) for i, o in pairwise(fans))
        self.biases = tuple(jnp.zeros(o) for o in fans[1:])
        self.stride, self.pool = stride, pool

    def __call__(self, x: Float[Array, "*space channel"]) -> Float[Array, " 1"]:
        """Return the number that stands for one input."""
        hidden = x
        for kernel, bias in zip(self.kernels, self.kernel_biases, strict=True):
            hidden = maxima(jax.nn.relu(convolved(hidden, kernel, self.stride) + bias), self.pool)
        flat = hidden.reshape(-1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            flat = jax.nn.relu(flat @ weight + bias)
        return flat @ self.weights[-1] + self.biases[-1]

    def standardized(self, mean: Float[Array, " 1"], deviation: Float[Array, " 1"], target: float) -> "Encoder":
        """Return the encoder whose output is `target (z - mean) / deviation` where this one's is `z`."""
        factor = target / deviation
        last = (self.weights[-1] * factor, (self.biases[-1] - mean) * factor)
        return eqx.tree_at(lambda e: (e.weights[-1], e.biases[-1]), self, last)


def convolved(
    x: Float[Array, "*space channel"], kernel: Float[Array, "..."], stride: int
) -> Float[Array, "*reduced filter"]:
    """Return the convolution over all axes of space, zeros around: row `i` of the result is centred on `i * stride`."""
    # A product of matrices: XLA's own convolution is ten times slower on CPU inside a loop of training steps.
    sizes = x.shape[:-1]
    reduced = [-(-size // stride) for size in sizes]
    missing = [max((r - 1) * stride + w - size, 0) for r, w, size in zip(reduced, kernel.shape, sizes, strict=False)]
    padded = jnp.pad(jax.lax.optimization_barrier(x), [*((m // 2, m - m // 2) for m in missing), (0, 0)])
    windows = [
        padded[tuple(slice(o, o + stride * (r - 1) + 1, stride) for o, r in zip(offset, reduced, strict=True))]
        for offset in product(*(range(w) for w in kernel.shape[:-2]))
    ]
    # Else the compiler writes out everything before once for each window: minutes for two layers.
    gathered = jax.lax.optimization_barrier(jnp.concatenate(windows, axis=-1))
    return gathered @ kernel.reshape(-1, kernel.shape[-1])


def maxima(x: Float[Array, "*space channel"], pool: int) -> Float[Array, "*reduced channel"]:
    """Return the maximum over every block of `pool` cells a side; what fills no block is left out."""
    for axis in range(x.ndim - 1):
        blocks = x.shape[axis] // pool
        cut = jax.lax.slice_in_dim(x, 0, blocks * pool, axis=axis)
        x = cut.reshape(*x.shape[:axis], blocks, pool, *x.shape[axis + 1 :]).max(axis + 1)
    return x


SPREAD = 0.5
"""Standard deviation of an encoded variable: most of it lies where primitives are at their most expressive, [-1, 1]."""


def normalized(z: Float[Array, "sample latent"], target: float) -> Float[Array, "sample latent"]:
    """Return `z` with mean 0 and standard deviation `target` over the batch."""
    centred = z - jnp.mean(z, axis=0)
    return target * centred / jnp.sqrt(jnp.mean(jnp.square(centred), axis=0) + 1e-8)

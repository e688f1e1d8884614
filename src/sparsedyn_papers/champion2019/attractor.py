"""Where first-order equations go in the long run."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.forecast import rk4_step
from sparsedyn.models import Library


class Attractor(NamedTuple):
    """Where equations go from a state: the path, thinned out, and the largest Lyapunov exponent."""

    path: Float[np.ndarray, "member time latent"]
    lyapunov: Float[np.ndarray, " member"]


def attractor(
    library: Library,
    coefficients: Float[np.ndarray, "member term latent"],
    start: Float[np.ndarray, "member latent"],
    *,
    dt: float = 0.01,
    time: float = 200.0,
    kept: int = 10_000,
) -> Attractor:
    """Integrate first-order equations in float64, and a small deviation beside them that is scaled back every step.

    The first tenth of the `time` is left out. A path that blows up goes on as inf or NaN, and so does its exponent.
    """
    steps, stride = round(time / dt), max(1, round(time / dt) // kept)
    with jax.enable_x64(True):
        arrays = (jnp.asarray(coefficients, jnp.float64), jnp.asarray(start, jnp.float64))
        path, growth = (np.asarray(a) for a in _followed(*arrays, library, dt, steps // stride, stride))
    begin = path.shape[1] // 10
    with np.errstate(invalid="ignore"):
        exponent = growth[:, begin:].mean(axis=1) / (dt * stride)
    return Attractor(path[:, begin:], exponent)


@partial(jax.jit, static_argnames=("library", "dt", "blocks", "stride"))
def _followed(
    coefficients: Array, start: Array, library: Library, dt: float, blocks: int, stride: int
) -> tuple[Array, Array]:
    """Return the states after every `stride` steps, and by how much a deviation's logarithm grew since."""

    def one(numbers: Array, state: Array) -> tuple[Array, Array]:
        def increment(_: float, z: Array) -> Array:
            return dt * (library(z) @ numbers)

        def moved(z: Array) -> Array:
            following: Array = rk4_step(increment, z)
            return following

        def step(_: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            z, direction, growth = carry
            z, direction = jax.jvp(moved, (z,), (direction,))
            size = jnp.linalg.norm(direction)
            return z, direction / size, growth + jnp.log(size)

        def block(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            z, direction, growth = jax.lax.fori_loop(0, stride, step, (*carry, jnp.zeros((), state.dtype)))
            return (z, direction), (z, growth)

        first = (state, jnp.full_like(state, state.size**-0.5))
        found: tuple[Array, Array] = jax.lax.scan(block, first, None, length=blocks)[1]
        return found

    followed: tuple[Array, Array] = jax.vmap(one)(coefficients, start)
    return followed

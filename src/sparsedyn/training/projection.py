"""Least squares within training: coefficients that are solved for at every step, and differentiated through."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

RIDGE = 1e-6
"""Added to the mean squares of columns, which are scaled to one."""


def solved(matrix: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """Return the solution of a symmetric positive definite system, differentiable in both.

    By Gauss-Jordan elimination, written out: LAPACK's routines, called inside a computation that is spread over CPU
    devices, wait for each other's threads. No pivots are needed for such matrices.
    """

    def eliminate(right: Float[Array, " n"]) -> Float[Array, " n"]:
        table = jnp.concatenate([jax.lax.stop_gradient(matrix), right[:, None]], axis=1)

        def body(i: Array, table: Array) -> Array:
            row = table[i] / table[i, i]
            return (table - table[:, i, None] * row).at[i].set(row)

        return jax.lax.fori_loop(0, matrix.shape[0], body, table)[:, -1]

    def product(vector: Float[Array, " n"]) -> Float[Array, " n"]:
        return matrix @ vector

    found: Array = jax.lax.custom_linear_solve(product, right, lambda _, b: eliminate(b), symmetric=True)
    return found


def projected(
    theta: Float[Array, "sample term"], target: Float[Array, "sample state"], support: Bool[Array, "term state"]
) -> Float[Array, "term state"]:
    """Return the least-squares coefficients of `target` on the supported columns of `theta`, zero elsewhere."""
    scale = jnp.sqrt(jnp.mean(jnp.square(theta), axis=0) + 1e-30)
    columns = theta / scale
    gram = columns.T @ columns / theta.shape[0]
    moments = columns.T @ target / theta.shape[0]

    def one(moment: Array, kept: Array) -> Array:
        both = kept[:, None] & kept[None, :]
        diagonal = jnp.diag(jnp.where(kept, RIDGE, 1.0))
        return solved(jnp.where(both, gram, 0.0) + diagonal, jnp.where(kept, moment, 0.0))

    return jax.vmap(one, in_axes=(1, 1), out_axes=1)(moments, support) / scale[:, None]


def rms(values: Float[Array, "sample column"]) -> Float[Array, " column"]:
    """Return root mean squares, never zero."""
    return jnp.sqrt(jnp.mean(jnp.square(values), axis=0) + 1e-30)

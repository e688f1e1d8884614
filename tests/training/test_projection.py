"""Least squares inside of training against NumPy's."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from sparsedyn.models import Autoencoder, Jet, Library
from sparsedyn.training import LatentDynamics
from sparsedyn.training.projection import projected, solved


def test_positive_definite_systems_are_solved():
    rng = np.random.default_rng(0)
    for size in (1, 4, 40):
        root = rng.normal(size=(size, size + 5))
        matrix, right = root @ root.T + 0.1 * np.eye(size), rng.normal(size=size)
        with jax.enable_x64(True):
            found = jax.jit(solved)(matrix, right)
            np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-8)


def test_solutions_are_differentiated_in_matrix_and_right_side():
    rng = np.random.default_rng(1)
    root, right = rng.normal(size=(4, 9)), rng.normal(size=4)
    matrix, direction = root @ root.T, rng.normal(size=(4, 4))
    direction = direction + direction.T

    @jax.jit
    @jax.value_and_grad
    def value(shift: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.sum(jnp.sin(solved(jnp.asarray(matrix) + shift * direction, jnp.asarray(right) * (1 + shift))))

    with jax.enable_x64(True):
        h = 1e-6
        (above, _), (below, _), (_, slope) = (value(shift) for shift in (h, -h, 0.0))
        np.testing.assert_allclose(slope, (above - below) / (2 * h), rtol=1e-6)


def test_coefficients_are_those_of_least_squares_on_the_support():
    rng = np.random.default_rng(2)
    theta, noise = rng.normal(size=(200, 6)) * [1, 10, 0.1, 1, 1, 100], 0.01 * rng.normal(size=(200, 2))
    truth = rng.normal(size=(6, 2)) / np.array([1, 10, 0.1, 1, 1, 100])[:, None]
    support = np.array([[1, 1], [1, 0], [0, 1], [1, 1], [1, 0], [0, 1]], bool)
    target = theta @ (truth * support) + noise
    found = np.asarray(jax.jit(projected)(theta.astype(np.float32), target.astype(np.float32), support))
    assert (found[~support] == 0).all()
    for j in range(2):
        kept = support[:, j]
        expected = np.linalg.lstsq(theta[:, kept], target[:, j], rcond=None)[0]
        np.testing.assert_allclose(found[kept, j], expected, rtol=2e-3)


@pytest.mark.parametrize("order", [1, 2])
def test_the_objective_is_nothing_where_everything_is_exact(order):
    """A linear autoencoder of a linear system, with projected coefficients: every error is zero."""
    rng = np.random.default_rng(4)
    library = Library(2 * order, 1)
    model = Autoencoder(
        3, library, order=order, widths=(), coefficients=jnp.ones((library.size, 2)), key=jax.random.key(0)
    )
    plane = np.asarray(model.encoder.linear) + np.asarray(model.encoder.weights[0])
    rate = rng.normal(size=(2, 2))
    # Points of the plane that the decoder maps back to itself.
    z = rng.normal(size=(64, 2))
    back = np.asarray(model.decoder.linear) + np.asarray(model.decoder.weights[0])
    lift = z @ np.linalg.inv(back @ plane) @ back
    first = (z @ rate) @ np.linalg.inv(back @ plane) @ back
    data = [lift, first] if order == 1 else [lift, rng.normal(size=(64, 2)) @ np.linalg.inv(back @ plane) @ back, first]
    objective = eqx.filter_jit(LatentDynamics(decoder=0.0, derivative=0.0, latent=1.0))
    loss = objective(model, Jet(*(jnp.asarray(a, jnp.float32) for a in data)), jax.random.key(0))
    # What is left is the pull of the array that follows sizes.
    assert float(loss) < 1e-3

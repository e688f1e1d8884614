"""Single steps converge at their orders, on arrays of NumPy and JAX alike."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn._steps import STEPS, rk4_step


def field(time: float, x: np.ndarray) -> np.ndarray:
    """x' = x cos t, of which x = exp(sin t)."""
    return x * np.cos(time)


def error(method: str, dt: float) -> float:
    x, rows = np.ones(1), round(1 / dt)
    for row in range(rows):
        x = STEPS[method](lambda time, x, begin=row * dt: field(begin + time, x), x, dt)
    return float(abs(x[0] - np.exp(np.sin(1.0))))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_order_of_convergence(method: str, order: int):
    assert np.log2(error(method, 0.02) / error(method, 0.01)) == pytest.approx(order, abs=0.1)


def test_arrays_of_jax_are_stepped_alike():
    x = np.linspace(0.0, 1.0, 5)
    with jax.enable_x64(True):
        stepped = jax.jit(lambda x: rk4_step(lambda _, x: jnp.sin(x), x, 0.1))(jnp.asarray(x))
        np.testing.assert_allclose(stepped, rk4_step(lambda _, x: np.sin(x), x, 0.1), rtol=1e-14)

"""L1, L2 and the smoothed roots L0.3, L0.5, L0.7: values, and gradients in float64 against finite differences."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import L03, L05, L07, L1, L2, AbstractPenalty

KEY = jax.random.key(0)
NOW = jnp.float32(0.5)
A = 0.01


def root(power: float) -> Callable[[np.ndarray], np.ndarray]:
    def cost(w: np.ndarray) -> np.ndarray:
        quartic = -(w**4) / (8 * A**3) + 3 * w**2 / (4 * A) + 3 * A / 8
        return np.where(np.abs(w) < A, np.abs(quartic), np.abs(w)) ** power

    return cost


CASES: dict[str, tuple[AbstractPenalty, Callable[[np.ndarray], np.ndarray]]] = {
    "l1": (L1(0.3), np.abs),
    "l2": (L2(0.3), np.square),
    "l03": (L03(0.3, a=A), root(0.3)),
    "l05": (L05(0.3, a=A), root(0.5)),
    "l07": (L07(0.3, a=A), root(0.7)),
}
# Both sides of zero, both sides of the roots' seam, away from the L1 kink.
POINTS = np.array([[-2.0, -0.5, -0.011], [-0.009, -0.004, -0.0005], [0.0005, 0.004, 0.009], [0.011, 0.7, 3.0]])


@eqx.filter_jit
def with_slopes(technique: AbstractPenalty, weights: list[jax.Array]) -> tuple[jax.Array, list[jax.Array]]:
    """The penalty and its gradient."""

    def total(weights: list[jax.Array]) -> jax.Array:
        free, memo = technique.init(weights, key=KEY)
        return technique.penalty(free, memo, jnp.asarray(0.5))

    return jax.value_and_grad(total)(weights)


@pytest.mark.parametrize("name", list(CASES))
def test_value_is_the_sum_over_all_matrices_and_its_gradient_that_of_central_differences(name: str):
    technique, cost = CASES[name]
    step = 1e-6
    with jax.enable_x64(True):

        def evaluated(first: np.ndarray) -> tuple[float, np.ndarray]:
            value, (slopes, _) = with_slopes(technique, [jnp.asarray(first), jnp.asarray(POINTS.T / 3)])
            return float(value), np.asarray(slopes)

        value, exact = evaluated(POINTS)
        numeric = np.zeros_like(POINTS)
        for place in np.ndindex(*POINTS.shape):
            shift = np.zeros_like(POINTS)
            shift[place] = step
            numeric[place] = (evaluated(POINTS + shift)[0] - evaluated(POINTS - shift)[0]) / (2 * step)
    assert value == pytest.approx(0.3 * (cost(POINTS).sum() + cost(POINTS / 3).sum()), rel=1e-12)
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("technique", "power"), [(L03(1.0, a=A), 0.3), (L05(1.0, a=A), 0.5), (L07(1.0, a=A), 0.7)])
def test_roots_are_smooth_at_their_seam_and_at_zero(technique: AbstractPenalty, power: float):
    below, above = A * (1 - 1e-9), A * (1 + 1e-9)
    grid = np.linspace(-0.05, 0.05, 1001)
    with jax.enable_x64(True):
        cost = technique.cost
        slope = jax.grad(cost)
        every = jax.jit(lambda points: [jax.vmap(f)(points) for f in (cost, slope, jax.grad(slope))])
        costs, slopes, curvatures = (np.asarray(f) for f in every(np.array([below, A, above, 0.0, *grid])))
    assert costs[0] == pytest.approx(costs[2], abs=1e-9)
    assert slopes[0] == pytest.approx(slopes[2], abs=1e-6)
    assert curvatures[0] == pytest.approx(curvatures[2], abs=1e-3)
    assert costs[1] == pytest.approx(A**power, rel=1e-12)
    assert costs[3] == pytest.approx((3 * A / 8) ** power, rel=1e-12)
    assert slopes[3] == 0.0
    everywhere = slopes[4:]
    assert np.isfinite(everywhere).all()
    np.testing.assert_allclose(everywhere, -everywhere[::-1], atol=1e-12)
    # The root's slope is largest at the seam, and the quartic adds little to it.
    assert np.abs(everywhere).max() < 1.5 * power * A ** (power - 1)


def test_a_weight_at_zero_is_not_pushed():
    # A pruned weight is exactly zero: no penalty may move it away.
    for technique, _ in CASES.values():
        assert float(jax.jit(jax.grad(technique.cost))(0.0)) == 0.0


@pytest.mark.parametrize("name", list(CASES))
def test_only_the_loss_changes(name: str):
    technique, _ = CASES[name]
    weights = [jnp.asarray(POINTS, jnp.float32), None]
    free, memo = technique.init(weights, key=KEY)
    assert technique.turns() == ()
    np.testing.assert_array_equal(technique.effective(free, memo, key=KEY)[0], weights[0])
    assert np.all(technique.active(memo, weights)[0])
    revised = technique.revise(free, memo, weights, NOW, key=KEY)
    np.testing.assert_array_equal(revised.free.weights[0], weights[0])
    assert not np.any(revised.fresh[0])


def test_the_weight_is_a_leaf():
    # A path of penalties is a vmapped axis.
    path = jnp.array([0.0, 0.1, 1.0])
    w = [jnp.asarray(POINTS, jnp.float32)]

    def one(weight: jax.Array) -> jax.Array:
        technique = L1(weight)
        free, memo = technique.init(w, key=KEY)
        return technique.penalty(free, memo, NOW)

    np.testing.assert_allclose(jax.jit(jax.vmap(one))(path), np.asarray(path) * np.abs(POINTS).sum(), rtol=1e-5)


@pytest.mark.parametrize("technique", [L1(), L2(), L03(), L05(), L07()])
def test_a_model_without_matrices_costs_nothing(technique: AbstractPenalty):
    free, memo = technique.init([None], key=KEY)
    assert float(technique.penalty(free, memo, NOW)) == 0.0

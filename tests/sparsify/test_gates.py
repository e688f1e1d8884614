"""Hard-concrete gates: the expected L0 by Monte Carlo, the read-out, the gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import L0, Free

KEY = jax.random.key(0)
NOW = jnp.float32(0.5)
BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1
DRAWS = 40_000
LOGITS = np.array([-4.0, -2.0, -0.5, 0.0, 0.5, 2.0, 4.0])


def gate(uniform: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """The sampled gate of Louizos et al. 2018, eq. (10) and (11), in NumPy."""
    s = 1 / (1 + np.exp(-(np.log(uniform) - np.log(1 - uniform) + logit) / BETA))
    return np.clip(s * (ZETA - GAMMA) + GAMMA, 0, 1)


@pytest.fixture(scope="module")
def gates() -> np.ndarray:
    """Gates (draw, logit) that the technique itself draws."""
    logits = np.broadcast_to(LOGITS.astype(np.float32), (DRAWS, len(LOGITS)))
    draw = jax.jit(lambda free: L0().effective(free, None, key=KEY)[0])
    return np.asarray(draw(Free([np.ones_like(logits)], [logits])))


def test_expected_number_of_open_gates_by_monte_carlo(gates: np.ndarray):
    technique = L0(weight=0.7)
    share = np.mean(gates != 0, axis=0)
    for i, logit in enumerate(LOGITS):
        free = Free([jnp.ones(1)], [np.float32([logit])])
        expected = float(technique.penalty(free, None, NOW)) / 0.7
        error = np.sqrt(expected * (1 - expected) / DRAWS)
        assert abs(share[i] - expected) < 5 * error + 1e-4, logit
        # The closed form of the paper, eq. (12).
        assert expected == pytest.approx(1 / (1 + np.exp(-(logit - BETA * np.log(-GAMMA / ZETA)))), rel=1e-5)


def test_gates_have_the_distribution_of_the_paper(gates: np.ndarray):
    ours = np.sort(gates, axis=0)
    uniform = np.random.default_rng(0).uniform(1e-9, 1 - 1e-9, (DRAWS, 1))
    theirs = np.sort(gate(uniform, LOGITS), axis=0)
    # Quantile by quantile.
    np.testing.assert_allclose(ours[200:-200:100], theirs[200:-200:100], atol=0.06)
    assert ours.min() == 0.0
    assert ours.max() == 1.0
    inner = np.mean((ours > 0) & (ours < 1), axis=0)
    assert (inner > 0.02).all(), "gates must be soft in between"


def test_penalty_is_the_sum_over_all_gates():
    technique = L0(weight=0.1)
    one = float(technique.penalty(Free([jnp.ones(7)], [jnp.asarray(LOGITS, jnp.float32)]), None, NOW))
    twice = Free([jnp.ones(7), jnp.ones((1, 7))], [jnp.asarray(LOGITS), jnp.asarray(LOGITS)[None]])
    assert float(technique.penalty(twice, None, NOW)) == pytest.approx(2 * one, rel=1e-6)


def test_read_out_is_deterministic_and_closes_gates_exactly():
    technique = L0()
    w = np.linspace(-1, 1, 7)
    free = Free([jnp.asarray(w, jnp.float32)], [jnp.asarray(LOGITS, jnp.float32)])
    first = np.asarray(technique.effective(free, None)[0])
    np.testing.assert_array_equal(first, technique.effective(free, None)[0])
    expected = w * np.clip(1 / (1 + np.exp(-LOGITS)) * (ZETA - GAMMA) + GAMMA, 0, 1)
    np.testing.assert_allclose(first, expected, atol=1e-6)
    assert first[0] == 0.0, "a gate with a low logit is exactly closed"
    assert first[-1] == np.float32(w[-1]), "one with a high logit exactly open"
    drawn = np.asarray(technique.effective(free, None, key=KEY)[0])
    assert not np.array_equal(drawn, first)
    np.testing.assert_array_equal(drawn, technique.effective(free, None, key=KEY)[0])
    assert not np.array_equal(drawn, technique.effective(free, None, key=jax.random.key(1))[0])


def test_matrices_get_gates_of_their_own():
    technique = L0()
    ones = jnp.ones((40, 1))
    free = Free([ones, ones], [0 * ones, 0 * ones])
    first, second = technique.effective(free, None, key=KEY)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_initial_logits_have_the_drop_rate(rate: float):
    technique = L0(drop_rate=rate)
    free, memo = technique.init([jnp.zeros((30, 20))], key=KEY)
    (logits,) = free.aux
    assert logits.shape == (30, 20)
    assert float(logits.mean()) == pytest.approx(np.log((1 - rate) / rate), abs=0.005)
    assert 0.005 < float(logits.std()) < 0.02
    assert np.all(technique.active(memo, free.weights)[0])
    assert technique.turns() == ()


def test_gradients_reach_weights_and_logits_and_are_right():
    technique = L0(weight=0.3)
    with jax.enable_x64(True):
        values = np.array([[0.5, -1.0, 2.0], [-0.3, 0.2, 1.0]])

        def parts(values: jax.Array) -> tuple[jax.Array, jax.Array]:
            free = Free([values[:1]], [values[1:]])
            (effective,) = technique.effective(free, None)
            penalty = technique.penalty(free, None, jnp.asarray(0.5))
            return jnp.sum(jnp.sin(effective)) + penalty, penalty

        total = jax.jit(lambda values: (parts(values)[0], *jax.jacrev(parts)(values)))
        _, exact, push = total(values)
        step = 1e-6
        for place in np.ndindex(2, 3):
            shift = np.zeros((2, 3))
            shift[place] = step
            numeric = (float(total(values + shift)[0]) - float(total(values - shift)[0])) / (2 * step)
            assert float(exact[place]) == pytest.approx(numeric, rel=1e-6)
    # The penalty alone pushes every gate towards closed.
    assert np.all(np.asarray(push)[1] > 0)

"""The equation learner against a NumPy re-derivation: its units, its layers, its derivatives."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

from sparsedyn.equations import expressions
from sparsedyn.models import EQL, PRIMITIVES, Primitive, units_of
from sparsedyn.models.catalogue import SETS

KEY = jax.random.key(0)
g = np.linspace(-2.0, 2.0, 41) + 0.011

# Re-derived, not imported: the scalings are those of the code released with Kim et al. 2019.
REFERENCE: dict[str, Callable[..., np.ndarray]] = {
    "identity": lambda a: a,
    "square": lambda a: a**2,
    "cube": lambda a: a**3,
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "log": lambda a: np.log(np.abs(a)),
    "sqrt": lambda a: np.sqrt(np.abs(a)),
    "product": lambda a, b: a * b,
    "division": lambda a, b: a / b,
    "sin_4pi": lambda a: np.sin(4 * np.pi * a),
    "sin_2pi": lambda a: np.sin(2 * np.pi * a),
    "sigmoid_20": lambda a: 1 / (1 + np.exp(-20 * a)),
    "exp_shifted": lambda a: (np.exp(a) - 1) / np.e,
    "product_10": lambda a, b: 10 * a * b,
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives(name: str):
    primitive = PRIMITIVES[name]
    if name == "constant":
        assert (primitive.of(guard=False), primitive.symbol()) == (1.0, 1)
        return
    taken = (g, np.roll(g, 7))[: primitive.arity]
    expected = REFERENCE[name](*taken)
    with jax.enable_x64(True):
        exact = primitive.of(*map(jnp.asarray, taken), guard=False)
        guarded = primitive.of(*map(jnp.asarray, taken), guard=True)
    np.testing.assert_allclose(exact, expected, rtol=1e-12)
    variables = sympy.symbols("a b", real=True)[: primitive.arity]
    written = sympy.lambdify(variables, primitive.symbol(*variables))
    np.testing.assert_allclose(written(*taken), expected, rtol=1e-12)
    # What training sees is the function itself wherever that is tame.
    tame = np.abs(taken[-1]) > 0.06
    np.testing.assert_allclose(np.asarray(guarded)[tame], expected[tame], rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(PRIMITIVES) - {"constant"}))
@pytest.mark.parametrize("at", [0.0, 1e-30, 60.0, -60.0])
def test_training_sees_finite_slopes_at_poles(name: str, at: float):
    primitive = PRIMITIVES[name]
    arguments = (jnp.float32(at),) * primitive.arity
    slopes = jax.grad(lambda *a: primitive.of(*a, guard=True), argnums=tuple(range(primitive.arity)))(*arguments)
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", [name for name, p in PRIMITIVES.items() if p.homogeneous])
def test_homogeneous_units_hand_the_size_of_an_argument_on(name: str):
    primitive = PRIMITIVES[name]
    once, twice, four = (
        primitive.of(jnp.asarray(factor * g), *[jnp.asarray(g)] * (primitive.arity - 1), guard=False)
        for factor in (1, 2, 4)
    )
    ratio = float(twice[0] / once[0])
    np.testing.assert_allclose(twice, ratio * once, rtol=1e-5)
    np.testing.assert_allclose(four, ratio**2 * once, rtol=1e-5)


UNITS: dict[str | Primitive, int] = {"constant": 1, "sin": 2, "product": 2, "division": 1}


def drawn(bias: bool) -> EQL:
    """A network of these units with weights from NumPy, since JAX compiles a draw per shape."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(lambda key: EQL(2, 1, 3, UNITS, hidden=2, bias=bias, key=key), KEY)
    return jax.tree.map(lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32), shapes)


def by_hand(model: EQL, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The network in NumPy, the units written out: a constant, two sines, two products, a quotient."""
    hidden = np.concatenate([np.ones(int(model.bias)), x, u])
    for weight in model.weights[:-1]:
        a = hidden @ np.asarray(weight, np.float64)
        hidden = np.array([1.0, np.sin(a[0]), np.sin(a[1]), a[2] * a[4], a[3] * a[5], a[6] / a[7]])
    return hidden @ np.asarray(model.weights[-1], np.float64)


@pytest.mark.parametrize("bias", [False, True])
def test_layers(bias: bool):
    model = drawn(bias)
    assert [w.shape for w in model.weights] == [(3 + bias, 8), (6, 8), (6, 3)]
    x, u = np.array([0.7, -1.2]), np.array([0.4])
    with jax.enable_x64(True):
        twin = jax.tree.map(lambda w: jnp.asarray(w, jnp.float64), model.exact())
        found = eqx.filter_jit(twin)(jnp.asarray(x), jnp.asarray(u))
    np.testing.assert_allclose(found, by_hand(model, x, u), rtol=1e-12)


def test_weights_begin_at_the_deviations_of_their_layers():
    units = {"sin": 60, "product": 20}
    model = EQL(50, 0, 50, units, hidden=2, deviations=(0.1, 0.5, 1.0), key=KEY)
    # A normal distribution truncated at two of its standard deviations keeps 0.88 of it.
    np.testing.assert_allclose([np.std(w) for w in model.weights], 0.8796 * np.array([0.1, 0.5, 1.0]), rtol=0.05)
    assert np.abs(model.weights[1]).max() <= 1.0


def test_layers_may_differ():
    units = [units_of({"sin": 2}), units_of({"product": 3})]
    model = eqx.filter_eval_shape(lambda key: EQL(1, 0, 1, units, key=key), KEY)
    assert [w.shape for w in model.weights] == [(1, 2), (2, 6), (3, 1)]
    with pytest.raises(ValueError, match="at least one hidden layer; got 0"):
        EQL(1, units={"sin": 1}, hidden=0, key=KEY)


@pytest.mark.parametrize("guard", [True, False])
def test_sensitivity_is_the_jacobian(guard: bool):
    model = drawn(bias=True)
    with jax.enable_x64(True):
        model = jax.tree.map(lambda w: jnp.asarray(w, jnp.float64), model if guard else model.exact())
        x, u = jnp.array([0.7, -1.2]), jnp.array([0.4])
        output, entering, leaving = eqx.filter_jit(model.sensitivity)(x, u)
        np.testing.assert_allclose(output, eqx.filter_jit(model)(x, u), rtol=1e-12)
        jacobian = eqx.filter_jit(jax.jacobian(lambda m: m(x, u)))(model)
    for exact, h, delta in zip(jacobian.weights, entering, leaving, strict=True):
        np.testing.assert_allclose(np.asarray(h)[None, :, None] * np.asarray(delta)[:, None, :], exact, atol=1e-12)


def with_weights(units: Any, *weights: list[list[float]]) -> EQL:
    shapes = eqx.filter_eval_shape(lambda key: EQL(1, 0, 1, units, hidden=len(weights) - 1, key=key), KEY)
    return eqx.tree_at(lambda m: m.weights, shapes, tuple(jnp.array(w, jnp.float32) for w in weights))


def test_exact_units_that_nobody_reads_do_no_harm():
    # The logarithm and the quotient stand at their poles; only the sine is read.
    model = with_weights({"sin": 1, "log": 1, "division": 1}, [[1.0, 0.0, 1.0, 0.0]], [[2.0], [0.0], [0.0]])
    exact = model.exact()
    assert (model.guard, exact.guard) == (True, False)
    assert exact.weights is model.weights
    x = jnp.array([0.3])
    value, slopes = eqx.filter_jit(jax.value_and_grad(lambda m: m(x, jnp.zeros(0))[0]))(exact)
    np.testing.assert_allclose(value, 2 * np.sin(0.3), rtol=1e-6)
    assert all(np.isfinite(w).all() for w in slopes.weights)
    read = with_weights({"sin": 1, "log": 1, "division": 1}, [[1.0, 0.0, 1.0, 0.0]], [[2.0], [1.0], [0.0]])
    assert not np.isfinite(eqx.filter_jit(read.exact())(x, jnp.zeros(0))).all()
    assert np.isfinite(eqx.filter_jit(read)(x, jnp.zeros(0))).all()


def test_gauges_number_the_arguments_of_homogeneous_units():
    units = {"sin": 1, "square": 1, "product": 1}
    model = eqx.filter_eval_shape(lambda key: EQL(1, 0, 1, units, hidden=1, bias=True, key=key), KEY)
    # Columns: the sine's, the square's, the product's two; the same for both rows; the last matrix is free.
    assert model.gauges().tolist() == [-1, 0, 1, 2] * 2 + [-1] * 3


def test_a_primitive_of_ones_own_takes_three_lines():
    gauss = Primitive("gauss", lambda a: jnp.exp(-a * a), lambda a: sympy.exp(-(a**2)))
    model = with_weights({gauss: 1}, [[2.0]], [[3.0]])
    np.testing.assert_allclose(model(jnp.array([0.5]), jnp.zeros(0)), 3 * np.exp(-1.0), rtol=1e-6)
    assert str(expressions(model, ["x"])[0]) == "3.0*exp(-4.0*x**2)"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("genral", "one of general, kim2019.*got 'genral'"),
        ({"sine": 1}, "unknown primitive 'sine'. Known: constant, identity"),
        ({"sin": 0}, "at least 1 for 'sin'; got 0"),
        ({"sin": True}, "at least 1 for 'sin'; got True"),
        ({"sin": 1.5}, "at least 1 for 'sin'; got 1.5"),
        ({}, "at least one"),
        ({"sin": 1, PRIMITIVES["sin"]: 1}, "each once"),
    ],
)
def test_units_that_make_no_layer_are_refused(chosen: Any, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"^primitives: .*{message}"):
        units_of(chosen)


def test_sets_are_layers():
    for name in SETS:
        units = units_of(name)
        assert units == units_of(SETS[name]) == units_of(units)

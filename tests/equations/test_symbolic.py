"""Equations read off networks against the networks themselves; shortening, printing and parsing keep the values."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from sparsedyn.data import Scaling
from sparsedyn.equations import (
    compiled,
    complexity,
    effect,
    expressions,
    from_text,
    latex,
    parsed,
    rounded,
    simplified,
    snapped,
    symbol,
    text,
    to_text,
    without_small_terms,
)
from sparsedyn.models import EQL, MLP, PRIMITIVES, PerState, Primitive

NAMES = ["x", "y", "v"]
# Names that SymPy, Python or LaTeX have another use for.
AWKWARD = ["I", "E", "lambda", "bath temperature", "S", "N", "beta", "x[1]", "x0", "exp", "50 % {a_b}^2", "T_bath"]
GAUSS = Primitive("gauss", lambda g: jnp.exp(-g * g), lambda g: sympy.exp(-(g**2)))

KEY = jax.random.key(0)
x, y, v = map(symbol, NAMES)


def learner(units: Any, hidden: int, bias: bool, keep: float, seed: int, outputs: int = 2) -> EQL:
    """A network of two states and an input with random sparse weights; every unit has at least one of its own."""
    rng = np.random.default_rng(seed)

    def draw(shape: Any) -> np.ndarray:
        kept = rng.random(shape.shape) < keep
        kept[rng.integers(shape.shape[0], size=shape.shape[1]), np.arange(shape.shape[1])] = True
        return (rng.uniform(0.3, 1.0, kept.shape) * rng.choice([-1, 1], kept.shape) * kept).astype(np.float32)

    shapes = eqx.filter_eval_shape(lambda key: EQL(2, 1, outputs, units, hidden=hidden, bias=bias, key=key), KEY)
    return jax.tree.map(draw, shapes)


def scaling_of(seed: int) -> Scaling:
    rng = np.random.default_rng(seed)
    means = [rng.normal(size=n) if seed % 2 else np.zeros(n) for n in (2, 1, 2)]
    deviations = [rng.uniform(0.5, 2, n) for n in (2, 1, 2)]
    return Scaling(means[0], deviations[0], means[1], deviations[1], means[2], deviations[2])


def points(seed: int = 0, count: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3))


def of_network(model: Any, columns: np.ndarray, scaling: Scaling | None, dtype: type) -> np.ndarray:
    """What the network gives, in the data's units."""
    s = scaling or Scaling.identity(2, 1)
    with jax.enable_x64(dtype is np.float64):
        leaves = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), model)
        states = jnp.asarray((columns[:, :2] - s.x_mean) / s.x_std, dtype)
        inputs = jnp.asarray((columns[:, 2:] - s.u_mean) / s.u_std, dtype)
        scaled = np.asarray(jax.jit(jax.vmap(leaves))(states, inputs), np.float64)
    return scaled if scaling is None else scaled * s.dx_std + s.dx_mean


def error(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Errors as a share of values, or of one: at points at which both are finite, which most are."""
    known = np.isfinite(got) & np.isfinite(expected) & (np.abs(expected) < 1e6)
    assert known.mean() > 0.5
    return np.abs(got[known] - expected[known]) / (1 + np.abs(expected[known]))


UNITS = [
    *({name: 1, "identity": 1} if name != "identity" else {name: 2} for name in PRIMITIVES),
    *({GAUSS: 2, "product": 1}, {"sin": 1, "division": 1, "log": 1}, {"exp": 1, "product": 1, "sqrt": 1}),
    *("general", "kim2019"),
]


@pytest.mark.parametrize("case", range(len(UNITS)))
def test_equations_are_the_network(case: int):
    units, keep = UNITS[case], 0.3 if isinstance(UNITS[case], dict) else 0.02
    # Three layers of the first ones only: SymPy takes seconds for deep equations of units of two arguments.
    hidden = 1 + case % 3 if case < 10 else 1 + case % 2
    model = learner(units, hidden=hidden, bias=case % 2 == 0, keep=keep, seed=case)
    scaling = scaling_of(case) if case % 4 else None
    columns = points(1000 + case)
    equations = expressions(model, NAMES, scaling=scaling)
    values = compiled(equations, NAMES)(columns)
    assert np.max(error(values, of_network(model.exact(), columns, scaling, np.float64))) < 1e-10
    if case % 2:
        # A quotient near its pole magnifies the rounding of float32.
        assert np.quantile(error(values, of_network(model.exact(), columns, scaling, np.float32)), 0.95) < 1e-4

    shorter = [simplified(equation) for equation in equations]
    assert np.max(error(compiled(shorter, NAMES)(columns), values)) < 1e-11
    assert [simplified(equation) for equation in shorter] == shorter
    assert sum(map(complexity, shorter)) <= sum(map(complexity, equations))
    same = [
        *([rounded(equation, 17) for equation in shorter], [parsed(text(e, digits=17), NAMES) for e in equations]),
        [from_text(to_text(equation, NAMES), NAMES) for equation in shorter],
    ]
    for others in same:
        assert np.max(error(compiled(others, NAMES)(columns), values)) < 1e-11
    for equation in shorter:
        MathTextParser("path").parse(f"${latex(equation)}$")


def test_one_network_per_output():
    parts = tuple(learner("general", 1, True, 0.3, seed, outputs=1) for seed in (1, 2))
    model = PerState(parts)
    columns = points()
    assert expressions(model, NAMES) == expressions(parts[0], NAMES) + expressions(parts[1], NAMES)
    scaling = scaling_of(3)
    got = compiled(expressions(model, NAMES, scaling=scaling), NAMES)(columns)
    exact = PerState(tuple(part.exact() for part in parts))
    assert np.max(error(got, of_network(exact, columns, scaling, np.float64))) < 1e-10


def network(units: dict[Any, int], *weights: list[list[float]]) -> EQL:
    """A network of one state with these weights."""
    shapes = eqx.filter_eval_shape(lambda key: EQL(1, 0, 1, units, hidden=len(weights) - 1, key=key), KEY)
    return eqx.tree_at(lambda model: model.weights, shapes, tuple(np.array(w) for w in weights))


def test_weights_of_zero_do_not_appear():
    model = network({"sin": 1, "log": 1}, [[2.0, 0.0]], [[3.0], [0.0]])
    assert expressions(model, ["x"]) == (3.0 * sympy.sin(2.0 * x),)
    # log(0), used: there is no equation, and no error either.
    unusable = network({"sin": 1, "log": 1}, [[2.0, 0.0]], [[3.0], [1.0]])
    assert np.isnan(compiled(expressions(unusable, ["x"]), ["x"])(np.ones((3, 1)))).all()


def test_an_exponential_of_a_temperature_in_kelvin_stays_in_range():
    # SymPy makes a factor of 1e-1042 of the mean.
    model = network({"exp": 1, "sigmoid_20": 1}, [[2.0, 1.0]], [[1.0], [2.0]])
    scaling = Scaling(np.array([1200.0]), np.ones(1), np.zeros(0), np.ones(0), np.zeros(1), np.ones(1))
    (equation,) = expressions(model, ["T"], scaling=scaling)
    z = np.linspace(-2, 2, 9)
    expected = np.exp(2 * z) + 2 / (1 + np.exp(-20 * z))
    columns = 1200 + z[:, None]
    for same in (equation, simplified(equation), parsed(text(equation, digits=17), ["T"]), rounded(equation, 15)):
        np.testing.assert_allclose(compiled([same], ["T"])(columns)[:, 0], expected, rtol=1e-8)
    assert text(equation) == "exp(2*T - 2400) + 2/(exp(-20*T + 24000) + 1)"


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (1 / (2.0 * x / (3.0 * y)), "1.5*y/x"),
        (0.3 * sympy.sin(4 * sympy.pi * (0.5 * x)), "0.3*sin(2*pi*x)"),
        (0.3 * sympy.sin(4 * sympy.pi * (0.3 * x + 0.1)), "0.3*sin(3.77*x + 1.257)"),
        (sympy.exp(0.5 * x + 1.0), "2.718*exp(0.5*x)"),
        (2.0 * (sympy.exp(0.3 * x + 1.0) - 1) / sympy.E + 0.5, "2*exp(0.3*x) - 0.2358"),
        (0.5 * sympy.log(sympy.Abs(-2.0 * x)) + 0.1, "0.5*log(Abs(x)) + 0.4466"),
        (3.0 * sympy.sqrt(sympy.Abs(4.0 * x + 2.0 * y)), "4.243*sqrt(Abs(2*x + y))"),
        (2.0 * y * (3.0 * x + 1.5), "6*y*(x + 0.5)"),
        (0.5 / (2.0 * x + 1.0), "0.25/(x + 0.5)"),
        ((x + 1.0) * (x - 1.0), "x**2 - 1"),
        (x + (x + 1.0) * (y - 1.0), "x*y + y - 1"),
        ((x + 1.5) ** 2, "(x + 1.5)**2"),
        (1.0 * x + 2.0 * sympy.tanh(-2.0 * y) - sympy.Float(1.0) * v, "-v + x - 2*tanh(2*y)"),
        (sympy.sin(2.0 * x) * 0.5 + sympy.sin(2.0 * x) * y * 0.0 + 0.25 * sympy.sin(2.0 * x), "0.75*sin(2*x)"),
        (sympy.Rational(1, 3) * x + sympy.pi * y, "x/3 + pi*y"),
    ],
)
def test_shorter_forms(expr: sympy.Expr, expected: str):
    shorter = simplified(expr)
    assert text(shorter) == expected
    assert complexity(shorter) <= complexity(expr)
    assert effect(expr, shorter, column_data()) < 1e-12


def column_data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.5, 2.0, 300) for name in NAMES}


@pytest.mark.parametrize(
    ("expr", "nodes"),
    [
        (x, 1),
        (sympy.Float(-2.5), 1),
        (2 * sympy.pi, 1),
        (-x, 2),
        (-2.5 * x, 3),
        (2 * sympy.pi * x, 3),
        (x**2, 2),
        (-(x**2), 3),
        (x**3, 3),
        (sympy.sqrt(x), 2),
        (x + y, 3),
        (x - y, 3),
        (-x - y, 4),
        (x - 2 * y, 5),
        (x * y * v, 5),
        (1 / x, 3),
        (y / x, 3),
        (2 / x**2, 4),
        (1 / (x * y), 5),
        (1 / sympy.sqrt(x), 4),
        (sympy.sin(2.0 * x + 1.0), 6),
        (1 / (1 + sympy.exp(-x)), 7),
    ],
)
def test_complexity_counts_nodes(expr: sympy.Expr, nodes: int):
    assert complexity(expr) == nodes


def test_rounding():
    expr = 1.99999 * x + 0.0123456 * sympy.sin(314.159 * y) - 1234567.0 * x**2.00001
    assert rounded(expr, 3) == 2 * x + 0.0123 * sympy.sin(314 * y) - 1230000 * x**2
    assert text(expr, digits=3) == "-1230000*x**2 + 2*x + 0.0123*sin(314*y)"
    data = column_data()
    assert 1e-4 < effect(expr, rounded(expr, 3), data) < 1e-2
    assert effect(expr, rounded(expr, 17), data) < 1e-12


def test_the_effect_is_a_share_of_the_spread():
    data = column_data()
    np.testing.assert_allclose(effect(x, x + 0.1, data), 0.1 / data["x"].std())
    assert effect(x, x, data) == 0
    np.testing.assert_allclose(effect(sympy.Float(2.0), sympy.Float(1.9), data), 0.05)
    assert effect(x, 1 / (x - x.subs(x, float(data["x"][3]))), data) == np.inf
    # Where the first itself has no value, nothing is compared.
    signed = {"x": np.array([-1.0, 1.0, 2.0, 4.0])}
    np.testing.assert_allclose(effect(sympy.log(x), sympy.log(x) + 1, signed), 1 / np.std(np.log([1.0, 2.0, 4.0])))


def test_small_terms_are_left_out():
    data = column_data()
    expr = y * (2.0 * x + 1e-4) / (1.0 + v) + 1e-5 * sympy.exp(x) + 3.0
    kept = without_small_terms(expr, data, 1e-2)
    assert text(kept) == "2*x*y/(v + 1) + 3"
    assert 0 < effect(expr, kept, data) < 1e-2
    assert without_small_terms(expr, data, 1e-9) is expr
    with pytest.raises(ValueError, match="data: expected a column for every variable; v missing"):
        without_small_terms(expr, {"x": data["x"], "y": data["y"]}, 0.1)


def test_constants_are_recognized():
    data = column_data()
    expr = 9.9987 * (y - 1.0003 * x) + 0.33329 * y * sympy.sin(6.2829 * x) + 1e-6 * v + 1.4142 * v**2.0001
    simple = snapped(expr, data, 2e-3)
    assert text(simple) == "1.414*v**2 - 10*x + y*sin(2*pi*x)/3 + 10*y"
    assert effect(expr, simple, data) <= 2e-3
    assert effect(expr, snapped(expr, data, 1e-5), data) <= 1e-5
    assert snapped(1.5708 * x, data, 1e-3) == sympy.pi * x / 2
    # Zero would be within the tolerance of an offset, but not below a fraction bar.
    assert np.isfinite(compiled([snapped(1 / (x + 0.01), data, 0.5)], ["x"])(np.ones((1, 1)))).all()


def test_names_of_any_kind():
    variables = list(map(symbol, AWKWARD))
    expr = sum((0.1 + i) * s**2 for i, s in enumerate(variables)) + sympy.exp(variables[0] * variables[3]) / 7
    columns = np.random.default_rng(0).normal(size=(20, len(AWKWARD)))
    expected = columns**2 @ (0.1 + np.arange(len(AWKWARD))) + np.exp(columns[:, 0] * columns[:, 3]) / 7
    read = from_text(to_text(expr, AWKWARD), AWKWARD)
    assert read == expr
    for same in (expr, simplified(expr), read):
        np.testing.assert_allclose(compiled([same], AWKWARD)(columns)[:, 0], expected, rtol=1e-12)
    MathTextParser("path").parse(f"${latex(expr)}$")
    assert r"\mathrm{bath\ temperature}" in latex(expr)
    assert r"T_{bath}" in latex(expr)
    assert "bath temperature**2" in text(expr)


def test_latex_has_the_digits_asked_for():
    assert latex(1.23456e-7 * x + 0.25 * symbol("theta"), digits=3) == r"0.25 \, \theta + 1.23 \cdot 10^{-7} \, x"


def test_compiled_is_silent_and_repeats_constants():
    columns = np.array([[0.0], [-1.0], [4.0]])
    exprs = [sympy.log(x), 1 / x, sympy.sqrt(x), sympy.Integer(3), sympy.zoo * x, sympy.sqrt(sympy.Integer(-1)) * x]
    got = compiled(exprs, ["x"])(columns)
    nan, inf = np.nan, np.inf
    expected = [[-inf, inf, 0, 3, nan, 0], [nan, -1, nan, 3, nan, nan], [np.log(4), 0.25, 2, 3, nan, nan]]
    np.testing.assert_array_equal(got, expected)
    assert compiled([sympy.Integer(3)], [])(np.empty((4, 0))).tolist() == [[3.0]] * 4


@pytest.mark.parametrize(
    ("written", "expr"),
    [
        ("2*x - sin(y)/3", 2 * x - sympy.sin(y) / 3),
        (" -x**2 ", -(x**2)),
        ("x**-1 + 1e-3*sqrt(Abs(y))", 1 / x + 0.001 * sympy.sqrt(sympy.Abs(y))),
        ("exp(-x)*pi", sympy.pi * sympy.exp(-x)),
    ],
)
def test_parsing(written: str, expr: sympy.Expr):
    assert parsed(written, NAMES) == expr


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("__import__('os')", 'got "__import__'),
        ("x.real", r"got 'x.real' in 'x.real'"),
        ("z + 1", r"the variables x, y, v.*got 'z'"),
        ("(lambda: 1)()", "got"),
        ("x ^ 2", "got 'x \\^ 2'"),
        ("x if y else 1", "got"),
        ("True", "got 'True'"),
        ("1j", "got '1j'"),
        ("'x'", "got"),
        ("Abs(x=2)", "got"),
        ("2 x", "such as"),
        ("", "such as"),
        ("\0", "such as"),
        ("-" * 5000 + "x", "such as"),
        ("sin(x, y)", "sin takes another number of arguments"),
        ("sqrt()", "sqrt takes another number of arguments"),
        ("9**9**9**9", "power is too large"),
        ("2**(2**(2**(2**2.5)))", "power is too large"),
        ("exp(exp(exp(10.0)))", "number is too large"),
        ("1e999", "number is too large"),
        ("log(0)", "number is too large"),
        ("x/0", "number is too large"),
    ],
)
def test_what_is_no_expression_is_refused(written: str, message: str):
    with pytest.raises(ValueError, match=f"^expression: .*{message}"):
        parsed(written, NAMES)


def test_bad_arguments():
    model = learner("general", 1, False, 0.3, 0)
    with pytest.raises(ValueError, match="names: expected 3, states and inputs; got 2"):
        expressions(model, ["x", "y"])
    with pytest.raises(ValueError, match="names: expected every name once; got 'x'"):
        expressions(model, ["x", "x", "v"])
    with pytest.raises(ValueError, match=r"expected one network.*Take one"):
        expressions(jax.tree.map(lambda leaf: leaf[None], model), NAMES)
    with pytest.raises(ValueError, match="expected finite weights"):
        expressions(jax.tree.map(lambda leaf: leaf * np.nan, model), NAMES)
    with pytest.raises(ValueError, match="scaling: expected 1 derivatives, the model's outputs; got 2"):
        expressions(learner("general", 1, False, 0.3, 0, outputs=1), NAMES, scaling=scaling_of(0))
    with pytest.raises(TypeError, match="expected an EQL, or a PerState of them; got MLP"):
        expressions(MLP(2, 1, (3,), key=KEY), NAMES)
    with pytest.raises(ValueError, match="names: expected all variables of the expressions; y missing"):
        compiled([x + y], ["x"])
    with pytest.raises(ValueError, match=r"columns: expected \(sample, 1\)"):
        compiled([x], ["x"])(np.ones((3, 2)))


def test_names_with_units_are_read_as_they_are_printed():
    names = ["T [°C]", "T [°C] out", "feed rate (kg/h)", "log(p)", "p"]
    temperature, _, feed, _, p = map(symbol, names)
    read = parsed("-2*T [°C]**2 + feed rate (kg/h)/T [°C] - log(p)", names)
    assert read == -2 * temperature**2 + feed / temperature - sympy.log(p)
    assert parsed(text(read), names) == read
    with pytest.raises(ValueError, match=r"variables T \[°C\], .* got 'S' in 'T \[°C\] - S'"):
        parsed("T [°C] - S", names)

"""What is left of a model: zeros gone, terms shared, digits kept; what cannot be exported is refused."""

import numpy as np
import pytest
import sympy
from sklearn.exceptions import NotFittedError

import sparsedyn
from sparsedyn import export
from sparsedyn.equations import compiled, symbol
from sparsedyn.estimators._known import Known
from sparsedyn.export.program import Sum

from .made import MODELS, STORED, regressor, sindy, stepper
from .running import in_c, in_node, in_st

A, B = symbol("a"), symbol("b")


def test_only_weights_that_are_not_zero_are_written():
    model = stepper("relu")
    block = export.program(model).rhs
    sums = [right for _, right in block.assignments if isinstance(right, Sum)] + list(block.results)
    written = sum(len(one.terms) for one in sums) - sum(one.terms[0][1].startswith(("x_", "u_")) for one in sums[:3])
    assert 0 < written <= model.nonzeros_[0] < model.weights_


def test_units_that_reach_nothing_or_are_constant_are_not_computed():
    model = stepper("tanh", skip=True)
    first, _, last = model.models_.weights
    first[:, :, 3] = 0
    last[:, :6] = 0
    block = export.program(model).rhs
    assert not [name for name, _ in block.assignments if name.startswith(("a", "h"))]
    last[:, 2] = 1
    names = [name for name, _ in export.program(model).rhs.assignments]
    assert "h2_3" in names
    assert "h1_4" not in names


def test_common_terms_are_computed_once():
    expression = sympy.exp(A * B) + 2 / (1 + sympy.exp(A * B))
    block = export.program(regressor(expression, ["a", "b"])).output
    assert len(block.assignments) == 1
    assert export.to_c(regressor(expression, ["a", "b"])).count("exp(") == 1


EXPRESSIONS = {
    "digits": sympy.Float(0.1) * A + sympy.Float(1) / 3 + sympy.Float(1e-17) * B,
    "fractions": 7 * A / 10 + sympy.Rational(1, 3) - 2 ** sympy.Integer(40) * B,
    "powers": A**3 + (A + B) ** 4 - B**-2 + A ** sympy.Rational(5, 2) + B**7 - (A - 2) ** 9 + 1 / (A + B) ** 3,
    "roots": sympy.sqrt(A) + 1 / sympy.sqrt(B) + A ** sympy.Rational(1, 3) + B**-0.7,
    "functions": sympy.sin(A) + sympy.cos(B) * sympy.tan(A) + sympy.exp(-A) + sympy.log(B) + sympy.Abs(A - B),
    "hyperbolic": sympy.tanh(A - B) + sympy.sinh(A) + sympy.cosh(B) + sympy.cot(A) + sympy.atan(B) + sympy.asin(A / 9),
    "signs": sympy.sign(A - B) + sympy.Max(A, B, 1) - sympy.Min(A, 2 * B) - (A - B) * -A,
    "extremes": sympy.exp(2 * A - 900) * sympy.Float("1e390") + sympy.pi * A + sympy.E,
}
POINTS = np.random.default_rng(0).uniform(0.3, 3.0, (20, 2))


@pytest.mark.parametrize("of", EXPRESSIONS)
def test_functions_and_numbers_are_those_of_sympy(of: str, compiler: str, node: str, tmp_path):
    model = regressor(EXPRESSIONS[of], ["a", "b"])
    expected = compiled([EXPRESSIONS[of]], ["a", "b"])(POINTS)[:, 0]
    none = np.zeros(0)
    c = in_c(compiler, export.to_c(model), tmp_path, True)["output"]
    block = in_st(export.to_st(model))["sparsedyn_output"]
    python: dict = {}
    exec(export.to_python(model), python)
    script = "return x.map(point => m.output(point, []));"
    found = {
        "c": [c(point, none, 1)[0] for point in POINTS],
        "st": [block.results(point, none)[0] for point in POINTS],
        "python": python["output"](POINTS)[:, 0],
        "javascript": np.asarray(in_node(node, export.to_javascript(model), POINTS, none, tmp_path, script))[:, 0],
    }
    for target, values in found.items():
        np.testing.assert_allclose(values, expected, rtol=1e-13, err_msg=target)
    single = in_c(compiler, export.to_c(model, double=False), tmp_path / ".", False, "sparsedyn")
    assert single


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sympy.nan, "finite values; that of y has none"),
        (sympy.zoo * A, "finite values"),
        (1 / (A - A), "finite values"),
    ],
)
def test_equations_without_values_are_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        export.to_c(regressor(sympy.sympify(expression) + 0 * A, ["a", "b"]))


def test_functions_that_a_target_lacks_are_refused():
    model = regressor(sympy.erf(A), ["a", "b"])
    assert "erf(" in export.to_c(model)
    for target, of in ((export.to_javascript, "JavaScript"), (export.to_st, "structured text")):
        with pytest.raises(ValueError, match=f"{of} has no way to write erf"):
            target(model)


def test_numbers_beyond_single_precision_are_refused():
    with pytest.raises(ValueError, match=r"double: 1e\+60 is beyond single precision"):
        export.to_c(regressor(sympy.Float(1e60) * A, ["a", "b"]), double=False)


def test_known_parts_that_are_functions_are_refused():
    model = sindy(c1_0=-0.5)
    names = ("level", "heat", "feed")
    model.known_ = Known(names, names[:2], function=lambda x, u: x)
    with pytest.raises(ValueError, match=r"known_level.* is a Python function"):
        export.to_c(model)
    network = stepper()
    network.known_ = model.known_
    with pytest.raises(ValueError, match=r"known_level.* is a Python function"):
        export.to_c(network)


def test_other_models_are_refused():
    with pytest.raises(TypeError, match=r"model: expected one of SparseTimeStepper, .*; got SINDyAutoencoder"):
        export.to_c(sparsedyn.load(STORED / "autoencoder.model"))
    with pytest.raises(NotFittedError):
        export.to_python(sparsedyn.SINDy())
    with pytest.raises(ValueError, match="member: expected none, 0 or 'mean', since there is one model; got 1"):
        export.to_c(MODELS["sindy"](), 1)


def test_a_step_has_as_many_substeps_as_it_needs():
    fast = sindy(**{"c1_0": -8.0, "c2_1": -8.0, "c0_0": 8.0})
    slow = sindy(**{"c1_0": -0.01, "c2_1": -0.01})
    assert export.program(slow).substeps == 1
    assert export.program(fast).substeps >= 8
    assert export.program(fast, substeps=3).substeps == 3
    with pytest.raises(ValueError, match="substeps: expected a whole number of at least 1; got 0"):
        export.program(fast, substeps=0)


def test_the_smaller_dense_network_is_the_same_model(tmp_path):
    model = stepper("tanh", members=2)
    model.models_.weights[1][1, :, 5] = 0
    smaller = model.prune_structure(1)
    assert smaller.hidden[1] < 6
    assert smaller.weights_ < model.weights_
    x, u = np.asarray([[2.1, 1201.0]]), np.asarray([[0.3]])
    np.testing.assert_allclose(smaller.predict(x, u), model.predict(x, u)[1], rtol=1e-5)
    smaller.save(tmp_path / "smaller")
    np.testing.assert_array_equal(sparsedyn.load(tmp_path / "smaller").predict(x, u), smaller.predict(x, u))
    with pytest.raises(ValueError, match="member: expected 0 to 1; got 2"):
        model.prune_structure(2)

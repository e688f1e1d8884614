"""ONNX: what ONNX Runtime computes, and what do-mpc reads."""

import json
from typing import Any

import numpy as np
import pytest
import sympy

from sparsedyn import export
from sparsedyn.equations import compiled

from .cases import case, largest, run
from .made import regressor, stepper
from .test_names import STATES, hostile
from .test_program import EXPRESSIONS, POINTS, A

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
NETWORKS = {"Gemm", "MatMul", "Add", "Sub", "Mul", "Tanh", "Sigmoid", "Relu", "Concat"}
"""What do-mpc reads; of `Concat` it takes two arguments side by side."""


def in_onnx(model: Any, double: bool = True) -> dict[str, Any]:
    """The functions of a model, of one point or of many."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names, kind = [one.name for one in session.get_inputs()], np.float64 if double else np.float32

    def function(of: str) -> Any:
        def call(x: np.ndarray, u: np.ndarray) -> np.ndarray:
            given = {"x": np.atleast_2d(np.asarray(x, kind)), "u": np.atleast_2d(np.asarray(u, kind))}
            return session.run([of], {name: given[name] for name in names})[0].reshape(*np.shape(x)[:-1], -1)

        return call

    found = {one.name: function(one.name) for one in session.get_outputs()}
    return {key: found[of] for key, of in (("step", "x_next"), ("output", "y"), ("rhs", "dx")) if of in found}


@pytest.mark.parametrize("double", [True, False], ids=["double", "float"])
def test_runs_are_those_of_simulate(name: str, double: bool):
    model, program, (x, u, expected) = case(name)
    functions = in_onnx(export.to_onnx(model, "mean" if name == "mean" else None, double=double), double)
    assert largest(run(functions, x, u), expected) < (1e-6 if double else 1e-4)
    points = np.stack([np.atleast_2d(x)[0]] * 3)
    for of in functions:
        assert functions[of](points, u[:3]).shape == (3, len(program.outputs if of == "output" else program.states))


@pytest.mark.parametrize("of", EXPRESSIONS)
def test_functions_and_numbers_are_those_of_sympy(of: str):
    expression = EXPRESSIONS[of].subs(sympy.asin(A / 9) + sympy.atan(sympy.Symbol("b")), 0)
    expression = expression.replace(sympy.asin, lambda a: a).replace(sympy.atan, lambda a: a)
    functions = in_onnx(export.to_onnx(regressor(expression, ["a", "b"])))
    expected = compiled([expression], ["a", "b"])(POINTS)
    np.testing.assert_allclose(functions["output"](POINTS, POINTS[:, :0]), expected, rtol=1e-13)


def test_what_onnx_lacks_is_said():
    with pytest.raises(ValueError, match="ONNX Runtime has asin in single precision alone"):
        export.to_onnx(regressor(sympy.asin(A / 9), ["a", "b"]))
    assert in_onnx(export.to_onnx(regressor(sympy.asin(A / 9), ["a", "b"]), double=False), False)
    with pytest.raises(ValueError, match="ONNX has no way to write gamma"):
        export.to_onnx(regressor(sympy.gamma(A), ["a", "b"]))
    with pytest.raises(ValueError, match=r"double: 1e\+60 is beyond single precision"):
        export.to_onnx(regressor(sympy.Float(1e60) * A, ["a", "b"]), double=False)


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "silu", "mean", "map"])
def test_do_mpc_reads_networks(name: str):
    casadi = pytest.importorskip("casadi", reason="the extra casadi is not installed")
    sysid = pytest.importorskip("do_mpc.sysid", reason="the extra do-mpc is not installed")
    model, _, (x, u, expected) = case(name)
    made = export.to_onnx(model, "mean" if name == "mean" else None)
    assert {node.op_type for node in made.graph.node} <= NETWORKS
    assert [one.version for one in made.opset_import] == [17]
    symbols = casadi.SX.sym("x", 1, len(x)), casadi.SX.sym("u", 1, u.shape[1])
    read = sysid.ONNXConversion(made)
    read.convert(x=symbols[0], u=symbols[1])
    step = casadi.Function("step", list(symbols), [read["x_next"]])
    np.testing.assert_allclose(np.asarray(step(x, u[0]))[0], expected[1], rtol=1e-12)


def test_zeros_of_matrices_stay():
    made = export.to_onnx(stepper("tanh"))
    weights = [onnx.numpy_helper.to_array(one) for one in made.graph.initializer if "_w" in one.name]
    assert sum(np.count_nonzero(one) for one in weights) == stepper("tanh").nonzeros_[0]


def test_hostile_names_are_data():
    made = export.to_onnx(hostile())
    known = {one.key: json.loads(one.value) for one in made.metadata_props}
    assert tuple(one["name"] for one in known["x"]) == STATES
    assert {one.name for one in made.graph.input} == {"x", "u"}

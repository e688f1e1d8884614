"""Jacobians in C against differences of the same functions, and against SymPy."""

from pathlib import Path

import numpy as np
import pytest
import sympy

from sparsedyn import export
from sparsedyn.equations import compiled
from sparsedyn.export.jacobian import jacobian

from .cases import case
from .made import MODELS, regressor
from .running import in_c
from .test_program import EXPRESSIONS, POINTS, A, B

KINDS = ("tanh", "gelu", "known", "mean", "state space", "sindy", "sindy map", "lags", "learner")
SLOW = ("gelu", "known", "mean", "sindy map", "learner")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in KINDS])
def test_jacobians_are_what_differences_approach(name: str, compiler: str, tmp_path: Path):
    _, program, (x, u, _) = case(name)
    text = export.to_c(MODELS[name](), "mean" if name == "mean" else None, jacobian=True)
    functions = in_c(compiler, text, tmp_path, True)
    widths = {of: len(block.results) for of, (block, _) in program.blocks.items()} | {"step": len(program.states)}
    scale = np.asarray([one.std or 1.0 for one in (*program.states, *program.inputs)])
    point = np.concatenate([x, u[0]])
    for of in {one.partition("_")[0] for one in functions if one.endswith("jacobian")}:
        found = functions[f"{of}_jacobian"](x, u[0], widths[of])

        def at(point: np.ndarray, of: str = of) -> np.ndarray:
            return functions[of](point[: len(x)], point[len(x) :], widths[of])

        steps = 1e-5 * scale
        columns = [
            (at(point + e * step) - at(point - e * step)) / (2 * step)
            for e, step in zip(np.eye(len(point)), steps, strict=True)
        ]
        expected = np.stack(columns, axis=1)
        np.testing.assert_allclose(
            found * scale, expected * scale, rtol=1e-6, atol=1e-6 * np.abs(expected * scale).max()
        )


@pytest.mark.parametrize("of", EXPRESSIONS)
def test_derivatives_are_those_of_sympy(of: str):
    model = regressor(EXPRESSIONS[of], ["a", "b"])
    program = export.program(model)
    slopes = jacobian(program.output, [one.identifier for one in program.states])
    values = {one.identifier: POINTS[:, i] for i, one in enumerate(program.states)}
    for name, right in (*slopes.assignments, *((f"r{i}", r) for i, r in enumerate(slopes.results))):
        values[name] = evaluated(right, values)
    smooth = EXPRESSIONS[of].rewrite(sympy.Piecewise)
    expected = compiled([smooth.diff(A), smooth.diff(B)], ["a", "b"])(POINTS)
    np.testing.assert_allclose(np.stack([values["r0"], values["r1"]], axis=1), expected, rtol=1e-10, atol=1e-12)


def evaluated(right: export.Sum | sympy.Expr, values: dict[str, np.ndarray]) -> np.ndarray:
    """The value of a right-hand side, element by element."""
    if isinstance(right, export.Sum):
        return right.constant + sum((w * values[name] for w, name in right.terms), np.zeros(len(POINTS)))
    names = sorted(str(one) for one in right.free_symbols)
    function = sympy.lambdify([sympy.Symbol(one, real=True) for one in names], right, "numpy")
    return function(*(values[one] for one in names)) + np.zeros(len(POINTS))


def test_zeros_are_not_computed_with():
    program = export.program(MODELS["sindy"]())
    slopes = jacobian(program.rhs, ["x_level", "x_heat", "u_feed"])
    assert [one == export.Sum(0.0) for one in slopes.results] == [False, True, False, False, False, True]


def test_functions_without_a_derivative_are_refused():
    model = regressor(sympy.floor(A), ["a", "b"])
    with pytest.raises(ValueError, match="jacobian: expected functions whose derivative is known"):
        export.to_c(model, jacobian=True)

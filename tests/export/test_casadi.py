"""CasADi's functions, and models of do-mpc."""

import ast
import sys
from typing import Any

import numpy as np
import pytest

from sparsedyn import export
from sparsedyn.equations import compiled

from .cases import case, largest, run
from .made import regressor, sindy, state_space
from .test_names import INPUTS, STATES, hostile
from .test_program import EXPRESSIONS, POINTS

casadi = pytest.importorskip("casadi", reason="the extra casadi is not installed")


def plain(function: Any) -> Any:
    """The function, of arrays."""
    return lambda x, u: np.asarray(function(x, u))[:, 0]


def test_runs_are_those_of_simulate(name: str):
    model, program, (x, u, expected) = case(name)
    made = export.casadi(model, "mean" if name == "mean" else None)
    functions = {of: plain(getattr(made, of)) for of in ("step", "output") if getattr(made, of) is not None}
    assert largest(run(functions, x, u), expected) < 1e-6
    assert (made.f is None) == (program.rhs is None)
    if made.f is not None:
        assert made.f.class_name() == "SXFunction"
        assert (made.f.name_in(), made.f.name_out()) == (["x", "u"], ["xdot"])
        assert made.step.size1_out(0) == len(program.states)


@pytest.mark.parametrize("of", EXPRESSIONS)
def test_functions_and_numbers_are_those_of_sympy(of: str):
    made = export.casadi(regressor(EXPRESSIONS[of], ["a", "b"]))
    found = [float(made.output(point, [])) for point in POINTS]
    np.testing.assert_allclose(found, compiled([EXPRESSIONS[of]], ["a", "b"])(POINTS)[:, 0], rtol=1e-13)


def test_derivatives_are_casadis_own():
    made = export.casadi(sindy(c1_0=-0.5, c4_0=-0.3, c3_1=2.0))
    x, u = casadi.SX.sym("x", 2), casadi.SX.sym("u")
    jacobian = casadi.Function("j", [x, u], [casadi.jacobian(made.f(x, u), casadi.vertcat(x, u))])
    np.testing.assert_allclose(np.asarray(jacobian([0.4, 0.8], 0.3)), [[-0.5 - 0.3 * 2 * 0.4, 0, 0], [0, 0, 2.0]])


def test_a_module_is_safe_whatever_names_are():
    text = export.to_casadi(hostile())
    tree = ast.parse(text)
    assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import)] == ["import casadi"]
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {one.partition(".")[0] for one in calls} == {"casadi", "_rhs", "_step", "range"}
    made = export.casadi(hostile())
    assert (made.states, made.inputs) == (STATES, INPUTS)


def test_do_mpc_steps_as_the_model_does():
    pytest.importorskip("do_mpc", reason="the extra do-mpc is not installed")
    model, program, (x, u, expected) = case("tanh")
    made = export.do_mpc(model)
    made.setup()
    assert made.model_type == "discrete"
    assert made.x.keys() == [one.identifier for one in program.states]
    step = made._rhs_fun(x, u[0], [], [], [], [])
    np.testing.assert_allclose(np.asarray(step)[:, 0], expected[1], rtol=1e-12)
    latent = export.do_mpc(state_space())
    latent.setup()
    assert {"y_level", "y_heat"} < set(latent.aux.keys())
    with pytest.raises(ValueError, match="model: expected a model of dynamics; EquationRegressor"):
        export.do_mpc(regressor())


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "casadi", None)
    assert "import casadi" in export.to_casadi(sindy())
    with pytest.raises(ImportError, match=r'sparsedyn.export.casadi needs casadi: pip install "sparsedyn\[casadi\]"'):
        export.casadi(sindy())

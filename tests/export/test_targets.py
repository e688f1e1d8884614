"""Every kind of model in every target that runs here, against `simulate`, a thousand steps."""

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from blark.parse import parse_source_code

from sparsedyn import export
from sparsedyn.estimators._checks import Variables

from .cases import ROWS, case, largest, run
from .made import MODELS, sindy
from .running import FLAGS, in_c, in_node, in_st


def test_runs_stay_where_they_say_something(name: str):
    expected = case(name)[2][2]
    assert np.isfinite(expected).all()
    assert (np.ptp(expected, axis=0) > 1e-4 * np.abs(expected).max(axis=0)).all()


@pytest.mark.parametrize("double", [True, False], ids=["double", "float"])
def test_c(name: str, double: bool, compiler: str, tmp_path: Path):
    model, program, (x, u, expected) = case(name)
    text = export.to_c(model, "mean" if name == "mean" else None, double=double)
    made = in_c(compiler, text, tmp_path, double)
    widths = {"step": len(program.states), "output": len(program.outputs)}
    functions = {of: lambda x, u, of=of: made[of](x, u, widths[of]) for of in widths.keys() & made.keys()}
    assert largest(run(functions, x, u), expected) < (1e-6 if double else 1e-4)
    if program.rhs is not None:
        assert np.isfinite(made["rhs"](x, u[0], len(program.states))).all()


def test_structured_text(name: str):
    model, _, (x, u, expected) = case(name)
    blocks = in_st(export.to_st(model, "mean" if name == "mean" else None))
    functions = {of: blocks[f"sparsedyn_{of}"].results for of in ("step", "output") if f"sparsedyn_{of}" in blocks}
    assert largest(run(functions, x, u), expected) < 1e-6
    single = export.to_st(model, "mean" if name == "mean" else None, double=False)
    assert "LREAL" not in single
    assert in_st(single).keys() == blocks.keys()


@pytest.mark.slow
def test_structured_text_in_single_precision(name: str):
    model, _, (x, u, expected) = case(name)
    # A number that Python writes takes the precision of NumPy's beside it.
    blocks = in_st(export.to_st(model, "mean" if name == "mean" else None, double=False), np.float32)
    functions = {of: blocks[f"sparsedyn_{of}"].results for of in ("step", "output") if f"sparsedyn_{of}" in blocks}
    assert largest(run(functions, x, u), expected) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_both_compilers_take_everything_without_a_warning(name: str, compiler: str, tmp_path: Path):
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    model = case(name)[0]
    for double in (True, False):
        text = export.to_c(model, "mean" if name == "mean" else None, double=double, jacobian=True)
        (tmp_path / "model.c").write_text(text)
        command = [compiler, *FLAGS, "-DSPARSEDYN_SELF_TEST", tmp_path / "model.c", "-o", tmp_path / "model", "-lm"]
        subprocess.run(command, check=True)
        subprocess.run([tmp_path / "model"], check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sindy", "state space", "ranged"])
def test_an_independent_reader_parses_structured_text(name: str):
    hostile = Variables(
        ("*) END_VAR (*", "while"), ("//",), ("*/", ""), ("(*",), 0.1, ((0.0, 1.0),) * 2, ((-1.0, 1.0),)
    )
    model = sindy(1, names=hostile, c1_0=-0.5, c2_1=-0.6, c3_0=1.0) if name == "ranged" else case(name)[0]
    text = export.to_st(model)
    found = parse_source_code(text)
    assert found.exception is None
    blocks = [one.split()[1] for one in text.splitlines() if one.startswith("FUNCTION_BLOCK")]
    assert [str(one.name) for one in found.transform().items] == blocks
    assert ("sparsedyn_inside" in blocks) == (name == "ranged")


def test_python(name: str):
    model, _, (x, u, expected) = case(name)
    made: dict[str, Any] = {}
    exec(export.to_python(model, "mean" if name == "mean" else None), made)
    functions = {of: made[of] for of in ("step", "output") if of in made}
    assert largest(run(functions, x, u), expected) < 1e-6
    for of in functions:
        many = made[of](np.stack([np.atleast_2d(x)[0]] * 3), u[:3])
        np.testing.assert_allclose(many[1], made[of](np.atleast_2d(x)[0], u[1]), rtol=1e-12)


JAVASCRIPT = """
  if (!m.step) return x.map((point, k) => m.output(point, u[k]));
  let s = x;
  return u.map(row => { const now = m.output ? m.output(s, row) : s; s = m.step(s, row); return now; });
"""


def test_javascript(name: str, node: str, tmp_path: Path):
    model, _, (x, u, expected) = case(name)
    text = export.to_javascript(model, "mean" if name == "mean" else None)
    found = in_node(node, text, x, u, tmp_path, JAVASCRIPT)
    assert largest(np.asarray(found), expected) < 1e-6


def test_sympy_and_python_say_the_same(name: str):
    model, program, (x, u, _) = case(name)
    member = "mean" if name == "mean" else None
    made: dict[str, Any] = {}
    exec(export.to_sympy(model, member), made)
    python: dict[str, Any] = {}
    exec(export.to_python(model, member), python)
    values = dict(zip([*made["states"], *made["inputs"]], [*np.atleast_2d(x)[0], *u[0]], strict=True))
    for of in program.blocks:
        expected = python[of](np.atleast_2d(x)[0], u[0])
        found = [float(sympy.sympify(one).subs(values)) for one in made[of]]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_latex_has_every_equation(name: str):
    model = case(name)[0]
    program = export.program(model, "mean" if name == "mean" else None, shared=False)
    text = export.to_latex(model, "mean" if name == "mean" else None)
    assert text.count(r"\begin{align}") == text.count(r"\end{align}") == len(program.blocks)
    assert text.count("&=") == sum(len(b.assignments) + len(b.results) for b, _ in program.blocks.values())
    for start, end in ("{}", ("\\left(", "\\right)")):
        assert text.count(start) == text.count(end)


@pytest.mark.parametrize("name", ["relu", "mean", "sindy", "state space", "lags", "regressor"])
@pytest.mark.parametrize("double", [True, False], ids=["double", "float"])
def test_the_self_test_passes_and_can_fail(name: str, double: bool, compiler: str, tmp_path: Path):
    model, _, _ = case(name)
    text = export.to_c(model, "mean" if name == "mean" else None, double=double, name="plant")
    said = []
    for number, source in enumerate((text, text.replace("r[0] = ", "r[0] = 1.01 * ", 1))):
        path = tmp_path / f"model{number}.c"
        path.write_text(source)
        subprocess.run([compiler, *FLAGS, "-DPLANT_SELF_TEST", path, "-o", path.with_suffix(""), "-lm"], check=True)
        said.append(subprocess.run([path.with_suffix("")], capture_output=True, text=True))
    assert [done.returncode for done in said] == [0, 1], [done.stdout for done in said]
    assert "20 rows, largest relative difference" in said[0].stdout


def test_single_precision_simulations_agree_to_their_rounding():
    model, _, (x, u, expected) = case("tanh")
    assert largest(np.asarray(model.simulate(x, ROWS, u)), expected) < 1e-4


def test_members_are_chosen():
    model = copy.copy(MODELS["mean"]())
    x, u = np.asarray([[2.0, 1200.0]]), np.asarray([[0.3]])
    slopes = np.asarray(model.predict(x, u))[:, 0]

    def rhs(member: Any) -> np.ndarray:
        made: dict[str, Any] = {}
        exec(export.to_python(model, member), made)
        return made["rhs"](x[0], u[0])

    # The last has the least loss.
    for member, expected in ((0, slopes[0]), (1, slopes[1]), (None, slopes[2]), ("mean", slopes.mean(axis=0))):
        np.testing.assert_allclose(rhs(member), expected, rtol=1e-5)
    model.alive_ = np.asarray([True, True, False])
    np.testing.assert_allclose(rhs(None), slopes[1], rtol=1e-5)
    np.testing.assert_allclose(rhs("mean"), slopes[:2].mean(axis=0), rtol=1e-5)
    for member in (2, 3, -1, True, "best"):
        with pytest.raises(ValueError, match="member: expected 'mean' or the number of a member that lives, 0, 1; got"):
            rhs(member)

"""Names of the data, whatever is in them, do no harm: identifiers are safe, comments cannot be ended from inside."""

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsedyn import Scaling, export
from sparsedyn.estimators._checks import Variables
from sparsedyn.export.names import comment, identifiers

from .made import state_space, stepper
from .running import in_c, in_node, in_st

STATES = ('x; system("ls")', "</script><script>alert(1)</script>", "*/ int main(void) { } /*", "*) END_VAR (*", "while")
STATES += (
    "next",
    "X_1",
    "x 1",
    "größe",
    "日本",
    "",
    "${name}",
    '"""',
    "\\u0022 \\",
    "a??/",
    "{{x}}",
    "NEXT",
    "t1",
    "x",
)
INPUTS = ("'; import os #", "//", "%", "level")
NAMES = Variables(STATES, INPUTS, ("*/",) * len(STATES), ("</script>",) * len(INPUTS), 0.1)
SCALING = Scaling(*(np.full(n, v) for n, v in ((19, 1.0), (19, 2.0), (4, 0.5), (4, 1.0), (19, 0.0), (19, 1.0))))


def hostile() -> Any:
    """A model whose names try everything."""
    return stepper("tanh", skip=True, names=NAMES, scaling=SCALING)


def test_identifiers_are_safe_and_differ_without_case():
    made = identifiers("x", STATES)
    assert all(one.isascii() and one.isidentifier() and "__" not in one and not one.endswith("_") for one in made)
    assert len({one.lower() for one in made}) == len(STATES)
    assert all(len(one) < 50 for one in identifiers("x", ["a" * 500, "a" * 501]))
    assert identifiers("x", ["level", "T_bath"]) == ["x_level", "x_T_bath"]


def test_comments_keep_what_can_do_nothing():
    assert comment("T_bath (K), 5.2 m/s") == "T_bath (K), 5.2 m/s"
    assert comment('*/ \\\n<!-- "ö') == "[U+2A]/ [U+5C][U+0A][U+3C][U+21]-- [U+22][U+F6]"


def test_every_target_runs_under_hostile_names(compiler: str, node: str, tmp_path: Path):
    model = hostile()
    x, u = np.linspace(0, 1, len(STATES)), np.linspace(0, 1, len(INPUTS))
    python: dict[str, Any] = {}
    exec(export.to_python(model), python)
    expected = python["step"](x, u)
    assert python["STATES"] == STATES
    found = {
        "c": in_c(compiler, export.to_c(model), tmp_path, True)["step"](x, u, len(x)),
        "st": in_st(export.to_st(model))["sparsedyn_step"].results(x, u),
        "javascript": in_node(node, export.to_javascript(model), x, u, tmp_path, "return m.step(x, u);"),
    }
    for target, values in found.items():
        np.testing.assert_allclose(values, expected, rtol=1e-12, err_msg=target)
    names = in_node(node, export.to_javascript(model), x, u, tmp_path, "return m.states.map(one => one.name);")
    assert tuple(names) == STATES
    made: dict[str, Any] = {}
    exec(export.to_sympy(model), made)
    assert tuple(str(one) for one in made["states"]) == STATES


@pytest.mark.parametrize(("to", "comments"), [(export.to_c, r"/\*.*?\*/"), (export.to_st, r"\(\*.*?\*\)")])
def test_nothing_in_a_name_gets_out_of_a_comment(to: Any, comments: str):
    text = to(hostile())
    assert text.isascii()
    code = re.sub(comments, "", text, flags=re.DOTALL)
    for part in ("system(", "alert(", "script>", "int main(void) {", "END_VAR (", "import os", "??/"):
        assert part not in code


def test_nothing_in_a_name_ends_a_script():
    text = export.to_javascript(hostile())
    assert text.isascii()
    assert "<script" not in text
    assert "</" not in text


@pytest.mark.parametrize("to", [export.to_python, export.to_sympy])
def test_names_are_quoted_in_python(to: Any):
    tree = ast.parse(to(hostile()))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {*STATES, *INPUTS} <= texts
    modules = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node).split()[1] for node in modules] in (["numpy"], ["sympy"])


def test_latex_escapes_names():
    names = Variables(("\\input{x}", "a_%$#&"), ("u~^",), ("\\", "%"), ("\n",), 0.1)
    text = export.to_latex(state_space(names))
    assert "\\input" not in text
    assert "\\backslash" in text


@pytest.mark.parametrize("name", ["while", "1x", "a-b", "a__b", "", "x;", "ä", "a" * 99])
def test_names_of_exports_are_checked(name: str):
    with pytest.raises(ValueError, match="name: expected a letter, then letters and digits"):
        export.to_c(hostile(), name=name)


def test_another_name_is_used_throughout():
    text = export.to_c(hostile(), name="my_plant")
    assert "void my_plant_step(const double *x, const double *u, double *x_next);" in text
    assert "#define MY_PLANT_STATES 19" in text
    assert "sparsedyn_" not in text

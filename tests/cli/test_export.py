"""`sparsedyn export`: a model file as code."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

TARGETS = {
    "c": "void sparsedyn_step(const float *x, const float *u, float *x_next);",
    "st": "FUNCTION_BLOCK sparsedyn_step",
    "python": "def step(x, u=None):",
    "javascript": "const sparsedyn = ",
    "sympy": "from sympy import ",
    "casadi": 'step = casadi.Function("step", [_x, _u]',
    "latex": r"\begin{align}",
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_written(run, model: Path, tmp_path: Path, target: str):
    result = run("export", model, "--to", target, "-o", tmp_path / "made")
    assert result.exit_code == 0, result.stderr
    assert TARGETS[target] in (tmp_path / "made").read_text()
    assert "bytes" in result.stderr
    assert not result.stdout


def test_options_reach_the_export(run, model: Path, tmp_path: Path):
    path = tmp_path / "made.h"
    options = ("--double", "--name", "prey", "--member", "mean", "--substeps", "2", "--json")
    result = run("export", model, "--to", "c", "-o", path, *options)
    assert result.exit_code == 0, result.stderr
    text = path.read_text()
    assert "void prey_step(const double *x, const double *u, double *x_next);" in text
    assert "the mean of 2 members" in text
    assert json.loads(result.stdout) == {
        "file": str(path), "model": str(model), "target": "c", "bytes": len(text)
    }  # fmt: skip


def test_one_state_and_jacobians(run, model: Path, tmp_path: Path):
    path = tmp_path / "made.h"
    result = run("export", model, "--to", "c", "-o", path, "--only", "a", "--jacobian")
    assert result.exit_code == 0, result.stderr
    assert "void sparsedyn_step_jacobian(" in path.read_text()
    assert "What a needs" in path.read_text()


def test_an_fmu_is_an_archive(run, model: Path, tmp_path: Path):
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    result = run("export", model, "--to", "fmu", "--fmi", "3", "--name", "plant", "-o", tmp_path / "plant.fmu")
    assert result.exit_code == 0, result.stderr
    with zipfile.ZipFile(tmp_path / "plant.fmu") as archive:
        assert b'fmiVersion="3.0"' in archive.read("modelDescription.xml")
        assert any(name.startswith("binaries/") for name in archive.namelist())


def test_a_missing_compiler_is_one_error(run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CC", "none-such")
    result = run("export", model, "--to", "fmu", "-o", tmp_path / "plant.fmu")
    assert result.exit_code == 3
    assert "an FMU needs a C compiler; looked for none-such" in result.stderr
    assert not (tmp_path / "plant.fmu").exists()


def test_a_missing_extra_is_named(run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = run("export", model, "--to", "onnx", "-o", tmp_path / "plant.onnx")
    assert result.exit_code == 2
    assert "to_onnx needs onnx: pip install" in result.stderr


def test_what_does_not_fit_is_said(run, model: Path, tmp_path: Path):
    path = tmp_path / "made.h"
    result = run("export", model, "--to", "c", "-o", path, "--member", "7")
    assert result.exit_code == 2
    assert "member: expected 'mean' or the number of a member that lives, 0, 1; got 7" in result.stderr
    assert run("export", model, "--to", "c", "-o", path, "--name", "a b").exit_code == 2
    assert not path.exists()
    assert run("export", tmp_path / "none", "--to", "c", "-o", path).exit_code == 3

"""What works where Numba cannot be imported, or has no place for what it compiles."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numba
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn._native import NativeError, _tell_unkept, kept, native, needed
from sparsedyn.cli.errors import exit_code
from sparsedyn.cli.exit_codes import USAGE

MODELS = "sparsedyn.SINDy, sparsedyn.EquationLearner, sparsedyn.SparseStateSpace, sparsedyn.SparseTimeStepper"
FITTED = """
import sys, warnings
sys.modules["numba"] = None
import numpy as np, sparsedyn
warnings.simplefilter("always")
rng = np.random.default_rng(0)
x = np.exp(-0.05 * np.arange(100)) + 0.002 * rng.normal(size=100)
with warnings.catch_warnings(record=True) as said:
    fitted = sparsedyn.SINDy(2).fit(x, 0.05, names=["x"])
print(any("from fewer candidates: Numba cannot be used" in str(one.message) for one in said))
fitted.save("a.model")
print(round(float(sparsedyn.load("a.model").simulate([1.0], 20)[-1, 0]), 1))
try:
    sparsedyn.EquationLearner(search="states").fit(x, 0.05, names=["x"], progress=False)
except Exception as error:
    print(type(error).__name__, error)
"""


def run(code: str, folder: Any = None) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), cwd=folder, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_estimators_are_imported_without_numba():
    assert run(f"import sys, sparsedyn; {MODELS}; print('numba' in sys.modules)") == ["False"]


def test_equations_are_fitted_and_models_used_without_numba(tmp_path):
    told, last, error = run(FITTED, tmp_path)
    assert told == "True"
    assert last == "0.4"
    assert error.startswith("NativeError The search for equations by states: expected Numba; got ")
    assert "pip install --force-reinstall numba" in error
    assert "search='networks'" in error


def test_what_needs_a_module_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sparsedyn.nowhere", None)
    with pytest.raises(NativeError, match=r"^Something: expected Numba; got .*, or do without\.$"):
        needed("sparsedyn.nowhere", "Something", "do without")


@pytest.mark.parametrize(
    ("given", "expected"), [("", True), ("1", True), ("On", True), ("yes", True), ("0", False), (" OFF", False)]
)
def test_compiled_code_is_switched_on_and_off(monkeypatch: pytest.MonkeyPatch, given: str, expected: bool):
    monkeypatch.setenv("SPARSEDYN_NATIVE", given)
    assert native() is expected


def test_what_is_neither_on_nor_off_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARSEDYN_NATIVE", "none")
    with pytest.raises(NativeError, match=r"^SPARSEDYN_NATIVE='none': expected 1, .* or 0, false,") as told:
        native()
    assert exit_code(told.value) == USAGE


def test_code_without_a_place_is_compiled_anew_and_it_is_told_once(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def njit(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
            asked.append(options["cache"])
            if options["cache"]:
                raise RuntimeError("cannot cache function: no locator available")
            return function

        return decorated

    monkeypatch.setattr(numba, "njit", njit)
    _tell_unkept.cache_clear()
    with pytest.warns(SparsedynWarning, match="Set NUMBA_CACHE_DIR to a folder that can be written") as told:
        assert [kept()(function) for function in (len, max)] == [len, max]
    assert len(told) == 1
    assert asked == [True, False] * 2
    _tell_unkept.cache_clear()

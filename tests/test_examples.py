"""Examples of model predictive control: their equations are those of the plants, and a loop closes."""

import dataclasses
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

casadi = pytest.importorskip("casadi", reason="the extra casadi is not installed")
PLACE = Path(__file__).parents[1] / "examples" / "mpc"


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(PLACE), *sys.path])


def of(name: str) -> tuple[ModuleType, ModuleType]:
    return importlib.import_module(name), importlib.import_module("nmpc")


@pytest.mark.parametrize(
    ("name", "field"), [("two_tanks", "true"), ("lotka_volterra", "true"), ("aluminum_cell", "field")]
)
def test_true_models_are_the_plants(name: str, field: str):
    example, nmpc = of(name)
    plant, x = example.PLANT, example.PROBLEM.start
    u = np.asarray(example.PROBLEM.inputs(casadi.DM(example.PROBLEM.first))).ravel()
    with jax.enable_x64(True):
        expected = np.asarray(plant.step(x, u))
    found = nmpc.runge_kutta(getattr(example, field), plant.dt)(casadi.DM(x), casadi.DM(u))
    np.testing.assert_allclose(np.asarray(found).ravel(), expected, rtol=1e-10)


@pytest.mark.slow
def test_the_code_of_the_tutorial_solves_its_problem():
    text = (PLACE.parents[1] / "docs" / "tutorials" / "mpc.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    made: dict[str, Any] = {}
    exec(code.replace('"ipopt")', '"ipopt", {"print_time": 0}, {"print_level": 0})'), made)
    assert made["solution"].stats()["success"]
    upper, lower = np.asarray(made["solution"].value(made["x"]))
    assert upper.max() <= 13.5 + 1e-6
    assert abs(lower[-1] - 14.0) < abs(lower[0] - 14.0)


@pytest.mark.slow
def test_a_loop_closes():
    example, nmpc = of("two_tanks")
    problem = dataclasses.replace(example.PROBLEM, intervals=4, horizon=5)
    step = nmpc.runge_kutta(example.true, problem.interval)
    run = nmpc.closed_loop(problem, step, np.asarray([10.0, 10.0]), np.asarray([3.0, 3.0]))
    assert run.states.shape == (4 * problem.rows + 1, 2)
    assert (run.failed, run.outside) == (0, 0.0)
    np.testing.assert_allclose(run.states[-1, 1], 10.0, atol=0.1)
    assert "| true model | – | 0.0 |" in nmpc.table({"true model": run}, {"true model": "–"})

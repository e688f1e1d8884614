"""Exports of one output, and ranges of the training data."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparsedyn
from sparsedyn import export
from sparsedyn.estimators._checks import Variables

from .cases import case, run
from .made import NAMES, sindy, state_space, stepper
from .running import in_c, in_st

RANGED = Variables(*NAMES[:5], ((1.0, 3.0), (1190.0, 1210.0)), ((0.0, 0.5),))


def python(text: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    exec(text, made)
    return made


def test_one_state_has_what_it_needs():
    # level depends on itself, heat on level: with c2_0 both depend on both.
    model = sindy(c1_0=-0.5, c3_0=0.7, c1_1=0.4, c2_1=-0.6)
    made = export.program(model, only="level")
    assert [one.name for one in made.states] == ["level"]
    assert [one.name for one in made.inputs] == ["feed"]
    whole = export.program(model, only="heat")
    assert [one.name for one in whole.states] == ["level", "heat"]
    x, u = np.asarray([0.7, 0.8]), np.asarray([0.2])
    part, full = python(export.to_python(model, only="level")), python(export.to_python(model))
    np.testing.assert_allclose(part["step"](x[:1], u), full["step"](x, u)[:1], rtol=1e-12)


def test_one_output_of_latent_states_has_the_states_it_needs():
    model = state_space()
    x, u = case("state space")[2][:2]
    part = python(export.to_python(model, only="heat"))
    assert part["OUTPUTS"] == ("heat",)
    expected = case("state space")[2][2][:, 1:]
    np.testing.assert_allclose(run({k: part[k] for k in ("step", "output")}, x, u), expected, rtol=1e-9)


def test_the_self_test_is_that_of_the_part(compiler: str, tmp_path: Path):
    import subprocess

    path = tmp_path / "part.c"
    path.write_text(export.to_c(sindy(c1_0=-0.5, c3_0=0.7, c1_1=0.4, c2_1=-0.6), only="level"))
    subprocess.run([compiler, "-DSPARSEDYN_SELF_TEST", path, "-o", tmp_path / "part", "-lm"], check=True)
    subprocess.run([tmp_path / "part"], check=True)


def test_names_that_are_not_there_are_said():
    with pytest.raises(ValueError, match="only: expected the name of one of level, heat; got 'feed'"):
        export.to_c(sindy(c1_0=-0.5), only="feed")


def test_ranges_are_constants(compiler: str, tmp_path: Path):
    model = stepper("relu", names=RANGED)
    text = export.to_c(model)
    assert "#define SPARSEDYN_MIN_X_HEAT 1190.0\n#define SPARSEDYN_MAX_X_HEAT 1210.0" in text
    inside = in_c(compiler, text, tmp_path, True)["inside"]
    block = in_st(export.to_st(model))["sparsedyn_inside"]
    for x, u, expected in (
        ((2.0, 1200.0), (0.1,), True),
        ((2.0, 1211.0), (0.1,), False),
        ((2.0, 1200.0), (-0.1,), False),
        ((np.nan, 1200.0), (0.1,), False),
    ):
        assert inside(np.asarray(x), np.asarray(u)) is expected
        assert bool(block.results(np.asarray(x), np.asarray(u))[0]) is expected


def test_models_keep_the_ranges_of_their_data(tmp_path: Path):
    t = 0.1 * np.arange(40)
    states = [np.stack([np.cos(t + a), np.sin(t + a)], axis=1) for a in (0.0, 1.0)]
    data = sparsedyn.Trajectories(states, dt=0.1)
    model = sparsedyn.SINDy(degree=1).fit(data)
    model.save(tmp_path / "model")
    for one in (model, sparsedyn.load(tmp_path / "model")):
        low, high = np.asarray(one.variables_.state_ranges).T
        np.testing.assert_array_equal(low, np.concatenate(states).min(axis=0))
        np.testing.assert_array_equal(high, np.concatenate(states).max(axis=0))
    assert export.program(model).states[0].low == low[0]


def test_files_without_ranges_are_read(tmp_path: Path):
    old = {name: value for name, value in RANGED._asdict().items() if "ranges" not in name}
    assert Variables.restored(old) == NAMES
    assert "inside" not in export.to_c(stepper("relu"))
    assert dataclasses.asdict(export.program(stepper("relu")).states[0])["low"] is None

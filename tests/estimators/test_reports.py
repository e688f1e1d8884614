"""What the fit of every family ends with: checks that are silent for good fits, and warn where something is wrong."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsedyn
from sparsedyn import EquationLearner, MagnitudePruning, SINDy, SparsedynWarning, SparseTimeStepper, Trajectories
from sparsedyn.estimators._report import of_data
from sparsedyn.estimators._runs import FAR, RUNS, judged, stretches
from sparsedyn.estimators.autoencoder._judging import checked

SMALL: dict[str, Any] = {"members": 2, "epochs": 1, "batch": 32, "activation": "tanh"}


def said(fit: Any) -> dict[str, str]:
    """What a fit warns of, which is its report."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit()
    found = {finding.check: finding.message for finding in model.report_}
    messages = [finding.message for finding in model.report_]
    assert [str(one.message) for one in caught if one.category is SparsedynWarning] == messages
    return found


def test_findings_name_the_line_of_the_fit():
    wave = np.cos(0.1 * np.arange(200))
    with pytest.warns(SparsedynWarning, match="no term is left") as caught:
        SINDy(1, 50.0).fit(np.stack([wave, np.roll(wave, 15)], axis=1)[20:], 0.05)
    assert {one.filename for one in caught} == {__file__}


def test_free_runs_start_all_over_the_records():
    lengths = (350, 12, 3)
    data = Trajectories([np.arange(float(rows))[:, None] + 1000 * i for i, rows in enumerate(lengths)], dt=1.0)
    found = stretches(data)
    assert found.states.shape == (RUNS, FAR + 1, 1)
    runs = found.there.any(axis=1)
    np.testing.assert_array_equal(found.states[runs, 0, 0], [0, 100, 200, 300, 1000, 2000])
    np.testing.assert_array_equal(found.there[runs].sum(axis=1), [101, 101, 101, 50, 12, 3])


def test_runs_that_explain_little_or_leave_are_counted_over_living_members():
    measured = np.linspace(0, 1, 50).reshape(1, 50, 1)
    there = np.ones_like(measured, bool)
    assert judged(["x"], measured[None], measured, there, "the data") == []
    poor, leaving = judged(["x"], 3 * measured[None], measured, there, "rows of the validation data")
    assert (poor.check, leaving.check) == ("poorly-explained", "leaves-the-data")
    assert "rows of the validation data, the model explains little of the variance of x (0%)" in poor.message
    assert "1 of 1 simulations" in leaving.message


@pytest.mark.slow
def test_networks_that_learned_nothing_say_so(world: Any, tmp_path: Path):
    stepper = SparseTimeStepper((4,), **SMALL)
    found = said(lambda: stepper.fit(world.train, world.validation))
    assert "simulated over 30 rows from rows of the validation data" in found["poorly-explained"]
    stepper.save(tmp_path / "poor.safetensors")
    assert sparsedyn.load(tmp_path / "poor.safetensors").report_ == stepper.report_


@pytest.mark.slow
def test_members_that_died_and_states_without_weights_are_counted(world: Any):
    wild = SMALL | {"learning_rate": 5.0, "schedule": "constant", "clip": None, "optimizer": "sgd", "epochs": 2}
    found = said(lambda: SparseTimeStepper((8, 8), **wild | {"activation": "relu"}).fit(world.train))
    assert " of 2 members diverged in training" in found["members-died"]
    bare = SparseTimeStepper((4,), MagnitudePruning(0.999), **SMALL)
    found = said(lambda: bare.fit(world.train))
    assert "in 2 of 2 members no weight is left that leads to predators" in found["empty-equation"]


@pytest.mark.slow
def test_an_equation_without_terms_is_told_from_one_of_a_state_at_rest():
    rng = np.random.default_rng(0)
    noise = Trajectories(rng.normal(size=(1, 60, 1)), dt=0.1, state_names=["x"])
    settings: dict[str, Any] = {"primitives": {"constant": 1, "identity": 1}, "hidden": 1, "generations": 1, "steps": 5}
    found = said(lambda: EquationLearner(1, derivative="spline", **settings).fit(noise, progress=False))
    assert "no term is left for x: its derivative is" in found["empty-equation"]


def test_inputs_that_follow_from_states_or_each_other_are_named():
    t = 0.1 * np.arange(200)
    x = np.stack([np.sin(t), np.sin(2.3 * t)], axis=1)
    u = np.stack([-0.5 * x[:, 0], np.cos(3 * t)], axis=1)
    data = Trajectories(x[None], u[None], dt=0.1)
    found = {finding.check: finding.message for finding in of_data(data, mapped=False, delayed=False) if finding}
    assert "u1 nearly follow from the states" in found["closed-loop"]
    assert "x1, u1 are nearly linear combinations" in found["nearly-dependent"]


def test_sindy_is_judged_by_rows_that_coefficients_were_fitted_without():
    # Of a few rows, ten terms explain everything and foresee nothing.
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(size=(28, 2)), axis=0)
    found = said(lambda: SINDy(2, 0.0, refine=False, weak=False).fit(x, 1.0))
    assert "by coefficients without a quarter of these" in found["poorly-explained"]


def test_sindy_is_judged_by_validation_data():
    t = 0.1 * np.arange(100)
    train, other = np.exp(-t)[:, None], np.exp(0.5 * t)[:, None]
    names = {"dt": 0.1, "state_names": ["x"]}
    found = said(lambda: SINDy(1, 0.1).fit(Trajectories([train], **names), Trajectories([other], **names)))
    assert "the validation data" in found["poorly-explained"]


@pytest.mark.parametrize("best", ["good", "bad", "dead"])
def test_the_best_autoencoder_is_checked(best: str):
    row = {"member": 1, "decoder": 1e-3, "derivative": 1e-3, "latent": 1e-3, "bounded": True, "alive": best != "dead"}
    if best == "bad":
        row |= {"derivative": 0.9, "bounded": False}
    ranking = pd.DataFrame([row, row | {"member": 0}])
    coefficients = np.ones((2, 3, 2))
    coefficients[1, :, 1] = 0.0 if best == "bad" else 1.0
    report = checked(ranking, np.array([True, best != "dead"]), coefficients, ["a'", "b'"])
    checks = {"good": [], "bad": ["empty-equation", "poorly-explained", "leaves-the-data"], "dead": ["members-died"]}
    assert [finding.check for finding in report] == checks[best]

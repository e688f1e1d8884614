"""Equations of clean data are found on part of the rows, and only where they explain all rows."""

import numpy as np
import pytest

import sparsedyn
from sparsedyn import SINDy, Trajectories
from sparsedyn.estimators.sindy import _identification
from sparsedyn.estimators.sindy._exact import exactly
from sparsedyn.estimators.sindy._measured import Measured

LORENZ = sparsedyn.simulate("lorenz63", trajectories=2, steps=800, seed=3)
FORCED = sparsedyn.simulate("duffing", trajectories=2, steps=800, seed=3)


def taken(data: Trajectories, **parameters) -> bool:
    """Whether part of the rows were enough."""
    settings = SINDy(**{"degree": 3, **parameters}).settings()
    library = settings.library(len(data.state_names), len(data.input_names))
    return exactly(Measured(data), library, settings, validated=False) is not None


@pytest.mark.parametrize("data", [LORENZ, FORCED], ids=["free", "forced"])
@pytest.mark.parametrize("threshold", [0.1, "auto"])
def test_part_of_the_rows_gives_what_all_rows_give(data, threshold, monkeypatch):
    part = SINDy(3, threshold).fit(data).coefficients_
    assert taken(data, threshold=threshold)
    monkeypatch.setattr(_identification, "exactly", lambda *arguments, **options: None)
    whole = SINDy(3, threshold).fit(data).coefficients_
    np.testing.assert_allclose(part, whole, atol=1e-8)
    np.testing.assert_array_equal(part != 0, whole != 0)


def test_measured_derivatives_need_part_of_the_rows_only():
    x = np.random.default_rng(0).normal(size=(3000, 2))
    rates = np.stack([x[:, 1], -x[:, 0] + 0.5 * x[:, 1] ** 2], axis=1)
    found = SINDy(2, 0.1).fit(x, 0.1, x_dot=rates)
    np.testing.assert_allclose(found.coefficients_[[2, 1, 5], [0, 1, 1]], [1, -1, 0.5], atol=1e-12)
    rates[1234, 1] += 1e-3
    moved = SINDy(2, 0.1).fit(x, 0.1, x_dot=rates).coefficients_
    assert 0 < np.abs(moved - found.coefficients_).max() < 1e-5


def test_noise_anywhere_takes_all_rows():
    states = [x.copy() for x in LORENZ.states]
    states[1][640, 2] += 1e-3
    assert not taken(Trajectories(states, dt=LORENZ.dt))


def test_terms_that_are_missing_take_all_rows():
    assert taken(LORENZ, threshold=0.1)
    assert not taken(LORENZ, threshold=2.0)
    assert not taken(LORENZ, degree=1, threshold=0.1)


def test_inputs_that_may_run_smoothly_take_all_rows():
    time = np.arange(600) * 0.05
    x, u = np.sin(time)[:, None], np.cos(time)[:, None]
    assert not taken(Trajectories([x], [u], dt=0.05), degree=1, threshold=0.1)


def test_terms_that_depend_on_each_other_take_all_rows():
    time = np.arange(600) * 0.05
    states = np.stack([np.sin(time), np.cos(time)], axis=1)
    assert not taken(Trajectories([states], dt=0.05), degree=2, threshold=0.1)
    assert not taken(Trajectories([np.repeat(states[:, :1], 2, axis=1)], dt=0.05), degree=1, threshold=0.1)

"""Too few rows, runs of one state, and times as dates: what a user types, and what comes of it."""

import numpy as np
import pandas as pd
import pytest

from sparsedyn import DataError, SINDy

T = 0.1 * np.arange(60)
RUNS = [2 + (a - 2) * np.exp(-0.5 * T) for a in (0.0, 1.0, 4.0)]


def test_runs_of_one_state_are_runs():
    found = SINDy(degree=1).fit(RUNS, T[1]).coefficients()["x0"]
    np.testing.assert_allclose(found, [1.0, -0.5], rtol=1e-4)


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(DataError, match=r"at least 4 rows in a trajectory.*the longest has 3"):
        SINDy(degree=1).fit([run[:3] for run in RUNS], T[1])
    with pytest.raises(DataError, match=r"as many rows as the library has terms, 1,373,701; got 60"):
        SINDy(degree=3).fit(np.ones((60, 200)) * T[:, None], T[1])


def test_simulate_takes_dates_and_functions():
    u = np.sin(T)
    model = SINDy(degree=1).fit(RUNS[1] + 0.1 * np.cos(3 * T), T, u)
    expected = model.simulate([1.0], T, u)
    dates = pd.Timestamp("2024-03-01") + pd.to_timedelta(T, unit="s")
    np.testing.assert_allclose(model.simulate([1.0], dates, u), expected, rtol=1e-6)
    np.testing.assert_allclose(model.simulate([1.0], dates, np.sin), expected, rtol=1e-6)
    with pytest.raises(DataError, match=r"u: expected 1 columns.*got the shape \(1, 60\). Columns are the last axis"):
        model.simulate([1.0], T, u[None])

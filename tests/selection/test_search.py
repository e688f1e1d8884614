"""Searches: candidates judged over folds, the best one, and the sparsest that is about as good."""

import importlib.util
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator

from sparsedyn import (
    L1,
    DataError,
    Forecast,
    SINDy,
    SparsedynWarning,
    SparseTimeStepper,
    Trajectories,
    plotting,
    search,
)
from sparsedyn.executors import Local
from sparsedyn.selection import SearchResult

ROWS, DT = 24, 0.1
STEPPER: dict[str, Any] = {"hidden": (8,), "epochs": 4, "batch": 32, "learning_rate": 0.02, "activation": "tanh"}
needs_optuna = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs the extra search")


def plant(trajectories: int) -> Trajectories:
    """A damped oscillator under a held force, by its Euler steps."""
    rng = np.random.default_rng(0)
    force = np.repeat(rng.uniform(-1, 1, (trajectories, ROWS // 8, 1)), 8, axis=1)
    states = [rng.uniform(-1, 1, (trajectories, 2))]
    for k in range(ROWS - 1):
        q, v = states[-1].T
        states.append(states[-1] + DT * np.stack([v, force[:, k, 0] - q - 0.2 * v], axis=1))
    return Trajectories(np.stack(states, axis=1), force, dt=DT, state_names=["q", "v"], input_names=["force"])


DATA = plant(4)


class Off(BaseEstimator):
    """A model of a known error: its forecasts are off by `error`, and by a tenth more per trajectory."""

    def __init__(self, error: float = 0.1, size: int = 3, kind: str = "plain"):
        self.error, self.size, self.kind = error, size, kind

    def fit(self, x: Trajectories) -> "Off":
        if self.error < 0:
            raise ValueError(f"error: expected a positive one; got {self.error}.")
        self.nonzeros_ = np.array([self.size, self.size + 1])
        self.rows_ = sum(x.lengths)
        return self

    def forecast(self, data: Trajectories) -> Forecast:
        truth = np.stack(data.states)
        off = self.error * (1 + 0.1 * np.array([int(label) for label in data.labels]))
        return Forecast((truth + off[:, None, None])[None], data, np.ones(2))


def test_a_grid_has_every_combination_with_its_mean_and_standard_error():
    result = search(Off(), {"error": [0.5, 0.2], "size": [3, 5]}, DATA, cv=4, horizon=10)
    assert isinstance(result, SearchResult)
    assert result.params == [{"error": e, "size": s} for e in (0.5, 0.2) for s in (3, 5)]
    folds = 0.5 * (1 + 0.1 * np.arange(4))
    assert result.table["error"][0] == pytest.approx(folds.mean())
    assert result.table["error_se"][0] == pytest.approx(folds.std(ddof=1) / 2)
    np.testing.assert_allclose(result.table["nonzeros"], [3.5, 5.5, 3.5, 5.5])
    np.testing.assert_allclose(result.folds.query("candidate == 0")["error"], folds)
    assert (result.best_index_, result.best_params_) == (2, {"error": 0.2, "size": 3})
    assert result.horizon == 10
    assert "4 candidates, least error 0.23 at horizon 10" in repr(result)


def test_the_sparsest_model_within_one_standard_error_is_fitted_to_all_data():
    space = [{"error": [0.20], "size": [9]}, {"error": [0.21], "size": [5]}, {"error": [0.24], "size": [2]}]
    result = search(Off(), space, DATA, cv=4)
    spread = result.table["error_se"][0]
    assert result.limit() == pytest.approx(0.23 + spread)
    assert result.limit(within=2.0) == pytest.approx(0.23 + 2 * spread)
    assert result.sparsest_params() == {"error": 0.21, "size": 5}
    assert result.sparsest_params(within=0.0) == result.best_params_
    assert result.sparsest_params(within=9.0) == {"error": 0.24, "size": 2}
    model = result.sparsest()
    assert (model.size, model.rows_) == (5, sum(DATA.lengths))
    assert result.sparsest() is model
    assert result.best_.size == 9


def test_without_a_standard_error_or_a_size_there_is_no_sparsest():
    one = search(Off(), {"error": [0.1]}, DATA, cv=[([0, 1], [2, 3])])
    with pytest.raises(ValueError, match="expected at least two folds"):
        one.sparsest()
    assert one.best_.error == 0.1
    unknown = search(Off(), {"error": [0.1]}, DATA, cv=2)
    unknown.table["nonzeros"] = np.nan
    with pytest.raises(ValueError, match="expected models that say `nonzeros_`"):
        unknown.sparsest()


@pytest.mark.filterwarnings("ignore:fit:sparsedyn.SparsedynWarning")
def test_sindy_finds_its_threshold():
    model = SINDy(1, weak=False, derivative="forward")
    result = search(model, {"threshold": np.array([0.05, 5.0])}, DATA, cv=2)
    assert result.best_params_ == {"threshold": 0.05}
    assert type(result.best_params_["threshold"]) is float
    assert result.table["nonzeros"].tolist() == [4, 0]
    assert result.best_.nonzeros_.tolist() == [4]


@pytest.mark.slow
def test_steppers_of_one_shape_are_members_of_one_computation(monkeypatch: pytest.MonkeyPatch):
    from sparsedyn.selection import judging

    calls: list[int] = []

    def counting(steppers: Any, *args: Any, **options: Any) -> None:
        calls.append(len(steppers))
        together(steppers, *args, **options)

    together = judging.fit_together
    monkeypatch.setattr(judging, "fit_together", counting)
    estimator = SparseTimeStepper(**STEPPER, members=1)
    space = {"technique": [[L1(1e-4)], [L1(1e-2)]], "learning_rate": [0.01, 0.02]}
    result = search(estimator, space, DATA, cv=2, progress=False)
    assert calls == [4, 4]
    assert np.isfinite(result.table["error"]).all()
    assert result.table["fit_time"].nunique() == 1


def test_candidates_that_fail_are_kept_with_their_message():
    with pytest.warns(SparsedynWarning, match="1 of 2 candidates could not be fitted; the first: fold 0: error"):
        result = search(Off(), {"error": [-1, 1]}, DATA, cv=2)
    assert result.table["failure"].tolist() == ["fold 0: error: expected a positive one; got -1.", ""]
    assert np.isnan(result.table["error"][0])
    assert result.best_params_ == {"error": 1}
    with pytest.raises(DataError, match="none of 1 candidates could be fitted"):
        search(Off(), {"error": [-1]}, DATA, cv=2)
    stepper = SparseTimeStepper(**STEPPER, members=1)
    with pytest.raises(DataError, match=r"none of 1 candidates could be fitted.*unknown technique"):
        search(stepper, {"technique": ["l7"]}, DATA, cv=2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"space": {"eror": [1]}}, "Off has no parameter 'eror'. Did you mean 'error'"),
        ({"space": {}}, "space: expected values by parameter"),
        ({"strategy": "bayes"}, "strategy: expected one of grid, random, optuna"),
        ({"candidates": 3}, "candidates: expected none, since a grid has 2"),
        ({"candidates": 0, "strategy": "random"}, "candidates: expected None or an integer"),
        ({"horizon": 25}, "horizons: expected numbers of rows from 2 to 24"),
    ],
)
def test_requests_that_do_not_fit_are_refused(changed: dict[str, Any], message: str):
    options: dict[str, Any] = {"space": {"size": [1, 2]}, "data": DATA, "cv": 2} | changed
    with pytest.raises(ValueError, match=message):
        search(Off(), **options)


def test_random_searches_draw_from_lists_and_distributions():
    listed = search(Off(), {"size": [1, 2]}, DATA, cv=2, strategy="random")
    assert sorted(one["size"] for one in listed.params) == [1, 2]
    space = {"error": loguniform(1e-3, 1e-1), "size": randint(1, 3)}
    one, other = (search(Off(), space, DATA, cv=2, strategy="random", candidates=3, seed=4) for _ in range(2))
    assert one.params == other.params
    assert all(1e-3 <= tried["error"] <= 1e-1 for tried in one.params)
    assert type(one.params[0]["size"]) is int


@needs_optuna
def test_optuna_proposes_what_is_promising():
    space = {"error": loguniform(1e-3, 1.0), "kind": ["plain", "other"], "size": randint(1, 4)}
    one, other = (search(Off(), space, DATA, cv=2, strategy="optuna", candidates=30) for _ in range(2))
    assert one.params == other.params
    assert {tried["kind"] for tried in one.params} <= {"plain", "other"}
    assert {tried["size"] for tried in one.params} <= {1, 2, 3}
    errors = one.table["error"].to_numpy()
    assert np.median(errors[15:]) < np.median(errors[:10])
    with pytest.raises(ValueError, match="expected one table of parameters"):
        search(Off(), [space], DATA, cv=2, strategy="optuna")


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"sparsedyn\[search\]"):
        search(Off(), {"size": [1, 2]}, DATA, cv=2, strategy="optuna")


def test_the_path_is_drawn_with_the_limit_and_both_choices():
    result = search(Off(), {"error": [0.2, 0.21, 0.4], "size": [1, 20]}, DATA, cv=4)
    ax = plotting.search_path(result)
    assert {text.get_text() for text in ax.figure.legends[0].get_texts()} == {
        "least error and one standard error", "candidate", "least error", "sparsest within one standard error"
    }  # fmt: skip
    assert ax.get_lines()[0].get_ydata()[0] == pytest.approx(result.limit())
    assert ax.get_xscale() == "log"


def test_an_executor_finds_the_same():
    space = {"learning_rate": [0.02, 0.005], "hidden": [(8,), (4,), (0,)]}
    with pytest.warns(SparsedynWarning, match="2 of 6 candidates could not be fitted"):
        here = search(SparseTimeStepper(**STEPPER, members=2), space, DATA, cv=2)
    with pytest.warns(SparsedynWarning, match="2 of 6 candidates could not be fitted"):
        elsewhere = search(SparseTimeStepper(**STEPPER, members=2), space, DATA, cv=2, executor=Local())
    assert elsewhere.params == here.params
    pd.testing.assert_frame_equal(elsewhere.table.drop(columns="fit_time"), here.table.drop(columns="fit_time"))
    pd.testing.assert_frame_equal(elsewhere.folds.drop(columns="fit_time"), here.folds.drop(columns="fit_time"))

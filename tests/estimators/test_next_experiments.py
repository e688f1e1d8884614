"""Experiments that tell equations apart: where their forecasts differ most, near the data."""

import numpy as np
import pytest

from sparsedyn import EquationLearner, SparsedynWarning, Trajectories
from sparsedyn.equations import parsed
from sparsedyn.estimators.equation._experiments import box_of, experiments

T = np.linspace(0, 10, 40)
GROWN = Trajectories([(0.6 / (1 + 5 * np.exp(-T)))[:, None]], dt=T[1], state_names=["n"])
FED = Trajectories(
    [np.stack([np.linspace(0.2, 0.4, 40), np.linspace(-1, 1, 40)], axis=1)],
    [np.resize([0.0, 1.0], 40)[:, None]],
    dt=0.1,
    state_names=["x", "y"],
    input_names=["u"],
)


def test_forecasts_differ_most_at_the_first_suggestion():
    models = [[parsed(text, ["n"])] for text in ("n - n**2/0.6", "n - 1.05*n**2/0.6", "n - n**2/0.6 - 0.2*n**4")]
    table = experiments(models, GROWN, np.array([0.01]), rows=40, margin=0.25, count=3, seed=0)
    assert list(table.columns) == ["n", "difference", "state", "time"]
    assert np.all(np.diff(table["difference"]) <= 0)
    box = box_of(GROWN, 0.25)
    assert table["n"].between(box.low[0], box.high[0]).all()
    assert table["time"].between(0, T[-1]).all()
    # The nearest rival decides: the third differs where there are many.
    assert table["n"][0] > 0.3
    again = experiments(models, GROWN, np.array([0.01]), rows=40, margin=0.25, count=3, seed=0)
    assert table.equals(again)
    assert experiments(models[:1], GROWN, np.array([0.01]), rows=40, margin=0.25, count=3, seed=0).empty


def test_what_differs_under_an_input_asks_for_that_input():
    names = ["x", "y", "u"]
    models = [[parsed("-x", names), parsed(text, names)] for text in ("-y + u", "-y + u + 0.5*u*(u - 1)*u")]
    table = experiments(models, FED, np.array([0.1, 0.1]), rows=30, margin=0.5, count=2, seed=0)
    assert list(table.columns) == ["x", "y", "u", "difference", "state", "time"]
    assert table["state"][0] == "y"
    # Neither 0 nor 1, which were tried, tell anything.
    assert table["u"][0] > 1.2
    assert table["x"].min() > 0


def test_the_learner_suggests_experiments():
    learner = EquationLearner().fit(GROWN, progress=False)
    with pytest.warns(SparsedynWarning, match="nothing to suggest.*Give greater odds"):
        assert learner.next_experiments(GROWN).empty
    worse = learner.alternatives_[0][1] + 2.0
    learner.alternatives_.append(((parsed("0.9*n - 1.4*n**2", ["n"]),), worse))
    table = learner.next_experiments(GROWN, count=2)
    assert len(table) == 2
    assert table["difference"][0] > 10
    with pytest.raises(ValueError, match="margin: expected at least 0"):
        learner.next_experiments(GROWN, margin=-1)

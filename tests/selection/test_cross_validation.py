"""Cross-validation, judged by free runs."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from sparsedyn import (
    DataError,
    RollingOriginSplit,
    SINDy,
    SINDyAutoencoder,
    Trajectories,
    TrajectoryKFold,
    cross_validate,
)
from sparsedyn.estimators.autoencoder import Phase, Recipe
from sparsedyn.executors import Local
from sparsedyn.training import LatentDynamics

ROWS, DT = 24, 0.1


def plant(trajectories: int, rows: int = ROWS, seed: int = 0) -> Trajectories:
    """A damped oscillator under a held force, by its Euler steps."""
    rng = np.random.default_rng(seed)
    force = np.repeat(rng.uniform(-1, 1, (trajectories, -(-rows // 8), 1)), 8, axis=1)[:, :rows]
    states = [rng.uniform(-1, 1, (trajectories, 2))]
    for k in range(rows - 1):
        q, v = states[-1].T
        states.append(states[-1] + DT * np.stack([v, force[:, k, 0] - q - 0.2 * v], axis=1))
    return Trajectories(np.stack(states, axis=1), force, dt=DT, state_names=["q", "v"], input_names=["force"])


DATA = plant(6)


def euler(**parameters: Any) -> SINDy:
    """SINDy with the derivative that the plant's own steps have."""
    return SINDy(**{"degree": 1, "threshold": 0.05, "weak": False, "derivative": "forward"} | parameters)


def test_the_table_has_a_row_per_fold_and_horizon():
    table = cross_validate(euler(), DATA, cv=TrajectoryKFold(3), horizons=(10, 20))
    assert table["fold"].tolist() == [0, 0, 1, 1, 2, 2]
    assert table["horizon"].tolist() == [10, 20] * 3
    assert (table["nonzeros"] == 4).all()
    assert (table["fit_time"] > 0).all()
    train, test = next(TrajectoryKFold(3).split(DATA))
    expected = euler().fit(DATA[train]).evaluate(DATA[test], horizons=(10, 20))
    pd.testing.assert_frame_equal(table.loc[:1, list(expected.columns)], expected)
    np.testing.assert_allclose(table["error"][:2], expected["rfmse"])


def test_an_executor_finds_the_same():
    here = cross_validate(euler(), DATA, cv=3)
    elsewhere = cross_validate(euler(), DATA, cv=3, executor=Local())
    pd.testing.assert_frame_equal(elsewhere.drop(columns="fit_time"), here.drop(columns="fit_time"))


@pytest.mark.filterwarnings("ignore:fit:sparsedyn.SparsedynWarning")
def test_what_diverged_counts_as_the_limit_of_divergence():
    fast = Trajectories([np.exp(np.arange(30.0)[:, None])], dt=1.0)
    table = cross_validate(SINDy(1, 1e9, constant=False), fast, cv=RollingOriginSplit(2), horizons=(10,))
    assert (table["diverged"] == 1).all()
    assert (table["error"] == 3).all()


def test_arrays_and_frames_go_in_as_into_fit():
    whole = cross_validate(euler(), DATA, cv=2).drop(columns="fit_time")
    arrays = cross_validate(
        euler(), list(DATA.states), DT, list(DATA.inputs), cv=2, names=["q", "v"], input_names=["force"]
    )
    frame = DATA.to_pandas()
    tables = cross_validate(euler(), frame, "time", cv=2, trajectory="trajectory", input_names=["force"])
    for other in (arrays, tables):
        pd.testing.assert_frame_equal(whole, other.drop(columns="fit_time"))


def test_horizons_are_by_default_those_that_every_test_trajectory_has():
    assert cross_validate(euler(), plant(1, 300), cv=2)["horizon"].tolist() == [100, 150] * 2
    with pytest.raises(DataError, match="horizons: expected numbers of rows from 2 to 24, which every test part has"):
        cross_validate(euler(), DATA, cv=2, horizons=(10, 25))


def test_a_fold_that_cannot_be_fitted_is_named():
    states = [x if i > 2 else np.ones_like(x) for i, x in enumerate(DATA.states)]
    still = Trajectories(states, DATA.inputs, dt=DT)
    with pytest.raises(DataError, match=r"fold 1 of 2: .*expected values that change"):
        cross_validate(euler(), still, cv=2)
    with pytest.raises(DataError, match=r"fold 0 of 2: .*degree"):
        cross_validate(euler(degree=-1), DATA, cv=2)


def test_scikit_learn_takes_the_splitter():
    scores = cross_val_score(euler(), DATA, cv=TrajectoryKFold(2, shuffle=True, random_state=0))
    np.testing.assert_allclose(scores, 1.0, atol=1e-6)


@pytest.mark.slow
def test_autoencoders_are_judged_by_their_best_member():
    angle = np.linspace(0, 6, 60)[:, None] + np.arange(4)[:, None, None]
    data = Trajectories(list(np.concatenate([np.sin(angle), np.cos(angle)], axis=2)), dt=0.1)
    recipe = Recipe((Phase(LatentDynamics(), 20, (3e-3, 1e-3)),))
    estimator = SINDyAutoencoder(2, (4,), degree=1, members=2, modes=None, recipe=recipe)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = cross_validate(estimator, data, cv=2, horizons=(5,))
    assert np.isfinite(table[["error", "nonzeros"]]).all().all()

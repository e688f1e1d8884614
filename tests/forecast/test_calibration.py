"""Bands around forecasts: what they hold, where they end, and what they refuse."""

import math

import numpy as np
import pytest

from sparsedyn.data import DataError, Samples, Scaling, Trajectories
from sparsedyn.forecast import Calibration, Forecast, calibrated
from sparsedyn.forecast.calibration import groups_of, hierarchical_quantile, middle_of

ROWS = 60


def forecasts(trajectories: int, members: int, seed: int) -> Forecast:
    """Random walks, forecast as resting: errors grow with the horizon, and differ between trajectories."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.5, 2.0, (trajectories, 1, 1))
    steps = size * rng.normal(size=(trajectories, ROWS, 2)) * [1.0, 20.0]
    steps[:, 0] = 0.0
    data = Trajectories(np.cumsum(steps, axis=1), rng.normal(size=(trajectories, ROWS, 1)), dt=0.1)
    predicted = rng.normal(size=(members, trajectories, ROWS, 2)) * [0.1, 2.0]
    return Forecast(predicted, data, np.ones(2))


def scaling_of(data: Trajectories) -> Scaling:
    states, inputs = np.concatenate(data.states), np.concatenate(data.inputs)
    return Scaling.fit(Samples(states, inputs, states))


@pytest.mark.parametrize("members", [1, 5])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_bands_hold_what_they_promise_at_every_horizon(members: int, coverage: float):
    known, new = forecasts(60, members, 0), forecasts(300, members, 1)
    new.calibration = calibrated(known.predicted, known.data, scaling_of(known.data), coverage)
    table = new.coverage((10, 30, ROWS))
    assert table["horizon"].tolist() == [10, 30, ROWS]
    for name in ("covered", "covered_last"):
        assert ((table[name] > coverage - 0.05) & (table[name] < coverage + 0.07)).all()
    bands = new.bands()
    height = (bands["upper"] - bands["lower"]).to_numpy()
    assert (height[:, 0] == 0).all()
    assert height[:, 50].mean() > 2 * height[:, 2].mean()
    assert bands.attrs["coverage"] == coverage


def test_too_few_trajectories_are_refused_with_how_many_are_needed():
    known = forecasts(8, 2, 0)
    with pytest.raises(DataError, match=r"coverage 0\.9 needs at least 9 trajectories; got 8"):
        calibrated(known.predicted, known.data, scaling_of(known.data), 0.9)
    with pytest.raises(ValueError, match="coverage: expected a share"):
        calibrated(known.predicted, known.data, scaling_of(known.data), 1.0)
    with pytest.raises(ValueError, match="expected a calibrated model"):
        known.bands()


def test_beyond_the_calibrated_rows_there_is_no_band():
    known, new = forecasts(20, 2, 0), forecasts(3, 2, 1)
    short = Forecast(known.predicted[:, :, :30], known.data.head(30), known.std)
    new.calibration = calibrated(short.predicted, short.data, scaling_of(known.data), 0.9)
    assert np.isfinite(new.bands()["upper"][:, :30]).all()
    assert np.isnan(new.bands()["upper"][:, 30:]).all()
    with pytest.raises(DataError, match="expected 2 to 30 rows"):
        new.coverage([31])


def test_horizons_count_from_the_end_of_the_warm_up_and_scores_say_what_bands_hold():
    known, new = forecasts(30, 2, 0), forecasts(10, 2, 1)
    scaling = scaling_of(known.data)
    shown = Forecast(new.predicted, new.data, new.std, warmup=20)
    shown.calibration = calibrated(known.predicted, known.data, scaling, 0.9, warmup=20)
    assert shown.reach == ROWS - 20
    inside = (shown.truth >= shown.bands()["lower"]) & (shown.truth <= shown.bands()["upper"])
    table = shown.score([10, ROWS - 20])
    assert table["covered"][0] == pytest.approx(float(inside[:, 20:30].mean()))
    with pytest.raises(DataError, match="expected 1 to 40 rows"):
        shown.coverage([41])
    new.calibration = calibrated(known.predicted[:, :, :30], known.data.head(30), scaling, 0.9)
    table = new.score([10, ROWS])
    assert np.isfinite(table["trusted"][0])
    assert np.isnan(table["covered"][1])
    assert "covered" not in forecasts(3, 2, 1).score([10])


def test_rows_far_from_training_are_not_trusted():
    known = forecasts(20, 2, 0)
    calibration = calibrated(known.predicted, known.data, scaling_of(known.data), 0.9)
    states, inputs = np.zeros((1, 3, 2)), np.zeros((1, 3, 1))
    states[0, 1, 1], inputs[0, 2, 0] = 1e4, 50.0
    assert calibration.trust(states, inputs).tolist() == [[True, False, False]]
    assert not calibration.trust(np.full((1, 1, 2), np.nan), inputs[:, :1]).any()


def test_the_quantile_gives_every_trajectory_the_same_weight():
    scores = np.array([[1.0, np.nan], [2.0, 2.0], [3.0, 3.0]])
    assert hierarchical_quantile(scores, 0.25) == 1.0
    assert hierarchical_quantile(scores, 0.5) == 2.0
    assert hierarchical_quantile(scores, 0.75) == 3.0
    assert hierarchical_quantile(scores, 0.76) == math.inf


def test_members_that_left_do_not_count():
    predicted = np.ones((4, 1, 2, 1))
    predicted[1:3, :, 1] = [[[np.inf]], [[np.nan]]]
    predicted[3, 0, 0, 0] = 3.0
    middle = middle_of(predicted)
    assert np.isfinite(middle.value).all()
    assert np.isnan(middle_of(np.full((2, 1, 1, 1), np.nan)).value).all()


def test_groups_are_longer_further_ahead_and_a_calibration_is_read_back():
    edges = groups_of(5000)
    assert (edges[0], edges[-1]) == (1, 5000)
    assert np.diff(edges)[-1] > np.diff(edges)[0]
    known = forecasts(20, 2, 0)
    made = calibrated(known.predicted, known.data, scaling_of(known.data), 0.9)
    made.factor[0, 0] = np.inf
    back = Calibration.from_dict(made.to_dict())
    np.testing.assert_array_equal(back.factor, made.factor)
    np.testing.assert_array_equal(back.edges, made.edges)
    assert back.far == made.far


def test_datasets_and_the_command_line_say_what_bands_hold(capsys: pytest.CaptureFixture[str]):
    from sparsedyn.cli.pictures import band_table
    from sparsedyn.cli.scores import band_facts, show_bands, show_far, stretches

    known, new = forecasts(20, 2, 0), forecasts(5, 2, 1)
    assert "lower" not in new.to_xarray()
    assert band_facts(new, [10]) == {}
    new.calibration = calibrated(known.predicted[:, :, :30], known.data.head(30), scaling_of(known.data), 0.9)
    assert {"lower", "upper", "trust", "predicted", "truth"} <= set(new.to_xarray().data_vars)
    found = band_facts(new, [10, ROWS])["bands"]
    assert (found["coverage"], found["horizon"]) == (0.9, [10])
    show_bands(found)
    assert "90 % of recorded values" in capsys.readouterr().out
    assert stretches(np.array([True, False, False, True, False])) == [(1, 2), (4, 4)]
    trust = band_facts(new, [10])["trust"]
    assert [len(rows) for rows in trust.values()] == list(new.data.lengths)
    show_far({"a": np.array([True, False, False])}, 0.5)
    assert "1 to 2" in capsys.readouterr().out
    table = band_table(new)
    assert len(table) == sum(new.data.lengths) * 2
    assert {"recorded", "lower", "upper", "trust"} <= set(table.columns)

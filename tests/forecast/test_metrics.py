"""RFMSE and divergence in both readings, error over time and valid time, against hand computations."""

import numpy as np
import pytest

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import DataError, Trajectories
from sparsedyn.forecast import Forecast, deviation, error_over_time, forecast_scores, pad, valid_time
from sparsedyn.forecast.metrics import capped_error

STD = np.array([2.0, 0.5])


def errors(*forecasts: list[list[float]]) -> np.ndarray:
    """Errors (member, 1, time, state) in standard deviations."""
    return np.array(forecasts)[:, None]


def test_deviation_is_in_standard_deviations():
    truth = np.array([[[1.0, 1.0], [2.0, 2.0]]])
    predicted = np.array([[[[1.0, 1.0], [5.0, 1.0]]], [[[1.0, np.nan], [np.inf, -np.inf]]]])
    got = deviation(predicted, truth, STD)
    np.testing.assert_array_equal(got[0, 0], [[0, 0], [1.5, 2.0]])
    np.testing.assert_array_equal(got[1, 0], [[0, np.inf], [np.inf, np.inf]])


def test_padding_stays_nan_whatever_is_predicted_there():
    truth = np.array([[[1.0, 1.0], [np.nan, np.nan]]])
    predicted = np.array([[[[1.0, 2.0], [np.inf, 7.0]]]])
    np.testing.assert_array_equal(deviation(predicted, truth, STD)[0, 0], [[0, 2], [np.nan, np.nan]])


def test_both_readings_by_hand():
    e = errors([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    absolute, squared = (forecast_scores(e, 3, reading=r) for r in ("absolute", "squared"))
    # Mean absolute: (1, 2) per state; mean squared: (5/3, 20/3), of which the second exceeds 3.
    assert absolute.rfmse[0, 0] == pytest.approx(1.5)
    assert not absolute.diverged[0, 0]
    assert np.isnan(squared.rfmse[0, 0])
    assert squared.diverged[0, 0]
    short = forecast_scores(e, 2, reading="squared")
    assert short.rfmse[0, 0] == pytest.approx((0.5 + 2.0) / 2)
    assert not short.diverged[0, 0]


def test_a_forecast_has_diverged_when_any_state_exceeds_three():
    for value, diverged in ((3.0, False), (np.nextafter(3.0, 4.0), True), (1e300, True)):
        scores = forecast_scores(errors([[0.0, value], [0.0, value]]), 2)
        assert scores.diverged[0, 0] == diverged
        assert np.isnan(scores.rfmse[0, 0]) == diverged


def test_non_finite_counts_as_diverged_from_its_row_on():
    e = errors([[0.0, 0.1], [0.1, 0.1], [0.1, np.inf], [0.1, 0.1]])
    assert not forecast_scores(e, 2).diverged[0, 0]
    for horizon in (3, 4):
        for reading in ("absolute", "squared"):
            scores = forecast_scores(e, horizon, reading=reading)
            assert scores.diverged[0, 0]
            assert np.isnan(scores.rfmse[0, 0])


def test_members_are_scored_apart():
    scores = forecast_scores(errors([[0.0, 0.0], [9.0, 9.0]], [[0.0, 0.0], [1.0, 3.0]]), 2)
    np.testing.assert_array_equal(scores.diverged[:, 0], [True, False])
    np.testing.assert_allclose(scores.rfmse[1, 0], 1.0)


@pytest.mark.parametrize("horizon", [-1, 0, 1, 4])
def test_horizons_lie_within_the_data(horizon: int):
    with pytest.raises(DataError, match=rf"horizon: expected between 2 and 3 rows .* got {horizon}\. Ask for"):
        forecast_scores(errors([[0.0, 0.0]] * 3), horizon)


def test_an_unknown_reading():
    with pytest.raises(ValueError, match=r"reading: expected one of absolute, squared; got 'rmse'"):
        forecast_scores(errors([[0.0, 0.0]] * 3), 2, reading="rmse")


def test_error_over_time_is_the_mean_over_states():
    e = errors([[0.0, 1.0], [2.0, 4.0], [np.nan, np.nan], [np.inf, 0.0]])
    np.testing.assert_array_equal(error_over_time(e)[0, 0], [0.5, 3.0, np.nan, np.inf])


def test_valid_time_by_hand():
    # Root mean squares over states: 0, 0.3, 0.4, 0.5.
    small = [[0.0, 0.0], [0.3, 0.3], [0.4, 0.4]]
    over = [[0.0, 0.5 * np.sqrt(2)]]
    back = [[0.0, 0.0]]
    np.testing.assert_allclose(valid_time(errors(small + over + back), 0.1), [[0.3]])
    # Never exceeded: the whole length, without the padding.
    np.testing.assert_allclose(valid_time(errors([*small, [np.nan, np.nan]]), 0.1), [[0.2]])
    np.testing.assert_allclose(valid_time(errors([[0.0, 0.0], [np.inf, 0.0]]), 0.1), [[0.1]])
    np.testing.assert_allclose(valid_time(errors(small), 0.1, below=0.2), [[0.1]])


def test_pad():
    padded = pad([np.ones((2, 3)), np.zeros((4, 3))], -1.0)
    assert padded.shape == (2, 4, 3)
    np.testing.assert_array_equal(padded[0, 2:], -1.0)
    np.testing.assert_array_equal(padded[1], 0.0)


def test_the_score_table():
    # Two members, three trajectories, one forecast of six diverges, errors constant in time.
    level = np.array([[0.1, 0.2, 0.3], [0.5, 0.7, 9.0]])
    rows = 4
    truth = np.zeros((3, rows, 2))
    data = Trajectories(truth, dt=1.0)
    predicted = np.broadcast_to(level[:, :, None, None], (2, 3, rows, 2)) * STD
    table = Forecast(predicted.copy(), data, STD).score([2, 4])
    assert list(table.columns) == [
        *("horizon", "forecasts", "diverged", "diverged_low", "diverged_high"),
        *("rfmse", "rfmse_std", "rfmse_low", "rfmse_high"),
    ]
    for row in table.itertuples():
        assert row.forecasts == 6
        assert row.diverged == pytest.approx(1 / 6)
        assert row.rfmse == pytest.approx(np.mean([0.1, 0.2, 0.3, 0.5, 0.7]))
        assert row.rfmse_std == pytest.approx(np.std([0.1, 0.2, 0.3, 0.5, 0.7]))
        assert row.rfmse_low < row.rfmse < row.rfmse_high
        assert 0 <= row.diverged_low < row.diverged < row.diverged_high <= 1


def test_a_table_where_everything_diverged():
    data = Trajectories(np.zeros((2, 3, 1)), dt=1.0)
    table = Forecast(np.full((2, 2, 3, 1), np.nan), data, np.ones(1)).score([3])
    assert table["diverged"][0] == 1.0
    assert table["diverged_high"][0] == 1.0
    assert 0 < table["diverged_low"][0] < 1
    assert np.isnan(table.loc[0, ["rfmse", "rfmse_std", "rfmse_low", "rfmse_high"]].to_numpy(float)).all()


def test_forecasts_that_diverged_are_told_of():
    data = Trajectories([np.zeros((5, 1))] * 2, dt=1.0)
    predicted = np.zeros((3, 2, 5, 1))
    calm = Forecast(predicted, data, np.ones(1))
    assert not calm.report
    predicted[1, 0, 3:] = [[40.0], [np.inf]]
    report = Forecast(predicted, data, np.ones(1), report=Report([Finding("said", "before")])).report
    assert [finding.check for finding in report] == ["said", "diverged"]
    assert "1 of 6 forecasts" in report[1].message


@pytest.mark.parametrize("padded", [False, True])
def test_capped_errors_are_means_of_deviations(padded: bool):
    rng = np.random.default_rng(0)
    predicted, truth = rng.normal(size=(2, 3, 10, 2)), rng.normal(size=(3, 10, 2))
    predicted[0, 1, 7:] = np.inf
    predicted[1, 2, 5:, 0] = np.nan
    if padded:
        truth[0, 6:] = np.nan
    expected = np.nanmean(np.minimum(deviation(predicted, truth, STD), 1.5), axis=(1, 2, 3))
    np.testing.assert_allclose(capped_error(predicted, truth, STD, 1.5), expected, rtol=1e-12)

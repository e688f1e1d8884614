"""Bootstrap intervals over members and trajectories."""

import numpy as np
import pytest
from scipy import stats

from sparsedyn.forecast import bootstrap_mean, bootstrap_share, spread


def two_levels(rng: np.random.Generator, members: int, trajectories: int) -> np.ndarray:
    """Forecast errors that members and trajectories have in common; true mean 0."""
    by_member = rng.normal(size=(members, 1))
    by_trajectory = rng.normal(size=(1, trajectories))
    return by_member + by_trajectory + 0.5 * rng.normal(size=(members, trajectories))


def test_coverage_on_two_level_data():
    rng = np.random.default_rng(0)
    inside = naive = 0
    trials = 200
    for trial in range(trials):
        values = two_levels(rng, 15, 30)
        interval = bootstrap_mean(values, draws=400, seed=trial)
        inside += interval.low <= 0 <= interval.high
        half = 1.96 * values.std() / np.sqrt(values.size)
        naive += abs(values.mean()) <= half
    # Percentile intervals of few members are a little short; treating forecasts as independent is far off.
    assert 0.86 <= inside / trials <= 0.99
    assert naive / trials < 0.6


def test_the_estimate_is_the_plain_mean_and_lies_inside():
    values = two_levels(np.random.default_rng(1), 5, 7)
    values[2, 3] = values[0, :] = np.nan
    interval = bootstrap_mean(values)
    assert interval.value == pytest.approx(np.nanmean(values))
    assert interval.low < interval.value < interval.high
    wider = bootstrap_mean(values, level=0.99)
    assert wider.low <= interval.low
    assert wider.high >= interval.high


def test_the_same_bits_for_the_same_data():
    values = two_levels(np.random.default_rng(1), 5, 7)
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_a_single_member_varies_over_trajectories_only():
    values = np.random.default_rng(2).normal(size=(1, 50))
    low, high = bootstrap_mean(values)[1:]
    error = values.std() / np.sqrt(50)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_a_single_forecast_has_no_spread():
    interval = bootstrap_mean(np.array([[0.3]]))
    assert interval == (0.3, 0.3, 0.3)


def test_nothing_known():
    assert np.isnan(bootstrap_mean(np.full((2, 3), np.nan))).all()
    assert np.isnan(spread(np.full((2, 3), np.nan)))


@pytest.mark.parametrize(("members", "trajectories"), [(10, 40), (1, 1), (1, 20)])
def test_none_and_all(members: int, trajectories: int):
    n = members * trajectories
    none = bootstrap_share(np.zeros((members, trajectories), bool))
    assert none[:2] == (0.0, 0.0)
    # The chance of no success in n trials at the bound is 2.5 %.
    assert (1 - none.high) ** n == pytest.approx(0.025)
    every = bootstrap_share(np.ones((members, trajectories), bool))
    assert every[0] == every[2] == 1.0
    assert every.low**n == pytest.approx(0.025)


def test_none_of_four_hundred():
    assert bootstrap_share(np.zeros((10, 40), bool)).high == pytest.approx(0.0092, abs=1e-4)


def test_shares_of_independent_forecasts_are_about_binomial():
    flags = np.random.default_rng(3).random((20, 50)) < 0.3
    interval = bootstrap_share(flags)
    exact = stats.binomtest(int(flags.sum()), flags.size).proportion_ci()
    assert interval.value == pytest.approx(flags.mean())
    # Two levels are drawn where one would do: a little wider, not twice.
    assert 0.9 < (interval.high - interval.low) / (exact.high - exact.low) < 2.0


def test_members_that_fail_as_a_whole_make_it_wide():
    # One of ten members always diverges, the others never: 10 %, and we know little more than that.
    flags = np.zeros((10, 40), bool)
    flags[3] = True
    interval = bootstrap_share(flags)
    assert interval.value == pytest.approx(0.1)
    assert interval.low == 0.0
    assert interval.high >= 0.3


def test_spread_is_the_standard_deviation_of_what_is_known():
    assert spread(np.array([[1.0, np.nan], [3.0, np.inf]])) == pytest.approx(1.0)

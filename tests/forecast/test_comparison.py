"""Two ensembles compared: intervals, permutation tests, Holm's correction, values of members that share pairs."""

import itertools

import numpy as np
import pytest
from scipy import stats

from sparsedyn.forecast import compare, holm, pseudo_values


def two_levels(rng: np.random.Generator, members: int, trajectories: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """Errors with a part of each member, one of each trajectory, and one of each forecast."""
    by_member = rng.normal(size=(members, 1))
    return shift + 0.5 * by_member + trajectories + 0.2 * rng.normal(size=(members, trajectories.size))


def test_a_known_difference_is_found():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=40)
    lower, higher = two_levels(rng, 10, hard, shift=-2.0), two_levels(rng, 8, hard)
    found = compare(lower, higher)
    assert found.lower == pytest.approx(lower.mean())
    assert found.higher == pytest.approx(higher.mean())
    assert found.difference == pytest.approx(lower.mean() - higher.mean())
    assert found.low < found.difference < found.high < -0.5
    assert found.low < -2 < found.high
    assert found.p < 0.001


def test_the_other_way_round_is_the_mirror_image():
    rng = np.random.default_rng(1)
    lower, higher = rng.normal(size=(4, 12)), rng.normal(size=(4, 12)) + 0.3
    there, back = compare(lower, higher), compare(higher, lower)
    assert back.difference == pytest.approx(-there.difference)
    # Four against four are gone through one by one, so no chance is in it.
    assert back.p == pytest.approx(there.p)


def test_the_p_value_counts_all_divisions_where_they_are_few():
    rng = np.random.default_rng(2)
    lower, higher = rng.normal(size=(3, 5)), rng.normal(size=(4, 5)) + 1.0
    means = np.concatenate([lower, higher]).mean(axis=1)
    observed = means[:3].mean() - means[3:].mean()
    null = []
    for chosen in itertools.combinations(range(7), 3):
        rest = [i for i in range(7) if i not in chosen]
        null.append(means[list(chosen)].mean() - means[rest].mean())
    below, above = (np.mean(side) for side in (np.array(null) <= observed + 1e-12, np.array(null) >= observed - 1e-12))
    assert compare(lower, higher).p == pytest.approx(min(1.0, 2 * min(below, above)))


def test_p_values_of_alike_sides_are_uniform():
    rng = np.random.default_rng(3)
    p = []
    for trial in range(300):
        hard = rng.normal(size=20)
        p.append(compare(two_levels(rng, 5, hard), two_levels(rng, 5, hard), draws=2, seed=trial).p)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) < 0.05) < 0.08


def test_shared_trajectories_narrow_the_interval():
    rng = np.random.default_rng(4)
    hard = 3 * rng.normal(size=30)
    lower, higher = two_levels(rng, 10, hard), two_levels(rng, 10, hard)
    # The same numbers, but the easy trajectories of one side stand beside the hard ones of the other.
    apart = compare(np.sort(lower, axis=1), -np.sort(-higher, axis=1))
    paired = compare(lower, higher)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


def test_intervals_cover_the_true_difference():
    rng = np.random.default_rng(5)
    inside = 0
    for trial in range(150):
        hard = rng.normal(size=25)
        found = compare(
            two_levels(rng, 12, hard, shift=-1.0), two_levels(rng, 9, hard), draws=300, permutations=2, seed=trial
        )
        inside += found.low <= -1 <= found.high
    # Percentile intervals of few members are a little short.
    assert 0.86 <= inside / 150 <= 0.99


def test_unknown_values_and_members_are_left_out():
    rng = np.random.default_rng(6)
    lower, higher = rng.normal(size=(4, 6)), rng.normal(size=(5, 6)) + 1
    holes = np.vstack([lower, np.full(6, np.nan)])
    assert compare(holes, higher) == compare(lower, higher)
    holes[0, :3] = np.nan
    found = compare(holes, higher)
    means = [lower[0, 3:].mean(), *lower[1:].mean(axis=1)]
    assert found.lower == pytest.approx(np.mean(means))
    assert np.isfinite([found.low, found.high, found.p]).all()


@pytest.mark.parametrize("lower", [np.full((3, 4), np.nan), np.zeros((0, 4))])
def test_nothing_is_known_of_a_side(lower: np.ndarray):
    for found in (compare(lower, np.ones((3, 4))), compare(np.ones((3, 4)), lower)):
        assert np.isnan([found.lower, found.higher, found.difference, found.low, found.high]).all()
        assert found.p == 1


def test_a_value_per_member():
    few, many = np.array([[250.0], [260.0], [240.0], [255.0]]), np.array([[900.0], [950.0], [990.0], [910.0], [905.0]])
    found = compare(few, many)
    assert found.difference == pytest.approx(few.mean() - many.mean())
    assert found.high < -600
    # The most extreme of 126 divisions; two-sided.
    assert found.p == pytest.approx(2 / 126)


def test_one_member_is_too_few_for_a_test():
    found = compare(np.zeros((1, 5)), np.ones((6, 5)))
    assert found.difference == -1
    assert found.p == 1


def test_nothing_differs():
    found = compare(np.zeros((3, 5), bool), np.zeros((4, 5), bool))
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_the_same_bits_for_the_same_data():
    rng = np.random.default_rng(7)
    lower, higher = rng.normal(size=(10, 6)), rng.normal(size=(10, 6))
    assert compare(lower, higher) == compare(lower, higher)
    assert compare(lower, higher, seed=1).p != compare(lower, higher, seed=2).p


def test_unequal_test_sets_are_refused():
    with pytest.raises(ValueError, match="same test trajectories; got 4 and 5"):
        compare(np.zeros((2, 4)), np.zeros((2, 5)))


def test_holm_by_hand():
    # 0.005 x 4; 0.01 x 3; 0.03 x 2; 0.04 x 1 is less than the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.4, 0.4, 1.0]) == (1.0, 1.0, 1.0)
    assert holm([0.03]) == (0.03,)
    assert holm([]) == ()


def test_pseudo_values_have_the_mean_of_all_pairs():
    rng = np.random.default_rng(8)
    pairs = rng.random((6, 6))
    pairs = (pairs + pairs.T) / 2
    off = ~np.eye(6, dtype=bool)
    values = pseudo_values(pairs)
    assert values.mean() == pytest.approx(pairs[off].mean())
    # The definition: n U - (n - 1) U without this member.
    without = np.array([np.delete(np.delete(pairs, i, 0), i, 1)[~np.eye(5, dtype=bool)].mean() for i in range(6)])
    np.testing.assert_allclose(values, 6 * pairs[off].mean() - 5 * without)


def test_pseudo_values_leave_out_unknown_members():
    pairs = np.array([[0, 1, 2, np.nan], [1, 0, 3, np.nan], [2, 3, 0, np.nan], [np.nan] * 4])
    values = pseudo_values(pairs)
    np.testing.assert_allclose(values[:3], pseudo_values(pairs[:3, :3]))
    assert np.isnan(values[3])
    assert np.isnan(pseudo_values(pairs[:2, :2])).all()


def test_pairs_of_alike_sides_are_seldom_told_apart():
    rng = np.random.default_rng(9)

    def distances(members: int) -> np.ndarray:
        places = rng.normal(size=(members, 1))
        return np.abs(places - places.T)

    def wrong(values: list[np.ndarray]) -> float:
        return float(np.mean([compare(a[:, None], b[:, None], draws=2).p < 0.05 for a, b in zip(*values, strict=True)]))

    sides = [[distances(5) for _ in range(200)] for _ in range(2)]
    plain = wrong([[m.sum(axis=1) / 4 for m in side] for side in sides])
    corrected = wrong([[pseudo_values(m) for m in side] for side in sides])
    # Taken for independent, the members' own means find twice to thrice as many differences as there may be.
    assert corrected < plain
    assert corrected <= 0.1

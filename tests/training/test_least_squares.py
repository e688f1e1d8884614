"""Sequentially thresholded least squares against its definition."""

from itertools import pairwise

import numpy as np
import pytest

from sparsedyn.training import stlsq
from sparsedyn.training.least_squares import bagged, elimination, factor, merged, needed, resampled, solve, thresholded

RNG = np.random.default_rng(0)
# Columns of very different sizes, some of them related.
THETA = RNG.normal(size=(200, 6)) * [1, 100, 0.01, 1, 5, 1] + RNG.normal(size=(200, 1))
TRUTH = np.array([[2.0, 0.0], [0.03, 0.0], [0.0, -4.0], [0.0, 0.5], [0.0, 0.0], [0.0, 1.5]])
TARGET = THETA @ TRUTH + 1e-3 * RNG.normal(size=(200, 2))


def by_definition(theta: np.ndarray, target: np.ndarray, threshold: float) -> np.ndarray:
    """Brunton, Proctor & Kutz 2016, on the samples themselves."""
    left = np.ones(theta.shape[1], bool)
    while True:
        found = np.zeros(theta.shape[1])
        found[left] = np.linalg.lstsq(theta[:, left], target, rcond=None)[0]
        kept = np.abs(found) >= threshold
        if np.array_equal(kept, left):
            return found
        left &= kept


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.1, 1.0, 100.0])
def test_the_definition(threshold: float):
    expected = np.stack([by_definition(THETA, y, threshold) for y in TARGET.T], axis=1)
    np.testing.assert_allclose(stlsq(THETA, TARGET, threshold), expected, rtol=1e-9, atol=1e-12)


def test_a_threshold_for_each_target():
    both = stlsq(THETA, TARGET, (0.01, 0.1))
    for j, threshold in enumerate((0.01, 0.1)):
        np.testing.assert_allclose(both[:, [j]], stlsq(THETA, TARGET[:, [j]], threshold), rtol=1e-12)
    with pytest.raises(ValueError, match="threshold: expected"):
        stlsq(THETA, TARGET, -1.0)


def test_contributions_do_not_depend_on_units():
    units = np.array([1e-3, 1, 1e3, 1, 10, 0.1])
    plain = stlsq(THETA, TARGET, 1e-3, scale="contributions")
    np.testing.assert_array_equal(plain != 0, TRUTH != 0)
    scaled = stlsq(THETA * units, 7 * TARGET, 1e-3, scale="contributions")
    np.testing.assert_allclose(scaled, 7 * plain / units[:, None], rtol=1e-9)


def test_a_ridge_steadies_the_choice_and_leaves_values_alone():
    theta = np.concatenate([THETA, THETA[:, :1] * (1 + 1e-9)], axis=1)
    found = stlsq(theta, TARGET, 0.01, ridge=1e-6)
    assert np.abs(found).max() < 5
    np.testing.assert_allclose(theta @ found, TARGET, atol=0.02)
    np.testing.assert_allclose(stlsq(THETA, TARGET, 0.01, ridge=1e-6), stlsq(THETA, TARGET, 0.01), rtol=1e-9)


def test_columns_of_zeros_and_repeated_columns_are_harmless():
    theta = np.concatenate([THETA, np.zeros((200, 1)), THETA[:, :1]], axis=1)
    found = solve(factor(theta, TARGET), np.ones((8, 2), bool))
    assert np.all(found[6] == 0)
    np.testing.assert_allclose(found[0], found[7], rtol=1e-6)
    assert elimination(factor(theta, TARGET)).shape == (9, 8)


def test_parts_together_are_the_whole():
    whole = factor(THETA, TARGET)
    parts = [factor(*part) for part in zip(np.split(THETA, [3, 90]), np.split(TARGET, [3, 90]), strict=True)]
    together = merged(parts)
    assert together.samples == whole.samples
    np.testing.assert_allclose(together.rms, whole.rms, rtol=1e-12)
    np.testing.assert_allclose(thresholded(together, 0.01), thresholded(whole, 0.01), rtol=1e-9, atol=1e-14)


def test_elimination_goes_by_what_least_squares_lose():
    steps = elimination(factor(THETA, TARGET), target=1)
    assert steps.sum(axis=1).tolist() == [6, 5, 4, 3, 2, 1, 0]
    np.testing.assert_array_equal(steps[3], TRUTH[:, 1] != 0)

    def loss(support: np.ndarray) -> float:
        left = THETA[:, support]
        return float(np.sum(np.square(left @ np.linalg.lstsq(left, TARGET[:, 1], rcond=None)[0] - TARGET[:, 1])))

    for before, after in pairwise(steps):
        single = [np.where(np.arange(6) == i, False, before) for i in np.flatnonzero(before)]
        assert loss(after) == pytest.approx(min(map(loss, single)), rel=1e-9)


def test_bagging_leaves_out_every_term_equally_often():
    parts = [factor(*part) for part in zip(np.split(THETA, 20), np.split(TARGET, 20), strict=True)]
    found = bagged(parts, lambda reduced: thresholded(reduced, 0.01), 12, seed=3)
    assert np.isnan(found).sum(axis=(0, 2)).tolist() == [4] * 6
    np.testing.assert_allclose(np.nanmedian(found, axis=0), TRUTH, atol=2e-3)
    np.testing.assert_array_equal(found, bagged(parts, lambda reduced: thresholded(reduced, 0.01), 12, seed=3))
    assert resampled(parts, np.random.default_rng(0)).samples == 200


def test_terms_that_others_can_stand_in_for_go():
    """z and sin z are nearly alike on small z: their contributions are large, what either adds to the other is not."""
    z = np.linspace(-0.5, 0.5, 400)
    other = np.cos(7 * z)
    theta = np.column_stack([z, np.sin(z), other, z**2])
    target = np.column_stack([2 * z - np.sin(z) + 0.1 * other, other])
    kept = needed(factor(theta, target), np.array([[True, True], [True, True], [True, True], [False, True]]), 0.02)
    assert kept[:, 0].tolist()[2:] == [True, False]
    assert kept[:2, 0].sum() == 1
    assert kept[:, 1].tolist() == [False, False, True, False]
    # What goes costs less than its own contribution says, what stays costs more.
    reduced = factor(theta, target)
    missed = target - theta @ solve(reduced, kept)
    assert np.all(np.sqrt(np.mean(missed**2, axis=0) / np.mean(target**2, axis=0)) < 0.02)
    for term in np.flatnonzero(kept[:, 0]):
        fewer = kept.copy()
        fewer[term, 0] = False
        left = target[:, 0] - theta @ solve(reduced, fewer)[:, 0]
        assert np.sqrt(np.mean(left**2) / np.mean(target[:, 0] ** 2)) >= 0.02

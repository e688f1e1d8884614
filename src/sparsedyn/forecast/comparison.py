"""Two ensembles compared on the same test trajectories: an interval, a permutation test, Holm's correction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """The means of two sides, their difference (lower - higher) with its 95 % interval, and a two-sided p-value."""

    lower: float
    higher: float
    difference: float
    low: float
    high: float
    p: float


UNKNOWN = Comparison(*(float("nan"),) * 5, p=1.0)
"""The result of a comparison without data for one side."""


def compare(
    lower: Shaped[np.ndarray, "lower_member trajectory"],
    higher: Shaped[np.ndarray, "higher_member same_trajectory"],
    *,
    draws: int = 2000,
    permutations: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare one measure of two ensembles on the same test trajectories; NaN for unknown.

    A side's mean is the mean over members of each member's mean over trajectories. A measure of whole members comes
    as a single column.

    The interval is a percentile bootstrap of the difference over both levels: members of each side are drawn
    independently, trajectories for both sides at once. Trajectories that are hard for both sides then cancel: the
    comparison is paired. Where all forecasts of a side are alike, its draws are as well, and the interval reflects only
    the other side's spread.

    The p-value is that of a permutation test: had both sides one distribution, then, the trajectories being what they
    are, any member could have stood on either side. The statistic is the difference of the sides' means; all divisions
    are used where there are at most `permutations`, else so many random ones. It is one with fewer than two known
    members on a side. Equal arguments give equal results. Raises `ValueError` for sides of unequal numbers of
    trajectories.

    Sources: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 (percentile intervals) and 15
    (permutation tests); Phipson & Smyth 2010 for counting the observed division among the random ones.
    """
    sides = [np.asarray(side, np.float64) for side in (lower, higher)]
    if sides[0].shape[1] != sides[1].shape[1]:
        raise ValueError(
            f"expected both sides on the same test trajectories; got {sides[0].shape[1]} and {sides[1].shape[1]} "
            "columns. Keep the trajectories that both sides have."
        )
    # A member without data is left out; the others of its side stay exchangeable.
    sides = [side[np.isfinite(side).any(axis=1)] for side in sides]
    if not all(len(side) for side in sides):
        return UNKNOWN
    means = [_member_means(side, np.ones((1, side.shape[1])))[0] for side in sides]
    low, high = _interval(sides, draws, seed)
    left, right = (float(mean.mean()) for mean in means)
    return Comparison(left, right, left - right, low, high, _p_value(means, permutations, seed))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return `p_values` adjusted for multiple testing: those below a level have a family-wise error below it.

    The k-th smallest of m (from 1) is multiplied by m + 1 - k, is at least the adjusted one before it, and at most one.
    This holds under any dependence between the tests.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return tuple(adjusted.tolist())


def pseudo_values(pairs: Float[np.ndarray, "member other"]) -> Float[np.ndarray, " member"]:
    """Return a value per member whose mean is that of all `pairs` of different members, and which may be compared.

    A member's own mean over its pairs shares every pair with another member, so the spread of these means shows only
    half of the sampling error of the overall mean. The jackknife's pseudo-values, which are nearly independent, show
    all of it: `mean + 2 (n - 1) / (n - 2) (own mean - mean)` for n members. `pairs` is symmetric; its diagonal is not
    read, a member that has only NaN gets NaN. With fewer than three members all is NaN.

    Source: Arvesen, Jackknifing U-statistics, Annals of Mathematical Statistics 40, 1969.
    """
    apart = np.where(np.eye(len(pairs), dtype=bool), np.nan, np.asarray(pairs, np.float64))
    known = np.isfinite(apart)
    count = known.sum(axis=1)
    own = np.where(count > 0, np.where(known, apart, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
    members = int((count > 0).sum())
    if members < 3:
        return np.full(len(pairs), np.nan)
    mean = own[count > 0].mean()
    return mean + 2 * (members - 1) / (members - 2) * (own - mean)


def _member_means(
    values: Float[np.ndarray, "member trajectory"], weights: Float[np.ndarray, "draw trajectory"]
) -> Float[np.ndarray, "draw member"]:
    """Every member's weighted mean over the trajectories that are known; NaN where their weights are all zero."""
    known = np.isfinite(values)
    total = weights @ np.where(known, values, 0.0).T
    weight = weights @ known.T.astype(np.float64)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)


def _interval(sides: Sequence[Float[np.ndarray, "_ trajectory"]], draws: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    by_trajectory = _times_drawn(rng, sides[0].shape[1], draws)
    means = []
    for side in sides:
        by_member = _times_drawn(rng, len(side), draws)
        by_draw = _member_means(side, by_trajectory)
        weight = np.where(np.isfinite(by_draw), by_member, 0.0)
        whole = weight.sum(axis=1)
        total = (weight * np.where(np.isfinite(by_draw), by_draw, 0.0)).sum(axis=1)
        means.append(np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), np.nan))
    difference = means[0] - means[1]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(difference[np.isfinite(difference)], [tail, 1 - tail])
    return float(low), float(high)


def _times_drawn(rng: np.random.Generator, count: int, draws: int) -> Float[np.ndarray, "draw {count}"]:
    """How often each of `count` is in a resample of as many with replacement."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)


def _p_value(means: Sequence[Float[np.ndarray, " _"]], permutations: int, seed: int) -> float:
    if min(len(side) for side in means) < 2:
        return 1.0
    result = stats.permutation_test(
        tuple(means),
        lambda left, right, axis: left.mean(axis=axis) - right.mean(axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=permutations,
        rng=np.random.default_rng(seed),
    )
    return min(1.0, float(result.pvalue))

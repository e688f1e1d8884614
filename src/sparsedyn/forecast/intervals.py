"""Bootstrap intervals over both levels, members and trajectories."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats


class Interval(NamedTuple):
    """An estimate with its confidence bounds."""

    value: float
    low: float
    high: float


def bootstrap_mean(
    values: Shaped[np.ndarray, "member trajectory"],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean of the non-NaN `values` with a percentile interval.

    Members and trajectories are each drawn with replacement, since forecasts of one member, or of one
    trajectory, resemble each other: treating them as independent would make intervals far too narrow.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    members, trajectories = values.shape
    rng = np.random.default_rng(seed)
    by_member = rng.multinomial(members, np.full(members, 1 / members), size=draws).astype(np.float64)
    by_trajectory = rng.multinomial(trajectories, np.full(trajectories, 1 / trajectories), size=draws).astype(
        np.float64
    )
    total = np.einsum("dm,mt,dt->d", by_member, np.where(known, values, 0.0), by_trajectory, optimize=True)
    count = np.einsum("dm,mt,dt->d", by_member, known.astype(np.float64), by_trajectory, optimize=True)
    means = total[count > 0] / count[count > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values[known].mean()), float(low), float(high))


def bootstrap_share(
    flags: Shaped[np.ndarray, "member trajectory"], *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """Return the share of true `flags` with its interval.

    When none or all are true, all resamples agree; the exact binomial bound (Clopper & Pearson 1934) is then used, so
    that 0 of 400 gives 0 to 0.9 %.
    """
    flags = np.asarray(flags, bool)
    value, low, high = bootstrap_mean(flags.astype(np.float64), level=level, draws=draws, seed=seed)
    n, k = flags.size, int(flags.sum())
    if n and k == 0:
        high = float(stats.beta.ppf((1 + level) / 2, 1, n))
    if n and k == n:
        low = float(stats.beta.ppf((1 - level) / 2, n, 1))
    return Interval(value, low, high)


def spread(values: Float[np.ndarray, "member trajectory"]) -> float:
    """Return the standard deviation of the non-NaN values, NaN when there are none."""
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else float("nan")

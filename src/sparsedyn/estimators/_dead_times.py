"""How many lags, and which dead time of every input, by the cross-validated error of the next row.

For each number of lags and each input, windows of lags that begin at every dead time are compared by the error of the
next row in least squares (with products of columns, where rows are enough), over five blocks of rows left out in turn.
Two errors count as one where they differ by less than a standard error over blocks. Of the windows that begin up to as
many rows later as there are lags, the latest is taken that is as good as the best, so that none begins before the dead
time; an input without which the error is as good has none. Of the numbers of lags, the smallest is taken that is as
good as the best. Source: Hastie, Tibshirani & Friedman 2009, section 7.10 (one standard error).
"""

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators._delays import AUTO, NO_DELAYS, Delays

MOST_LAGS = 3
LONGEST = 30
"""Rows of a dead time, at most."""
FOLDS = 5
SWEEPS = 2
MOST_ROWS = 10_000
ROWS_EACH = 5
"""Rows per column of a regression, at least."""
MOST_COLUMNS = 60
EXACT = 1e-10
"""Squared errors, as shares of the variance of a row's change, that are rounding."""
SHORTEST = 20
"""Rows of a trajectory, at least."""

Errors = Float[np.ndarray, " fold"]


def delays_of(lags: int | str, data: Trajectories) -> Delays:
    """Return the delays that were asked for: so many lags of states and inputs, or those that are found in the data."""
    if lags == AUTO:
        return found_delays(data)
    return Delays(int(lags), (0,) * len(data.input_names)) if lags else NO_DELAYS


def found_delays(data: Trajectories) -> Delays:
    """Return the lags and dead times of these data; raises `DataError` for trajectories that are too short."""
    if min(data.lengths) < SHORTEST:
        raise DataError(
            f"lags='auto' (--lags auto): expected at least {SHORTEST} rows in every trajectory; the shortest has "
            f"{min(data.lengths)}. Give longer trajectories, or a number of lags."
        )
    longest = min(LONGEST, min(data.lengths) // 5)
    problem = Problem(data, MOST_LAGS + longest)
    found = []
    for lags in range(MOST_LAGS + 1):
        dead, error = [0] * len(data.input_names), problem.error(Delays(lags, (0,) * len(data.input_names)))
        for _ in range(SWEEPS if len(dead) > 1 else 1):
            for i in range(len(dead)):
                dead[i], error = _dead_time(problem, lags, dead, i, longest)
        found.append((Delays(lags, tuple(dead)), error))
    best = min(found, key=lambda one: one[1].mean())[1]
    return next(delays for delays, error in found if as_good(error, best))


def _dead_time(problem: "Problem", lags: int, dead: list[int], i: int, longest: int) -> tuple[int, Errors]:
    errors = [problem.error(Delays(lags, (*dead[:i], d, *dead[i + 1 :]))) for d in range(longest + 1)]
    first = int(np.argmin([error.mean() for error in errors]))
    best = errors[first]
    if as_good(problem.error(Delays(lags, tuple(dead)), without=i), best):
        return 0, errors[0]
    latest = max(d for d in range(first, min(first + lags, longest) + 1) if as_good(errors[d], best))
    return latest, errors[latest]


def as_good(error: Errors, best: Errors) -> bool:
    """Whether errors over blocks are within one standard error of the best ones, or rounding."""
    more = error - best
    spread = float(np.std(more, ddof=1) / np.sqrt(len(more)))
    return bool(error.mean() <= EXACT or more.mean() <= spread)


class Problem:
    """Rows of all trajectories with as many earlier ones as any candidate needs, in blocks."""

    def __init__(self, data: Trajectories, earlier: int, most: int = MOST_ROWS):
        counts = [max(0, rows - earlier - 1) for rows in data.lengths]
        every = max(1, -(-sum(counts) // most))
        self.states, self.inputs = data.states, data.inputs
        self.rows = [np.arange(earlier, earlier + count)[::every] for count in counts]
        self.before = np.concatenate([x[k] for x, k in zip(data.states, self.rows, strict=True)])
        change = np.concatenate([x[k + 1] for x, k in zip(data.states, self.rows, strict=True)]) - self.before
        size = change.std(axis=0)
        self.scale = np.where(size > 0, size, 1.0)
        self.target = change / self.scale
        self.folds = np.array_split(np.arange(len(change)), FOLDS)

    def error(self, delays: Delays, *, without: int | None = None) -> Errors:
        """Return the squared error of the next row, as a share of its change, of every block left out."""
        places = [one for one in delays.places(self.before.shape[1]) if one[0] or one[1] != without]
        delayed = [
            np.concatenate([parts[r][k - old, i] for r, k in enumerate(self.rows)])
            for of, i, old in places
            for parts in [self.states if of else self.inputs]
        ]
        theta = _terms(np.stack([*self.before.T, *delayed], axis=1))
        parts = [(theta[rows].T @ theta[rows], theta[rows].T @ self.target[rows]) for rows in self.folds]
        gram, right = (sum(one) for one in zip(*parts, strict=True))
        found = []
        for (own, own_right), rows in zip(parts, self.folds, strict=True):
            fitted = np.linalg.lstsq(gram - own, right - own_right, rcond=1e-13)[0]
            found.append(np.mean(np.square(self.target[rows] - theta[rows] @ fitted)))
        return np.asarray(found)


def _terms(columns: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row term"]:
    """Return standardized columns and a constant, and products of two where rows are enough."""
    size = columns.std(axis=0)
    z = (columns - columns.mean(axis=0)) / np.where(size > 0, size, 1.0)
    terms = [np.ones(len(z)), *z.T]
    pairs = list(combinations_with_replacement(range(z.shape[1]), 2))
    if len(terms) + len(pairs) <= min(MOST_COLUMNS, len(z) // ROWS_EACH):
        terms += [z[:, i] * z[:, j] for i, j in pairs]
    return np.stack(terms, axis=1)

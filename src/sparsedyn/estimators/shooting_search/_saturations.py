"""Proposals that saturate in a combination of two variables, such as rates of neurons: `1 / (1 + exp(b + a v + c w))`.

No sum of functions of one variable comes near these, so that moves seldom lead to them.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search import _integral as integral
from sparsedyn.estimators.shooting_search._library import MANY, polynomials, price
from sparsedyn.estimators.shooting_search._paths import Paths
from sparsedyn.training.shooting.products import SIGMOID_OF_TWO, Factor, Term

DIRECTIONS = 16
"""Combinations of two variables, of both signs, of which none is one variable alone."""
SLOPES, CENTERS = (1.5, 4.0, 10.0), (0.1, 0.3, 0.5, 0.7, 0.9)
"""Grid of sigmoids along a combination, in its range."""
BESIDE = 2
"""Linear terms beside a sigmoid, at most."""


class Saturations:
    """Regressions on integrals of sigmoids of two variables, for all states."""

    def __init__(self, paths: Paths) -> None:
        points = paths.points
        # Where terms are offered, nothing else is proposed.
        able = points.shape[1] <= MANY and not paths.prior.offered
        pairs = list(combinations(range(points.shape[1]), 2)) if able else []
        linear = [term for term in polynomials(points.shape[1], 1) if paths.prior.allows(term)]
        grid = [term for i, j in pairs for term in _grid(points[:, i], points[:, j], i, j)]
        self.terms, self.linear = [*linear, *grid], len(linear)
        self.form = integral.integrals(paths, self.terms) if grid else None

    def guesses(self, state: int) -> list[integral.Guess]:
        """Return proposals for the equation of a state: the best of every number of terms, pair and slope."""
        if self.form is None:
            return []
        regression = integral.Regression(self.form, state)
        prices = np.asarray([price(term) for term in self.terms])
        best: dict[tuple[int, tuple[Factor, ...], int], tuple[float, integral.Support]] = {}
        usable = [k for k in range(self.linear) if regression.usable[k]]
        for support in (one for size in range(BESIDE + 1) for one in combinations(usable, size)):
            scores = regression.rows * np.log(regression.with_one(support)) + 2 * (prices + prices[list(support)].sum())
            for place in range(self.linear, len(self.terms)):
                # The best place of the grid may lead astray, beside a polynomial or along a slope.
                slope = (place - self.linear) // len(CENTERS) % len(SLOPES)
                key = (len(support), self.terms[place].factors, slope)
                if scores[place] < best.get(key, (np.inf, ()))[0]:
                    best[key] = (float(scores[place]), (*support, place))
        return [self._guess(regression, support) for _, support in sorted(best.values())]

    def _guess(self, regression: integral.Regression, support: integral.Support) -> integral.Guess:
        coefficients, _ = regression.solved(support)
        return integral.Guess(tuple(self.terms[k] for k in support), tuple(float(c) for c in coefficients))


def _grid(v: Float[np.ndarray, " point"], w: Float[np.ndarray, " point"], i: int, j: int) -> Sequence[Term]:
    """Sigmoids of two variables that take these values."""
    sizes = np.asarray([v.std(), w.std()])
    if not np.all(sizes > 0):
        return []
    found = []
    for angle in (np.arange(DIRECTIONS) + 0.5) * 2 * np.pi / DIRECTIONS:
        a, c = np.asarray([np.cos(angle), np.sin(angle)]) / sizes
        low, high = np.quantile(a * v + c * w, [0.02, 0.98])
        for slope in np.asarray(SLOPES) / (high - low):
            for center in low + (high - low) * np.asarray(CENTERS):
                inside = (float(slope * a), float(-slope * center), float(slope * c))
                found.append(Term((Factor(SIGMOID_OF_TWO, i, j),), inside))
    return found

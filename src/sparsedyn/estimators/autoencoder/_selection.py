"""Terms of an equation, taken up one after the other, and the affine coordinate in which few of them do."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize

from sparsedyn._blas import one_blas_thread
from sparsedyn.data.splits import last_share
from sparsedyn.equations.coordinates import Affine
from sparsedyn.models import Jet, Library
from sparsedyn.training.parsimony import penalized

ENOUGH = 1e-4
"""Relative squared error of an equation that needs no more terms: below that of trained networks."""
MOST_SAMPLES = 3000
"""Samples that an equation is chosen by."""
SHARE = 0.2
"""Of the samples, the last, that terms are judged by and not fitted to."""
SCALES = np.geomspace(0.1, 10.0, 31)
"""Standard deviations of the coordinate that are tried."""
OFFSETS = np.pi / 12 * np.array([(-1) ** i * ((i + 1) // 2) for i in range(24)])
"""Means of the coordinate that are tried: a turn in steps of 15 degrees, small ones first."""
POLISHED = 2
"""Monomials, and functions, whose coordinate is looked for beyond the grid."""
PRICE = float(np.log(4.0))
"""What a term costs: it has to make the error of the equation four times smaller."""
TINY = 1e-300


class Choice(NamedTuple):
    """An equation of few terms: the affine change of the coordinate, the terms, and the relative squared error."""

    change: Affine
    kept: Bool[np.ndarray, "term 1"]
    error: float


def forward_selection(library: Library, jet: Jet) -> Choice:
    """Return the equation of one variable that forward selection leads to, and the affine coordinate of it.

    A term pays for itself that makes the error four times smaller, as in the ranking of members; with every term the
    coordinate `a z + b` is looked for anew, on a grid of scales and offsets and from its best places on. An error below
    1e-4 is small enough. A function is taken rather than a monomial only if its error is four times smaller, too: it
    has a scale of its own, and with a small one stands for a monomial. Coefficients are least-squares solutions; errors
    are those of samples they are not fitted to.

    Terms that only help together are not found in this way. It does not begin with all of them, since bent coordinates
    make an equation of many terms that is exact, but not short.
    """
    with one_blas_thread():
        return _forward_selection(library, jet)


def _forward_selection(library: Library, jet: Jet) -> Choice:
    thin = jet.map(lambda part: np.asarray(part, np.float64)[:: -(-len(part) // MOST_SAMPLES)])
    problem = _Problem(library, thin)
    grid = [Affine(np.array([[a]]), np.array([b])) for a, b in problem.grid()]
    moments = [problem.moments(change) for change in grid]
    best = Choice(grid[0], np.zeros((library.size, 1), bool), 1.0)
    while best.error > ENOUGH and not best.kept.all():
        options = []
        for term in np.flatnonzero(~best.kept[:, 0]):
            kept = best.kept.copy()
            kept[term] = True
            errors = [_error(part, kept[:, 0]) for part in moments]
            # Half a turn changes but the sign of a sine: of equal places the one nearest to the data's mean.
            place = int(np.flatnonzero(np.array(errors) <= 1.001 * min(errors))[0])
            options.append(Choice(grid[place], kept, errors[place]))
        better = _preferred(library, best, [problem.polished(option) for option in _few(library, best, options)])
        if best.kept.any() and not better.error < best.error / np.exp(PRICE):
            break
        best = better
    if best.kept[len(library.monomials) :].any():
        return best
    # Monomials leave the scale free: it is that of unit variance.
    factor = 1 / (best.change.matrix[0, 0] * problem.spread)
    return best._replace(change=Affine(best.change.matrix * factor, best.change.offset * factor))


def _few(library: Library, before: Choice, options: list[Choice]) -> list[Choice]:
    """Return the best of the options that add a monomial, and of those that add a function."""
    ordered = sorted(options, key=lambda option: option.error)
    monomials = [option for option in ordered if not _adds_function(library, before, option)]
    functions = [option for option in ordered if _adds_function(library, before, option)]
    return [*monomials[:POLISHED], *functions[:POLISHED]]


def _preferred(library: Library, before: Choice, options: list[Choice]) -> Choice:
    """Return the option of least error, where functions have to pay for their scale."""

    def cost(option: Choice) -> float:
        return float(penalized(option.error, _adds_function(library, before, option), price=PRICE, floor=TINY))

    return min(options, key=cost)


def _adds_function(library: Library, before: Choice, option: Choice) -> bool:
    return bool((option.kept & ~before.kept)[len(library.monomials) :].any())


class _Moments(NamedTuple):
    """Mean products of terms with each other and with the target, and the target's mean square: fitted, judged."""

    gram: Float[np.ndarray, "2 term term"]
    right: Float[np.ndarray, "2 term"]
    square: Float[np.ndarray, "2"]


class _Problem:
    """The samples that an equation is chosen by."""

    def __init__(self, library: Library, jet: Jet):
        self.library, self.jet = library, jet
        # In float64, which `jet.state` is not.
        parts = [jet.value] if jet.second is None else [jet.value, jet.first]
        self.states = np.concatenate(parts, axis=-1)
        self.mean, self.spread = float(np.mean(jet.value)), float(np.std(jet.value))
        self.parts = last_share(len(jet.value), SHARE)

    def grid(self) -> list[tuple[float, float]]:
        """Return scales and offsets to try. Polynomials leave the scale free, which then is that of unit variance."""
        scales = SCALES if self.library.functions else np.ones(1)
        return [(a / self.spread, b - a / self.spread * self.mean) for b in OFFSETS for a in scales]

    def moments(self, change: Affine) -> _Moments:
        """Return the moments in a coordinate."""
        theta = self.library.evaluate(change.states(self.states))
        target = np.asarray(self.jet.highest, np.float64)[:, 0] * change.matrix[0, 0]
        parts = [(theta[part], target[part]) for part in self.parts]
        return _Moments(
            np.stack([columns.T @ columns / len(columns) for columns, _ in parts]),
            np.stack([columns.T @ goal / len(columns) for columns, goal in parts]),
            np.array([np.mean(np.square(goal)) for _, goal in parts]),
        )

    def polished(self, choice: Choice) -> Choice:
        """Return the same terms in the coordinate nearby where their error is least."""

        def change(steps: np.ndarray) -> Affine:
            factor = float(np.exp(steps[0]))
            return Affine(choice.change.matrix * factor, choice.change.offset * factor + steps[1])

        def cost(steps: np.ndarray) -> float:
            return float(np.log(_error(self.moments(change(steps)), choice.kept[:, 0]) + TINY))

        # It begins with steps of half the grid's; the default ones from zero are too small to get anywhere soon.
        simplex = np.array([[0.0, 0.0], [0.08, 0.0], [0.0, 0.13]])
        found = minimize(
            cost,
            np.zeros(2),
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-3, "maxfev": 200, "initial_simplex": simplex},
        )
        return Choice(change(found.x), choice.kept, float(np.exp(found.fun)))


def _error(moments: _Moments, kept: Bool[np.ndarray, " term"]) -> float:
    """Return the relative squared error of the least-squares equation of some terms, where it is judged."""
    gram, right = moments.gram[:, kept][:, :, kept], moments.right[:, kept]
    scale = np.sqrt(np.diagonal(gram[0])) + TINY
    found = np.linalg.lstsq(gram[0] / scale / scale[:, None], right[0] / scale, rcond=1e-12)[0] / scale
    lost = moments.square[1] - 2 * found @ right[1] + found @ gram[1] @ found
    return float(max(lost, 0.0) / moments.square[1])

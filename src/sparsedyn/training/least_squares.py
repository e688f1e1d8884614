"""Sparse least squares: a few terms of a library that explain many targets, by thresholding.

Everything is computed from a *factor*, the triangle R of a QR decomposition of the terms and targets. The
samples are read once; after that the cost of a fit of any target on any choice of terms depends only on the number of
terms.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.models import contributions

ROUNDING = 1e-13
"""Singular value of columns of unit size, as a share of the largest, up to which they depend on each other."""

WELL, RENEWED = 1e-6, 8
"""The same of columns whose pseudoinverse can be updated when one is left out, and after how many it is made anew."""

Scale = Literal["coefficients", "contributions"]
Coefficients = Float[np.ndarray, "term target"]
Support = Bool[np.ndarray, "term target"]


class Factor(NamedTuple):
    """Samples of terms and targets, reduced to a `triangle` whose columns have the inner products of the samples'."""

    triangle: Float[np.ndarray, "row column"]
    terms: int
    samples: int

    @property
    def rms(self) -> Float[np.ndarray, " column"]:
        """The root mean square of every column, terms first; one for a column of zeros."""
        found = np.sqrt(np.sum(np.square(self.triangle), axis=0) / self.samples)
        return np.where(found > 0, found, 1.0)

    @property
    def size(self) -> tuple[int, int]:
        """The numbers of terms and targets."""
        return self.terms, self.triangle.shape[1] - self.terms

    def standardized(self, coefficients: "Coefficients") -> "Coefficients":
        """Return coefficients of terms and targets of unit root mean square: contributions with their signs."""
        rms = self.rms
        return coefficients * rms[: self.terms, None] / rms[self.terms :]

    def contributions(self, coefficients: "Coefficients") -> "Coefficients":
        """Return the contribution of every term to its target; see `models.contributions`."""
        return contributions(coefficients, self.rms[: self.terms], self.rms[self.terms :])


def factor(theta: Float[np.ndarray, "sample term"], target: Float[np.ndarray, "sample target"]) -> Factor:
    """Reduce samples to their triangle."""
    columns = np.concatenate([theta, target], axis=1)
    return Factor(_triangle(columns), theta.shape[1], len(columns))


def _triangle(columns: Float[np.ndarray, "sample column"]) -> Float[np.ndarray, "row column"]:
    triangle: np.ndarray = np.linalg.qr(columns, mode="r")  # type: ignore[assignment]
    return triangle


def merged(parts: Sequence[Factor]) -> Factor:
    """Return the factor of the samples of all parts together; a part may be given more than once."""
    triangle = _triangle(np.concatenate([part.triangle for part in parts]))
    return Factor(triangle, parts[0].terms, sum(part.samples for part in parts))


def solve(reduced: Factor, support: Support, *, ridge: float = 0.0) -> Coefficients:
    """Return the least-squares coefficients on a support; where several are best, the shortest for unit columns.

    `ridge` is relative: added to the mean squares of terms that are scaled to one.
    """
    rms = reduced.rms
    columns = reduced.triangle / (rms * np.sqrt(reduced.samples))
    found = np.zeros(support.shape)
    alike: dict[bytes, list[int]] = {}
    for j, column in enumerate(support.T):
        alike.setdefault(column.tobytes(), []).append(j)
    for targets in alike.values():
        chosen = np.flatnonzero(support[:, targets[0]])
        if not chosen.size:
            continue
        matrix, wanted = columns[:, chosen], columns[:, [reduced.terms + j for j in targets]]
        if ridge > 0:
            matrix = np.concatenate([matrix, np.sqrt(ridge) * np.eye(chosen.size)])
            wanted = np.concatenate([wanted, np.zeros((chosen.size, len(targets)))])
        found[np.ix_(chosen, np.array(targets))] = np.linalg.lstsq(matrix, wanted, rcond=ROUNDING)[0]
    return found * rms[reduced.terms :] / rms[: reduced.terms, None]


def unexplained(reduced: Factor, coefficients: Coefficients) -> Float[np.ndarray, " target"]:
    """Return the share of the mean square of every target that coefficients leave."""
    theta, target = reduced.triangle[:, : reduced.terms], reduced.triangle[:, reduced.terms :]
    left, whole = (np.sum(np.square(part), axis=0) for part in (theta @ coefficients - target, target))
    return left / np.where(whole > 0, whole, 1.0)


def thresholded(
    reduced: Factor,
    threshold: float | Sequence[float] | Float[np.ndarray, "..."],
    *,
    ridge: float = 0.0,
    iterations: int = 20,
    scale: Scale = "coefficients",
) -> Coefficients:
    """Return coefficients by sequentially thresholded least squares; see `stlsq`."""
    terms, targets = reduced.size
    least = np.broadcast_to(np.asarray(threshold, np.float64), (targets,))
    if not np.all(least >= 0):
        raise ValueError(f"threshold: expected a number of at least 0, or one per target; got {threshold!r}.")
    support = np.ones((terms, targets), bool)
    for _ in range(iterations):
        found = solve(reduced, support, ridge=ridge)
        sizes = np.abs(found) if scale == "coefficients" else reduced.contributions(found)
        kept = support & (sizes >= least)
        if np.array_equal(kept, support):
            break
        support = kept
    # The ridge is for choosing terms; the values are fitted without it.
    return solve(reduced, support)


def stlsq(
    theta: Float[np.ndarray, "sample term"],
    target: Float[np.ndarray, "sample target"],
    threshold: float | Sequence[float] | Float[np.ndarray, "..."],
    *,
    ridge: float = 0.0,
    iterations: int = 20,
    scale: Scale = "coefficients",
) -> Coefficients:
    """Return `Xi` with few entries for which `theta Xi` is near `target`, by sequentially thresholded least squares.

    Entries smaller than `threshold` (one number, or one per target) are set to zero and the others are fitted again,
    until none is smaller. Sizes are those of coefficients, in the units of the columns, or with `scale="contributions"`
    the root mean square of what a term adds, as a share of the target's. `ridge` is relative to columns of unit root
    mean square; the values at the end are fitted without it.

    Source: Brunton, Proctor & Kutz 2016.
    """
    return thresholded(factor(theta, target), threshold, ridge=ridge, iterations=iterations, scale=scale)


def elimination(reduced: Factor, target: int = 0) -> Bool[np.ndarray, "step term"]:
    """Return supports of one target from all terms to none: each step leaves out what costs the least squares least.

    Backward elimination, by the t statistics of the terms that are left. Sizes and units of terms have no influence.
    """
    columns = reduced.triangle / reduced.rms
    steps = np.ones((reduced.terms + 1, reduced.terms), bool)
    left, wanted = np.arange(reduced.terms), columns[:, reduced.terms + target]
    inverse = np.linalg.pinv(columns[:, left])
    sizes = np.linalg.svd(columns[:, left], compute_uv=False)
    updated = sizes[-1] > WELL * sizes[0]
    for step in range(1, reduced.terms + 1):
        worst = int(np.argmin(_costs_of(inverse, wanted)))
        left = np.delete(left, worst)
        steps[step] = False
        steps[step, left] = True
        # Digits are lost with every removal.
        inverse = _without(inverse, worst) if updated and step % RENEWED else np.linalg.pinv(columns[:, left])
    return steps


def _without(inverse: Float[np.ndarray, "left row"], column: int) -> Float[np.ndarray, "_left row"]:
    """Return the pseudoinverse of independent columns without one of them."""
    own, others = inverse[column], np.delete(inverse, column, axis=0)
    return others - np.outer(others @ own, own / (own @ own))


def needed(reduced: Factor, support: Support, least: float) -> Support:
    """Return a support without the terms that the others can replace, which are removed one by one.

    A term is removed while its unique contribution, the square root of the increase in relative squared error without
    it when the others are fitted again, is below `least`. For orthogonal terms that is its contribution; where others
    are similar to it, it is far less.
    """
    columns = reduced.triangle / (reduced.rms * np.sqrt(reduced.samples))
    kept = np.zeros_like(support)
    for j in range(support.shape[1]):
        left = np.flatnonzero(support[:, j])
        while left.size:
            costs = _costs(columns[:, left], columns[:, reduced.terms + j])
            if costs.min() >= least**2:
                break
            left = np.delete(left, np.argmin(costs))
        kept[left, j] = True
    return kept


def _costs(columns: Float[np.ndarray, "row left"], target: Float[np.ndarray, " row"]) -> Float[np.ndarray, " left"]:
    """Return the increase in squared error without each column, the others fitted again."""
    return _costs_of(np.linalg.pinv(columns), target)


def _costs_of(inverse: Float[np.ndarray, "left row"], target: Float[np.ndarray, " row"]) -> Float[np.ndarray, " left"]:
    """Return the same of the pseudoinverse of the columns."""
    found = inverse @ target
    # The diagonal of (A^T A)^-1; zero for a column of zeros, which costs nothing.
    spread = np.sum(np.square(inverse), axis=1)
    return np.divide(np.square(found), spread, out=np.zeros_like(found), where=spread > 0)


def resampled(parts: Sequence[Factor], rng: np.random.Generator) -> Factor:
    """Return the factor of as many parts, drawn with replacement: a bootstrap sample of blocks."""
    return merged([parts[i] for i in rng.integers(len(parts), size=len(parts))])


def bagged(
    parts: Sequence[Factor],
    fit: Callable[[Factor], Coefficients],
    members: int,
    *,
    seed: int = 0,
) -> Float[np.ndarray, "member term target"]:
    """Return coefficients that `fit` finds in bootstrap samples of the parts; in each, one term is left out, as NaN.

    Terms are left out in turn, so that each is missed equally often. Source: Fasel, Kutz, Brunton & Brunton 2022.
    """
    rng = np.random.default_rng(seed)
    terms, targets = parts[0].size
    found = np.full((members, terms, targets), np.nan)
    left_out = np.concatenate([rng.permutation(terms) for _ in range(-(-members // terms))])[:members]
    for member, absent in zip(found, left_out, strict=True):
        sample = resampled(parts, rng)
        present = np.arange(terms) != absent if terms > 1 else np.ones(1, bool)
        kept = sample.triangle[:, np.concatenate([present, np.ones(targets, bool)])]
        member[present] = fit(Factor(kept, int(present.sum()), sample.samples))
    return found

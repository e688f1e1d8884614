"""Supports that regression proposes, from all terms to few, for what was measured to judge."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.training.least_squares import Coefficients, Factor, Support, solve

WORSE = (0.05, 0.3, 1.0, 4.0)
"""Shares by which residuals may be above the least: a proposal has the fewest terms for it, in each equation."""
ACCURATE = 1e-6
"""Share of the squared target that a residual may have as well."""

Path = Bool[np.ndarray, "step term"]


class Proposal(NamedTuple):
    """Terms of all equations, with the coefficients of least squares."""

    support: Support
    coefficients: Coefficients


class Fits(NamedTuple):
    """Supports of one equation on a path from many terms to none: coefficients, and squares that are left."""

    path: Path
    coefficients: Float[np.ndarray, "step term"]
    left: Float[np.ndarray, " step"]
    target: float


def along(reduced: Factor, path: Path, equation: int) -> Fits:
    """Return the least-squares fits of one equation for every support of its path."""
    columns = [*range(reduced.terms), reduced.terms + equation]
    alone = Factor(reduced.triangle[:, columns], reduced.terms, reduced.samples)
    found = np.stack([solve(alone, support[:, None])[:, 0] for support in path])
    theta, target = reduced.triangle[:, : reduced.terms], reduced.triangle[:, reduced.terms + equation]
    left = np.sum(np.square(found @ theta.T - target), axis=1)
    return Fits(path, found, left, float(np.sum(np.square(target))))


def proposals(reduced: Factor, paths: Callable[[Factor], Sequence[Path]]) -> list[Proposal]:
    """Return all terms, ever fewer, and none: what changes nothing is compared with everything else."""
    fits = [along(reduced, path, j) for j, path in enumerate(paths(reduced))]
    dense = _joined([0] * len(fits), fits)
    sparse = [_joined([_fewest(fit, share) for fit in fits], fits) for share in WORSE]
    nothing = Proposal(np.zeros(reduced.size, bool), np.zeros(reduced.size))
    return [dense, *sparse, nothing]


def _fewest(fit: Fits, share: float) -> int:
    return int(np.flatnonzero(fit.left <= (1 + share) * fit.left.min() + ACCURATE * fit.target)[-1])


def _joined(steps: Sequence[int], fits: Sequence[Fits]) -> Proposal:
    return Proposal(
        np.stack([fit.path[step] for fit, step in zip(fits, steps, strict=True)], axis=1),
        np.stack([fit.coefficients[step] for fit, step in zip(fits, steps, strict=True)], axis=1),
    )

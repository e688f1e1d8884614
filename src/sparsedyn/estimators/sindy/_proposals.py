"""Supports that regression proposes, from all terms to few, for what was measured to judge."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, Support, solve

WORSE = (0.05, 0.3, 1.0, 4.0)
"""Shares by which residuals may be above the least: a proposal has the fewest terms for it, in each equation."""
ACCURATE = 1e-6
"""Share of the squared target that a residual may have as well."""
EXACT = 1e-12
"""Share of the squared target left by equations that simulations, which have some digits only, cannot improve."""

Path = Bool[np.ndarray, "step term"]


class Proposal(NamedTuple):
    """Terms of all equations, with the coefficients of least squares."""

    support: Support
    coefficients: Coefficients


class Chosen(NamedTuple):
    """Terms with their coefficients; correlations of what is left in rows beside each other, if states chose them."""

    proposal: Proposal
    related: Float[np.ndarray, " equation"] | None = None


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


def fits_of(
    reduced: Factor, paths: Callable[[Factor], Sequence[Path]], offered: np.ndarray | None = None
) -> list[Fits]:
    """Return the fits of every equation along its path, of all terms or of those `offered`."""
    if offered is None or offered.all():
        return [along(reduced, path, j) for j, path in enumerate(paths(reduced))]
    columns = np.append(offered, np.ones(reduced.size[1], bool))
    few = Factor(reduced.triangle[:, columns], int(offered.sum()), reduced.samples)
    fits = []
    for j, path in enumerate(paths(few)):
        whole = np.zeros((len(path), reduced.terms), bool)
        whole[:, offered] = path
        fits.append(along(reduced, whole, j))
    return fits


def tiers(library: Library) -> list[Bool[np.ndarray, " term"]]:
    """Return which terms there are in libraries from simple ones to the whole: a few of many are hard to find."""
    degrees = np.array([len(m) for m in library.monomials] + [0] * len(library.applications))
    functions = np.arange(len(degrees)) >= len(library.monomials)
    found = [(degrees <= 2) & ~functions, (degrees <= 1) | functions, ~functions, np.ones_like(functions)]
    return list({tier.tobytes(): tier for tier in found if tier.any()}.values())


def proposals(fits: Sequence[Fits]) -> list[Proposal]:
    """Return all terms, ever fewer, and none: what changes nothing is compared with everything else."""
    dense = _joined([0] * len(fits), fits)
    sparse = [_joined([_fewest(fit, share) for fit in fits], fits) for share in WORSE]
    nothing = Proposal(np.zeros_like(dense.support), np.zeros_like(dense.coefficients))
    return [dense, *sparse, nothing]


def exact(fits: Sequence[Fits]) -> Proposal | None:
    """Return the fewest terms that leave nothing but rounding of any equation, where there are such."""
    steps = [np.flatnonzero(fit.left <= EXACT * fit.target) for fit in fits]
    return _joined([int(step[-1]) for step in steps], fits) if all(map(len, steps)) else None


def _fewest(fit: Fits, share: float) -> int:
    return int(np.flatnonzero(fit.left <= (1 + share) * fit.left.min() + ACCURATE * fit.target)[-1])


def _joined(steps: Sequence[int], fits: Sequence[Fits]) -> Proposal:
    return Proposal(
        np.stack([fit.path[step] for fit, step in zip(fits, steps, strict=True)], axis=1),
        np.stack([fit.coefficients[step] for fit, step in zip(fits, steps, strict=True)], axis=1),
    )

"""The affine coordinates in which a latent equation reads best."""

import numpy as np
from jaxtyping import Float

from sparsedyn.equations.coordinates import Affine, contributions_at, identity, polynomial, transformed
from sparsedyn.equations.sparse_coordinates import sparsest
from sparsedyn.equations.standard_form import canonical
from sparsedyn.estimators.autoencoder._terms import SMALLEST
from sparsedyn.models import Library
from sparsedyn.training.least_squares import factor, solve


def canonical_form(
    library: Library,
    coefficients: Float[np.ndarray, "term latent"],
    states: Float[np.ndarray, "sample state"],
    *,
    seed: int = 0,
) -> tuple[Affine, Float[np.ndarray, "term latent"]]:
    """Return the affine change of latent variables in which an equation reads best, and the equation in it.

    These are the coordinates of fewest terms, with scales, signs and order as one would choose them. Terms of a
    contribution below 2 % over `states` are left out and the others fitted anew. Only for polynomials and first-order
    equations; others stay as they are.
    """
    latent = coefficients.shape[1]
    if library.variables != latent or not polynomial(library, coefficients):
        return identity(latent), coefficients
    change = sparsest(library, coefficients, states, threshold=SMALLEST, starts=4, seed=seed)
    moved = transformed(library, coefficients, change, states)
    theta = library.evaluate(change.states(states))
    kept = contributions_at(library, moved, change.states(states)) >= SMALLEST
    moved = solve(factor(theta, theta @ moved), kept)
    scaled = canonical(library, moved)
    return scaled.after(change), transformed(library, moved, scaled, change.states(states))

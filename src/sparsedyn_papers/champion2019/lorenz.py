"""Lorenz's equations behind many measurements: what they are, and when a discovered equation is one of them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from sparsedyn.equations.coordinates import Affine
from sparsedyn.models import Library
from sparsedyn.systems import Lorenz63
from sparsedyn.systems.lifted_lorenz import SCALE
from sparsedyn_papers.champion2019.truth import WRONG, Discovered, Reported, Structure, Truth

EXACT = 1e-6
"""A residual below which a structure is the true one."""
POINTS = 300
"""States at which two vector fields are compared: more than a library has terms."""
TERMS = 7
PARAMETERS = {"sigma": 10.0, "c": 1.0, "rho": 28.0, "beta": 8 / 3}


def structure(found: Discovered) -> Structure:
    """Compare an equation with Lorenz's, x' = sigma (y - x), y' = x (rho - z) - c y, z' = x y - beta z.

    Coordinates and the four parameters minimize the difference of the vector fields at the states, from either change
    of coordinates on. The structure is right if nothing is left and the equation has 7 terms in the coordinates of
    fewest terms.
    """
    states = found.states
    points = states[:: max(1, len(states) // POINTS)][:POINTS]
    velocity = found.library.evaluate(points) @ found.coefficients
    if not np.isfinite(velocity).all():
        return WRONG
    fits = [_fit(points, velocity, start) for start in (found.alignment.change, found.canonical)]
    residual, parameters = min(fits, key=lambda fit: fit[0])
    named = dict(zip(PARAMETERS, (float(value) for value in parameters), strict=True))
    return Structure(bool(residual < EXACT and found.terms == TERMS), residual, named)


def _fit(
    points: Float[np.ndarray, "sample 3"], velocity: Float[np.ndarray, "sample 3"], start: Affine
) -> tuple[float, Float[np.ndarray, "4"]]:
    sizes = np.array(list(PARAMETERS.values()))

    def unpacked(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # In steps relative to the start, all unknowns are of one size.
        matrix = (np.eye(3) + flat[:9].reshape(3, 3)) @ start.matrix
        return matrix, start.offset + 10.0 * flat[9:12], sizes * (1 + flat[12:])

    def difference(flat: np.ndarray) -> np.ndarray:
        matrix, offset, (sigma, c, rho, beta) = unpacked(flat)
        x, y, z = (points @ matrix.T + offset).T
        template = np.stack([sigma * (y - x), x * (rho - z) - c * y, x * y - beta * z], axis=1)
        moved = velocity @ matrix.T
        size = np.sqrt(np.mean(np.square(moved), axis=0)) + 1e-12
        gap: np.ndarray = ((moved - template) / size).ravel()
        return gap

    found = least_squares(difference, np.zeros(16), method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=2000)
    return float(np.sqrt(np.mean(np.square(found.fun)))), unpacked(found.x)[2]


def coefficients(library: Library, parameters: Mapping[str, float]) -> Float[np.ndarray, "term 3"]:
    """Return Lorenz's equations in a library of at least the second degree."""
    plant = Lorenz63()
    place = {monomial: i for i, monomial in enumerate(library.monomials)}
    numbers = np.zeros((library.size, 3))
    for equation, monomial, value in (
        (0, (0,), -plant.sigma),
        (0, (1,), plant.sigma),
        (1, (0,), plant.rho),
        (1, (1,), -1.0),
        (1, (0, 2), -1.0),
        (2, (2,), -plant.beta),
        (2, (0, 1), 1.0),
    ):
        numbers[place[monomial], equation] = value
    return numbers


LORENZ = Truth(
    what="Lorenz's equations up to an affine change of coordinates",
    equations=("x' = σ (y - x)", "y' = x (ρ - z) - c y", "z' = x y - β z"),
    order=1,
    coordinates=("x", "y", "z"),
    plane=(0, 2),
    parameters=PARAMETERS,
    structure=structure,
    holds=lambda library: library.degree >= 2,
    coefficients=coefficients,
    scale=SCALE,
    follow=True,
    published={
        "derivative": 1e-4,
        "latent": 0.0,
        "sparsity": 1e-5,
        "rate": 1e-3,
        "batch": 1024,
        "epochs": 5001,
        "every": 500,
        "refinement": 1001,
    },
    reported=(
        Reported("Champion et al. 2019, model 1", (2.7e-5, 4.7e-4, 6.7e-4), (1.3e-2, 1.1e-1, 7.9e-2), 7),
        Reported("Champion et al. 2019, model 2", (2e-6, 8.7e-5, 4.9e-4), None, 10),
    ),
)

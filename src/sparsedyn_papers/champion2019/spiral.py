"""The turn of a spiral wave behind its pictures: what its equations are, and when discovered ones are they."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from sparsedyn.models import Library
from sparsedyn_papers.champion2019.truth import WRONG, Discovered, Reported, Structure, Truth


def structure(found: Discovered) -> Structure:
    """Compare an equation of two variables with a rotation, z1' = -w z2, z2' = w z1, scales left free."""
    library, coefficients = found.library, found.coefficients
    if coefficients.shape[1] != 2 or library.variables != 2:
        return WRONG
    places = [library.monomials.index((1,)), library.monomials.index((0,))]
    numbers = [coefficients[place, equation] for equation, place in enumerate(places)]
    right = np.count_nonzero(coefficients) == 2 and numbers[0] * numbers[1] < 0
    return Structure(bool(right), np.nan, {"omega": float(np.sqrt(-numbers[0] * numbers[1]))} if right else {})


def coefficients(library: Library, parameters: Mapping[str, float]) -> Float[np.ndarray, "term 2"]:
    """Return a rotation of angular velocity `omega` in a library."""
    numbers = np.zeros((library.size, 2))
    numbers[library.monomials.index((1,)), 0] = -parameters["omega"]
    numbers[library.monomials.index((0,)), 1] = parameters["omega"]
    return numbers


def angular_velocity(turn: Float[np.ndarray, "time 2"], dt: float) -> dict[str, float]:
    """Return the mean angular velocity `omega` of a phase given by cosine and sine."""
    angle = np.unwrap(np.arctan2(turn[:, 1], turn[:, 0]))
    return {"omega": float(abs(np.polyfit(dt * np.arange(len(angle)), angle, 1)[0]))}


SPIRAL = Truth(
    what="the spiral's rotation",
    equations=("z1' = -ω z2", "z2' = ω z1"),
    order=1,
    coordinates=("cosine of the turn", "sine of the turn"),
    plane=(0, 1),
    structure=structure,
    holds=lambda library: library.degree >= 1,
    coefficients=coefficients,
    measured=angular_velocity,
    published={
        "derivative": 0.5,
        "latent": 0.01,
        "sparsity": 0.1,
        "rate": 1e-3,
        "batch": 1000,
        "epochs": 3001,
        "every": 500,
        "refinement": 1001,
    },
    reported=(Reported("Champion et al. 2019", (1.6e-2, 1.6e-2, 2.1e-3), None, 2),),
)

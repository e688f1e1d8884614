"""A pendulum behind its video: what its equation is, and when a discovered one is it."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from sparsedyn.models import Library
from sparsedyn_papers.champion2019.truth import WRONG, Discovered, Reported, Structure, Truth


def structure(found: Discovered) -> Structure:
    """Compare an equation with z'' = -k sin z.

    k sin z is stated in units of the angle, by the slope of the alignment, and by its size alone, since z may count
    from the upper rest.
    """
    library, numbers = found.library, found.coefficients
    if numbers.shape[1] != 1 or not library.functions:
        return WRONG
    place = _sine(library)
    right = np.count_nonzero(numbers) == 1 and numbers[place, 0] != 0
    slope = float(found.alignment.matrix[0, 0])
    return Structure(bool(right), np.nan, {"k": abs(float(numbers[place, 0] * slope))} if right else {})


def coefficients(library: Library, parameters: Mapping[str, float]) -> Float[np.ndarray, "term 1"]:
    """Return the equation of a pendulum of length 1 in a library with sines."""
    numbers = np.zeros((library.size, 1))
    numbers[_sine(library), 0] = -1.0
    return numbers


def _sine(library: Library) -> int:
    """Return the place of the sine of the first variable."""
    names = [(function.name, chosen) for function, chosen in library.applications]
    return len(library.monomials) + names.index(("sin", (0,)))


PENDULUM = Truth(
    what="the pendulum's equation",
    equations=("z'' = -k sin(z)",),
    order=2,
    coordinates=("angle",),
    parameters={"k": 1.0},
    structure=structure,
    holds=lambda library: bool(library.functions),
    coefficients=coefficients,
    published={
        "derivative": 5e-4,
        "latent": 5e-5,
        "sparsity": 1e-5,
        "rate": 1e-4,
        "batch": 1000,
        "epochs": 5001,
        "every": 500,
        "refinement": 1001,
    },
    reported=(Reported("Champion et al. 2019", (3.3e-4, 3.8e-4, 2.1e-2), None, 1),),
)

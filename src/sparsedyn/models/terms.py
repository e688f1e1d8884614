"""The contribution of a term to an equation."""

from typing import TypeVar

import numpy as np
from jaxtyping import Array, Float

Numbers = TypeVar("Numbers", Array, np.ndarray)


def contributions(
    coefficients: Float[Numbers, "term equation"],
    terms: Float[Numbers, " term"],
    derivatives: Float[Numbers, " equation"],
) -> Float[Numbers, "term equation"]:
    """Return `|coefficient| rms(term) / rms(derivative)`: the size of each term, in any units of the variables.

    `terms` and `derivatives` are root mean squares over the same samples.
    """
    return abs(coefficients) * terms[:, None] / derivatives

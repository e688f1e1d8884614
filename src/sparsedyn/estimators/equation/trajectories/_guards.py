"""What is known of terms without data: where they are no numbers, and where they vanish."""

import numpy as np
from jaxtyping import Float

from sparsedyn.training.shooting.products import (
    ABS,
    FREE_POWER,
    HILL,
    POWER,
    RATIO,
    SIN,
    SIN_OF_MULTIPLE,
    SQRT,
    TANH,
    Factor,
    Term,
)

AT_ZERO = (ABS, FREE_POWER, SIN, SIN_OF_MULTIPLE, SQRT, TANH)
"""Functions that vanish where their variable does."""


def vanishes(term: Term, variable: int) -> bool:
    """Whether a term is zero where a variable is."""
    return any(
        one.first == variable and one.power > 0 and (one.code in AT_ZERO or one.code == POWER) for one in term.factors
    )


def singular(term: Term, low: Float[np.ndarray, " variable"], high: Float[np.ndarray, " variable"]) -> bool:
    """Whether a term has a pole between these values of its variables."""
    place = 0
    for factor in term.factors:
        inside = term.inside[place : place + factor.constants]
        place += factor.constants
        if _singular(factor, inside, low, high):
            return True
    return False


def _singular(
    factor: Factor,
    inside: tuple[float, ...],
    low: Float[np.ndarray, " variable"],
    high: Float[np.ndarray, " variable"],
) -> bool:
    i, j = factor.first, factor.second
    if factor.code == FREE_POWER:
        return inside[0] < 0 and low[i] <= 0 <= high[i]
    if factor.code == HILL:
        ends = [low[i] ** j, high[i] ** j]
        least = 0.0 if low[i] <= 0 <= high[i] and j % 2 == 0 else min(ends)
        return bool((inside[0] + least) * (inside[0] + max(ends)) <= 0)
    if factor.code == RATIO:
        others = sorted((inside[1] * low[j], inside[1] * high[j]))
        return bool((inside[0] + low[i] + others[0]) * (inside[0] + high[i] + others[1]) <= 0)
    return False

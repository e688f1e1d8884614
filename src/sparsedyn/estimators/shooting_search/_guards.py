"""What is known of terms without data: where they are no numbers, and where they vanish."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sparsedyn.training.shooting.products import (
    ABS,
    COS,
    COS_DIFFERENCE,
    COS_OF_MULTIPLE,
    FREE_POWER,
    HILL,
    POWER,
    RATIO,
    SIN,
    SIN_DIFFERENCE,
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


SCALED_WAVES = (SIN_OF_MULTIPLE, COS_OF_MULTIPLE)
WAVES, OF_DIFFERENCES = (SIN, COS, *SCALED_WAVES), (SIN_DIFFERENCE, COS_DIFFERENCE)
BEYOND = 0.25
"""Share of its range that a variable may go beyond: a pole so near is there to fit an end of the record."""


def unwound(terms: Sequence[Term], spans: Float[np.ndarray, " variable"]) -> int:
    """How many waves an equation has in variables that go through more than a whole period, but are no angles in it.

    An equation in which a variable is an angle that turns is periodic in it. Waves beside other functions of the same
    variable fit noise.
    """
    waves: list[tuple[int, float]] = []
    others: set[int] = set()
    for term in terms:
        place = 0
        for factor in term.factors:
            rate = abs(term.inside[place]) if factor.code in SCALED_WAVES else 1.0
            place += factor.constants
            if factor.code in WAVES:
                waves.append((factor.first, rate))
            elif factor.code not in OF_DIFFERENCES:
                others.add(factor.first)
    return sum(1 for variable, rate in waves if variable in others and rate * spans[variable] > 2 * np.pi)


def singular(term: Term, low: Float[np.ndarray, " variable"], high: Float[np.ndarray, " variable"]) -> bool:
    """Whether a term has a pole between these values of its variables, or next to them; what has one sign keeps it."""
    around = _around(low, high)
    place = 0
    for factor in term.factors:
        inside = term.inside[place : place + factor.constants]
        place += factor.constants
        if _singular(factor, inside, *((low, high) if factor.code == FREE_POWER else around)):
            return True
    return False


def _around(
    low: Float[np.ndarray, " variable"], high: Float[np.ndarray, " variable"]
) -> tuple[Float[np.ndarray, " variable"], Float[np.ndarray, " variable"]]:
    beyond = BEYOND * (high - low)
    below, above = low - beyond, high + beyond
    return np.where(low < 0, below, np.maximum(below, 0)), np.where(high > 0, above, np.minimum(above, 0))


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

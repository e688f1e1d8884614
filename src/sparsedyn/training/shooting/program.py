"""What compiled code is told of right-hand sides: numbers that say which terms there are."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

MONOMIAL, SIN, COS, EXP, SIGMOID, TANH, LOG, SQRT = range(8)
CODES = {"sin": SIN, "cos": COS, "exp": EXP, "sigmoid": SIGMOID, "tanh": TANH, "log": LOG, "sqrt": SQRT}
"""Functions of one variable that are compiled, by the names of primitives."""


class Program(NamedTuple):
    """Right-hand sides as numbers, which `compiled` integrates: sums of monomials and of functions of one variable."""

    codes: Int[np.ndarray, " term"]
    factors: Int[np.ndarray, "term factor"]
    """The variables that a term multiplies, or its argument; -1 from the last on."""
    terms: Int[np.ndarray, " parameter"]
    equations: Int[np.ndarray, " parameter"]
    units: Float[np.ndarray, " parameter"]
    first: int
    """How many states are rates of others, which have no equations: those of a second order."""

"""What a search of SINDy autoencoders minimizes: held-out errors and terms, without the truth and test data."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

TERM = math.log(1.1)
"""A term has to make errors a tenth smaller."""
UNBOUNDED = math.log(100.0)
"""A price rather than a ban: at first nothing may be bounded, and a search must see what is nearer to it."""


def error_of(table: pd.DataFrame) -> float:
    """Return the least logarithm, over members, of the held-out errors of measurements and of their derivatives.

    It is what trials are compared by at a rung; infinite where no member has a finite error.
    """
    return _least(_errors(table))


def objective_of(members: Sequence[Mapping[str, Any]]) -> float:
    """Return the objective of a finished trial from the facts of its members: the least is best.

    That of a member is ln(decoder + derivative) + terms ln 1.1, of held-out errors: a term is worth having that makes
    them a tenth smaller. Where simulations leave the region of the data, errors count a hundredfold. Members that died
    do not count; it is infinite where none is left.
    """
    table = pd.DataFrame([member["errors"]["held_out"] for member in members], dtype=np.float64)
    alive, bounded = (np.array([bool(member[name]) for member in members]) for name in ("alive", "bounded"))
    terms = np.array([member["terms"] for member in members])
    value = _errors(table) + TERM * terms + np.where(bounded, 0.0, UNBOUNDED)
    return _least(np.where(alive, value, np.inf))


def _errors(table: pd.DataFrame) -> Float[np.ndarray, " member"]:
    with np.errstate(divide="ignore"):
        return np.log(table["decoder"].to_numpy(np.float64) + table["derivative"].to_numpy(np.float64))


def _least(values: Float[np.ndarray, " member"]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else math.inf

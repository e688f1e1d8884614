"""A score of an equation's error and length, of which the least is best (as BIC)."""

from typing import Any

import numpy as np
from jaxtyping import Float

FLOOR = 1e-13
"""Relative squared error below which differences are rounding."""


def bic(error: Any, size: Any, samples: int, floor: float = FLOOR) -> Float[np.ndarray, "..."] | np.float64:
    """Return `n ln(error + floor) + size ln n` for `n` samples: Schwarz's criterion, up to a constant.

    `error` are relative squared errors, `size` counts weights, terms or nodes.
    """
    return penalized(error, size, price=np.log(samples), samples=samples, floor=floor)


def penalized(
    error: Any, size: Any, *, price: float, samples: int = 1, floor: float = 0.0
) -> Float[np.ndarray, "..."] | np.float64:
    """Return `samples ln(error + floor) + size price`: with one sample, a term pays that divides errors by `e^price`.

    An error of zero has the score of minus infinity.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return samples * np.log(np.asarray(error) + floor) + np.asarray(size) * price

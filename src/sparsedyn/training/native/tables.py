"""What techniques and optimizers do to the rows of `models.native.layout`, as tables of numbers that `step` reads."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

OPTIMIZERS = {"adam": 0, "adamw": 1, "sgd": 2, "momentum": 3}
ADAM, ADAMW, SGD, MOMENTUM = OPTIMIZERS.values()
MOMENTS = {"adam": 2, "adamw": 2, "sgd": 0, "momentum": 1}
L1, L2, MASK, SOFT_THRESHOLD, FREEZE = range(5)


class Operations(NamedTuple):
    """What techniques do, one after the other, and the stages of weights that they read and write.

    `applies` has begin, end and whether it applies, for every matrix; `auxiliary` the place of a matrix's threshold.
    """

    codes: Int64[np.ndarray, " operation"]
    reads: Int64[np.ndarray, " operation"]
    writes: Int64[np.ndarray, " operation"]
    applies: Int64[np.ndarray, "operation matrix 3"]
    auxiliary: Int64[np.ndarray, "operation matrix"]


class Amounts(NamedTuple):
    """The numbers of these operations, which differ between members and change at revisions."""

    amounts: Float32[np.ndarray, "operation member"]
    factors: Float32[np.ndarray, "operation step"]
    masks: Bool[np.ndarray, "operation member size"]
    frozen: Bool[np.ndarray, "operation member"]

"""What the trials of a cell end with, whatever recipe they follow."""

from typing import NamedTuple

import numpy as np
import sympy


class Trial(NamedTuple):
    """The equation of one trial, None where training ended without finite weights.

    `train` and `held_out` are root mean square errors as shares of the target's standard deviation; of the trials of a
    cell that of least `score` is chosen. `networks` is how many were trained for it.
    """

    expression: sympy.Expr | None
    weights: int
    train: float
    held_out: float
    score: float
    networks: int = 1


FAILED = Trial(None, 0, np.inf, np.inf, np.inf)


class Trials(NamedTuple):
    """All trials of a cell; for each that failed the one that a restart gives; and the front.

    `front` holds the best equation for every number of weights, the fewest first; `single` is the share of networks
    that were exact by themselves, NaN where it is not known.
    """

    trials: list[Trial]
    restarted: dict[int, Trial]
    front: list[Trial]
    single: float

    def choice(self) -> int:
        """Return the trial of least score, -1 where all failed."""
        scores = [trial.score for trial in self.trials]
        return int(np.argmin(scores)) if np.isfinite(min(scores)) else -1

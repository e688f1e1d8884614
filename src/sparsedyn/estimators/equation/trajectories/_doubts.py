"""What is doubtful about equations of trajectories: more constants than data carry, and constants that may be zero."""

from collections.abc import Sequence

from scipy import stats

from sparsedyn._warnings import Finding
from sparsedyn.estimators.equation.trajectories._outcome import Constant

EACH = 4
"""Measured values that a constant takes, where there is noise."""
LEVEL = 0.95
MANY = 3
"""Constants that a warning names."""


def doubts(constants: Sequence[Constant], values: int, *, noisy: bool) -> list[Finding]:
    """Return findings on constants that were fitted to so many measured values of all states."""
    found = []
    if noisy and values < EACH * len(constants):
        found.append(
            Finding(
                "few-values",
                f"fit: {len(constants)} constants were fitted to {values} measured values: the equations may describe "
                "noise. Take more rows or trajectories, give the form that you expect (candidates), and look at "
                "alternatives().",
            )
        )
    may_vanish = [one for one in constants if abs(one.value) < stats.t.ppf((1 + LEVEL) / 2, one.freedom) * one.error]
    if may_vanish:
        named = ", ".join(f"{one.value:.3g} in the equation of {one.state}" for one in may_vanish[:MANY])
        more = f", and {len(may_vanish) - MANY} more" if len(may_vanish) > MANY else ""
        found.append(
            Finding(
                "open-constants",
                f"fit: the data leave open whether constants are zero: {named}{more}. What they stand for may not be "
                "there; look at constants() and alternatives(), and at next_experiments() for data that decide.",
            )
        )
    return found

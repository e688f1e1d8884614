"""What is to be known about a fit: checks that end it."""

import numpy as np

from sparsedyn._warnings import Finding, Report
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators.state_space._search import Found

USELESS = 0.95
"""Share of an output's standard deviation that a model leaves unexplained which is no better than the mean."""


def report_of(found: Found, variables: Variables) -> Report:
    """Return the findings of all checks."""
    return Report((*_poor(found), *_idle_inputs(found, variables)))


def _poor(found: Found) -> list[Finding]:
    if found.chosen.judged < USELESS:
        return []
    return [
        Finding(
            "no-better-than-mean",
            f"The free run of rows that were left out is {found.chosen.judged:.2f} standard deviations off: no better "
            "than the mean of the outputs. The inputs given do not explain the outputs, or the record is too short.",
        )
    ]


def _idle_inputs(found: Found, variables: Variables) -> list[Finding]:
    model = found.model
    acting = np.any(np.concatenate([model.B, model.H, model.D]) != 0, axis=0)
    idle = [name for name, acts in zip(variables.input_names, acting, strict=True) if not acts]
    if not idle:
        return []
    return [
        Finding(
            "input-without-effect",
            f"No dependence on {', '.join(idle)} was found: rows that were left out are forecast as well without. "
            "Leave it out, or give a record in which it moves.",
        )
    ]

"""What is to be known about a fit: checks that end it."""

import numpy as np

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import Trajectories
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators._feedback import turned_round
from sparsedyn.estimators._sensors import sensors
from sparsedyn.estimators.state_space._limits import clipped
from sparsedyn.estimators.state_space._search import Found

UNEVEN = 3.0
"""How many times worse than usual the worst block is, where the record shows some situations only once."""
APART = 3.0
"""How many times the held-out error equally good models may be apart."""
SLIGHT = 0.01
"""Standard deviations of the outputs below which an error is no matter."""
USELESS = 0.95
"""Share of an output's standard deviation that a model leaves unexplained which is no better than the mean."""


def report_of(found: Found, variables: Variables, data: Trajectories) -> Report:
    """Return the findings of all checks."""
    return Report(
        (
            *sensors(data, ends=False),
            *clipped(data),
            *([loop] if (loop := turned_round(data)) else []),
            *_poor(found, variables),
            *_idle_inputs(found, variables),
            *_undetermined(found, variables),
        )
    )


def _poor(found: Found, variables: Variables) -> list[Finding]:
    if found.chosen.judged < USELESS:
        return []
    why = "The inputs given do not explain the outputs, or the record is too short."
    if not variables.input_names:
        why = (
            "What the outputs did before does not foretell them: give the inputs that drive the plant, a longer "
            "record, or more states (states=)."
        )
    return [
        Finding(
            "no-better-than-mean",
            f"The free run of rows that were left out is {found.chosen.judged:.2f} standard deviations off: no better "
            f"than the mean of the outputs. {why}",
        )
    ]


def _undetermined(found: Found, variables: Variables) -> list[Finding]:
    blocks = np.sqrt(found.chosen.held_out)
    worst, usual = float(blocks.max()), float(np.median(blocks))
    judged = found.chosen.judged
    said = []
    if worst > max(UNEVEN * usual, SLIGHT):
        said.append(f"one block of rows that were left out is {worst:.2g} standard deviations off, others {usual:.2g}")
    if found.disagreement > max(APART * judged, SLIGHT):
        said.append(
            f"models that are as good on the record are {found.disagreement:.2g} standard deviations apart under the "
            f"same inputs in another order (held-out error {judged:.2g})"
        )
    if not said or judged >= USELESS:
        return []
    more = ", with more and other changes of the inputs" if variables.input_names else ", or several"
    return [
        Finding(
            "undetermined",
            f"The record does not determine the model: {'; '.join(said)}. Do not rely on forecasts of situations that "
            f"the record shows once or not at all; give a longer record{more}.",
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

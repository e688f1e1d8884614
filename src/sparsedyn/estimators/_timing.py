"""Whether inputs stand in the rows in which they act: dead times, and inputs that were logged a row late."""

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Trajectories
from sparsedyn.estimators._dead_times import Problem
from sparsedyn.estimators._delays import Delays
from sparsedyn.estimators._feedback import followed

LONGEST, SHORTEST = 10, 40
"""Rows of a dead time that are tried, at most; rows of the data, at least."""
MOST_ROWS = 2_000
LESS = 0.5
"""Share of the error of the next row that is left with the input of another row, at most."""
STANDARD_ERRORS = 2.0
EXACT = 1e-8
"""Squared errors, as shares of the variance of a row's change, with which there is nothing to mend."""
LEADS = 0.5
"""Share of an input's variance that states of its row explain, from which on it may answer to them."""


def misplaced(data: Trajectories, *, mapped: bool) -> list[Finding]:
    """Return a finding for every input of another row that foretells the next states far better than that of the row.

    By least squares over blocks of rows left out in turn (see `_dead_times`), on at most so many rows. A later row's
    input may also be the answer of a controller to the states: where it nearly follows from these, nothing is said.
    """
    longest = min(LONGEST, min(data.lengths) // 5)
    if not (data.input_names and data.regular and longest and min(data.lengths) >= SHORTEST):
        return []
    problem = Problem(data, longest, MOST_ROWS)
    none = (0,) * len(data.input_names)
    own = problem.error(Delays(0, none))
    if own.mean() <= EXACT:
        return []
    answers = followed(data, LEADS)
    found = []
    for i, name in enumerate(data.input_names):
        tried = [-1, *range(1, longest + 1)] if not answers[i] else range(1, longest + 1)
        errors = {late: problem.error(Delays(0, (*none[:i], late, *none[i + 1 :]))) for late in tried}
        late = min(errors, key=lambda rows: float(errors[rows].mean()))
        if _better(errors[late], own):
            found.append(_finding(name, late, float(errors[late].mean() / own.mean()), mapped=mapped))
    return found


def _better(error: Float[np.ndarray, " fold"], own: Float[np.ndarray, " fold"]) -> bool:
    """Whether errors over blocks are far less, by more than chance."""
    gain = own - error
    spread = float(np.std(gain, ddof=1) / np.sqrt(len(gain)))
    return bool(error.mean() <= LESS * own.mean() and gain.mean() > STANDARD_ERRORS * spread)


def _finding(name: str, late: int, share: float, *, mapped: bool) -> Finding:
    if late < 0:
        said = f"{name} of the next row foretells the states far better than that of the row itself"
        fix = (
            f"It seems to be logged a row late: give every row the {name} that acts from it on, as frame[{name!r}] = "
            f"frame[{name!r}].shift(-1), without the last row."
        )
    else:
        before = "the row" if late == 1 else f"{late} rows"
        said = f"{name} of {before} before foretells the states far better than that of the row itself"
        fix = f"It seems to act late: shift it, as frame[{name!r}] = frame[{name!r}].shift({late}), without the rows "
        lags = "lags='auto' (--lags auto)" if mapped else "time='discrete', lags='auto' (--discrete --lags auto)"
        fix += f"that have none then, or take {lags}."
    return Finding("input-in-another-row", f"fit: {said} (squared error {share:.2g} times). {fix}")

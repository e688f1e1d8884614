"""Checks that a fit ends with, of any family: each says what was found and what to do, or nothing."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import Trajectories
from sparsedyn.estimators._feedback import feedback
from sparsedyn.estimators._sensors import has_outliers, sensors
from sparsedyn.estimators._timing import misplaced

EXPLAINED = 0.5
"""Share of a state's variance that simulations explain, below which a model is called poor."""
DEPENDENT = 1e-3
"""Least singular value of standardized variables, as a share of the largest, below which some nearly depend."""
CIRCULAR, DEGREES = ("sin", "cos", "tan"), ("°", "deg", "degree", "degrees")
"""Functions of angles in radians; units that are none."""
QUICK = 1.3
"""Root mean square of the change from row to row, in standard deviations: a sine has it at 4.4 rows a period."""
LEAVING = 0.01
"""Share of simulations that may leave the region of the data."""
RELATED, DEVIATIONS = 0.4, 4.0
"""Correlation of residuals of rows beside each other that no noise of sensors has, and in standard deviations."""
NOISY = 0.2
"""Noise in shares of a state's standard deviation beyond which coefficients are not to be relied on."""

MOST_ROWS, STRETCH = 200_000, 1_000
"""Rows of data that are looked at, and of a trajectory at least, where there are so many."""


def report_of(findings: Iterable[Finding | None]) -> Report:
    """Return what checks found."""
    return Report(finding for finding in findings if finding is not None)


def of_data(data: Trajectories, *, mapped: bool, delayed: bool) -> list[Finding | None]:
    """Return what is to be said of data, whatever a model makes of them. See `of_inputs` for the arguments."""
    data = excerpt(data)
    names = [*data.state_names, *data.input_names]
    columns = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    return [*sensors(data), dependent(names, columns), *of_inputs(data, mapped=mapped, delayed=delayed)]


def too_coarse(data: Trajectories, said: Sequence[Finding | None]) -> Finding | None:
    """Say that there are too few rows, unless it is outliers, of which `said` speaks, that change from row to row."""
    return None if has_outliers(said) else coarse(data.state_names, excerpt(data).states)


def excerpt(data: Trajectories) -> Trajectories:
    """Return the first rows of trajectories spread over the data, `MOST_ROWS` in all at most."""
    if sum(data.lengths) <= MOST_ROWS:
        return data
    rows = max(STRETCH, MOST_ROWS // len(data))
    chosen = np.unique(np.linspace(0, len(data) - 1, max(1, MOST_ROWS // rows)).astype(int))
    return data[chosen].head(rows)


def of_inputs(data: Trajectories, *, mapped: bool, delayed: bool) -> list[Finding | None]:
    """Return what is to be said of inputs that follow from states, or stand in another row than that in which they act.

    `mapped` models go from row to row, and `delayed` ones know of earlier rows.
    """
    return [feedback(data), *([] if delayed else misplaced(data, mapped=mapped))]


def died(alive: Bool[np.ndarray, " member"]) -> Finding | None:
    """Say how many members diverged in training."""
    if alive.all():
        return None
    return Finding(
        "members-died",
        f"fit: {int((~alive).sum())} of {len(alive)} members diverged in training: what they forecast is not finite, "
        "and counts as diverged. Look for rows that stand out, or lower the learning rate.",
    )


def poor(names: Sequence[str], explained: Float[np.ndarray, " state"], rows: int, source: str) -> Finding | None:
    """Say which states simulations from `source` explain poorly over so many rows."""
    bad = [f"{name} ({_percent(share)})" for name, share in zip(names, explained, strict=True) if share < EXPLAINED]
    if not bad:
        return None
    return Finding(
        "poorly-explained",
        f"fit: simulated over {rows} rows from {source}, the model explains little of the variance of "
        f"{', '.join(bad)}. Give inputs and states that are missing, more data, or a richer model (of equations: "
        "degree, functions), or train networks longer (epochs).",
    )


def _percent(share: float) -> str:
    """A share of variance; how much worse than a constant a simulation is says nothing."""
    return f"{share:.0%}" if share > -1 else "none: worse than a constant"


def diverging(leaving: Bool[np.ndarray, " run"], rows: int, source: str) -> Finding | None:
    """Say that simulations from `source` leave their region."""
    if leaving.mean() <= LEAVING:
        return None
    return Finding(
        "leaves-the-data",
        f"fit: {int(leaving.sum())} of {len(leaving)} simulations from {source} leave the region of the data "
        f"within {rows} rows. Use fewer terms or weights, or data from a wider region; forecast with care.",
    )


def dependent(names: Sequence[str], columns: Float[np.ndarray, "row variable"]) -> Finding | None:
    """Say which variables are nearly linear combinations of others, by the condition of the standardized columns."""
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    _, sizes, directions = np.linalg.svd(np.linalg.qr(scaled, mode="r"), full_matrices=False)
    if len(sizes) < 2 or sizes[-1] >= DEPENDENT * sizes[0]:
        return None
    shares = np.abs(directions[-1])
    involved = [name for name, share in zip(names, shares, strict=True) if share > 0.1 * shares.max()]
    return Finding(
        "nearly-dependent",
        f"fit: on these data {', '.join(involved)} are nearly linear combinations of each other (condition "
        f"{sizes[0] / sizes[-1] if sizes[-1] else np.inf:.1g}): their coefficients are not determined one by one. "
        "Leave one out, or give data that vary in more ways.",
    )


def in_degrees(data: Trajectories, functions: Sequence[str]) -> Finding | None:
    """Say which variables are in degrees, where functions of a library take radians."""
    units = zip([*data.state_names, *data.input_names], [*data.state_units, *data.input_units], strict=True)
    bad = [name for name, unit in units if unit.strip() in DEGREES]
    taken = [name for name in functions if name in CIRCULAR]
    if not (bad and taken):
        return None
    return Finding(
        "degrees",
        f"fit: in {', '.join(taken)}, {', '.join(bad)} would be taken for radians, but the unit is that of degrees. "
        "Give radians, as numpy.deg2rad makes them.",
    )


def coarse(names: Sequence[str], states: Sequence[Float[np.ndarray, "_row state"]]) -> Finding | None:
    """Say which states change too much from row to row to tell what happens between."""
    spread = np.concatenate(states).std(axis=0)
    changes = np.sqrt(np.mean(np.square(np.concatenate([np.diff(x, axis=0) for x in states])), axis=0))
    quick = changes / np.where(spread > 0, spread, np.inf)
    if not (quick > QUICK).any():
        return None
    bad = [f"{name} ({share:.2g})" for name, share in zip(names, quick, strict=True) if share > QUICK]
    return Finding(
        "too-few-rows",
        f"fit: from row to row, {', '.join(bad)} change by about their standard deviation or more: there are too few "
        "rows per time constant, or most of it is noise. Sample more often; for maps, SINDy has time='discrete'.",
    )


def quick(names: Sequence[str], jumps: Bool[np.ndarray, " state"]) -> Finding | None:
    """Say which states change so much within single rows that nothing is known of what happens between."""
    bad = [name for name, here in zip(names, jumps, strict=True) if here]
    if not bad:
        return None
    return Finding(
        "too-few-rows",
        f"fit: {', '.join(bad)} change within single rows by much more than elsewhere: too few rows for "
        "these stretches, which look like noise. Sample more often.",
    )


def across(derivative: str, fix: str) -> Finding:
    """Say that a derivative that was asked for by name is wrong where inputs jump."""
    return Finding(
        "derivative-across-jumps",
        f"fit: held inputs are new at so many rows that derivative={derivative!r} is taken across their jumps, where "
        f"it is wrong: coefficients of inputs come out too small. {fix}",
    )


def related_least(rows: int, least: float = RELATED) -> float:
    """Return the correlation of residuals of rows beside each other beyond which they are related, of so many rows."""
    return max(least, DEVIATIONS / float(rows) ** 0.5)


def drifts(names: Sequence[str], related: Float[np.ndarray, " state"], rows: int, done: str) -> Finding | None:
    """Say of which states equations leave what is no noise, and what was `done` or is to be done."""
    found = [name for name, one in zip(names, related, strict=True) if one > related_least(rows)]
    if not found:
        return None
    return Finding(
        "related-residuals",
        f"fit: what equations leave of {', '.join(found)} is no noise of sensors: rows beside each other are off alike "
        f"(correlation {np.max(related):.2f}). {done}",
    )


def noisy(names: Sequence[str], shares: Float[np.ndarray, " state"], most: float, fix: str) -> Finding | None:
    """Say which states have more noise, in shares of their standard deviations, than the method tolerates."""
    bad = [f"{name} ({share:.1%})" for name, share in zip(names, shares, strict=True) if share > most]
    if not bad:
        return None
    return Finding(
        "noise",
        f"fit: the estimated noise of {', '.join(bad)} is above {most:.1%} of the standard deviation, more than this "
        f"fit tolerates. {fix}",
    )

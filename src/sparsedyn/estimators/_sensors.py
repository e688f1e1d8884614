"""What the sensors of states did wrong: stuck, at the end of their range, or far off in single rows."""

import shlex
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Trajectories
from sparsedyn.data.clipping import Clipped, clipping
from sparsedyn.data.sensors import Outlier, code_of, outliers, rolled_over, stuck

FAR = 6.0
"""Standard deviations by which an outlier is off at least."""
NAMED = 3
"""Rows, or stretches of rows, that are named; the others are counted."""
CUT = "Leave these rows out, giving the rows before and after as trajectories of their own"


def sensors(data: Trajectories, *, ends: bool = True) -> list[Finding]:
    """Return findings for states whose sensors were stuck, clipped (with `ends`) or have outliers."""
    columns = [(name, [x[:, j] for x in data.states]) for j, name in enumerate(data.state_names)]
    limits = [clipping(runs) for _, runs in columns]
    found = [_coded(*column) or _outliers(*column) for column in columns] + [_round(*column) for column in columns]
    found += [_stuck(*column, ends_of) for column, ends_of in zip(columns, limits, strict=True)]
    if ends:
        found += [_clipped(*column, ends_of) for column, ends_of in zip(columns, limits, strict=True)]
    return [one for one in found if one is not None]


def has_outliers(findings: Iterable[Finding | None]) -> bool:
    """Whether rows stand out, which then look like noise, or like too few rows, to other checks."""
    return any(one is not None and one.check in ("outliers", "missing-code") for one in findings)


def _outliers(name: str, runs: Sequence[Float[np.ndarray, " _row"]]) -> Finding | None:
    found = [one for one in outliers(runs, again=True) if one.far >= FAR]
    if not found:
        return None
    several = len(runs) > 1
    said = [f"{_row(one, several)} of {name!r} is {one.value:.6g}" for one in found[:NAMED]]
    more = f" and {len(found) - NAMED} more rows" if len(found) > NAMED else ""
    far = min(one.far for one in found)
    return Finding(
        "outliers",
        f"fit: {', '.join(said)}{more}, {far:.2g} times the spread away from {'its' if len(found) == 1 else 'their'} "
        f"neighbours. Remove {'it' if len(found) == 1 else 'them'}, or, for a value that stands for a missing one, "
        f"read the file with missing='{found[0].value:.6g}', gaps='cut' (--missing {found[0].value:.6g} --gaps cut).",
    )


def _coded(name: str, runs: Sequence[Float[np.ndarray, " _row"]]) -> Finding | None:
    found = code_of(runs)
    if found is None or found.times <= len(outliers(runs, again=True)):
        return None
    text = f"{found.value:.10g}"
    return Finding(
        "missing-code",
        f"fit: {name!r} is {text} in {found.times} rows, far from all others, as a code for missing values. Read the "
        f"file with missing='{text}', gaps='cut' (--missing {text} --gaps cut).",
    )


def _round(name: str, runs: Sequence[Float[np.ndarray, " _row"]]) -> Finding | None:
    found = rolled_over(runs)
    if found is None:
        return None
    where = f"row {found.row}" + (f" of trajectory {found.run}" if len(runs) > 1 else "")
    text = f"{name}={found.period:.10g}"
    return Finding(
        "goes-round",
        f"fit: {name!r} jumps by about {found.period:.6g} in {found.times} rows, the first is {where}, as counters "
        f"that overflow and angles do: models take that for jumps of the plant. Read it with unwrap='{text}' "
        f"(--unwrap {shlex.quote(text)}), or give its sine and cosine instead.",
    )


def _row(one: Outlier, several: bool) -> str:
    return f"row {one.row}" + (f" of trajectory {one.run}" if several else "")


def _stuck(name: str, runs: Sequence[Float[np.ndarray, " _row"]], limits: Clipped) -> Finding | None:
    found = [one for one in stuck(runs) if one.value not in (limits.floor, limits.ceiling)]
    if not found:
        return None
    said = [
        f"{one.value:.6g} in rows {one.first} to {one.last}" + (f" of trajectory {one.run}" if len(runs) > 1 else "")
        for one in found[:NAMED]
    ]
    more = f" and in {len(found) - NAMED} more stretches" if len(found) > NAMED else ""
    return Finding(
        "stuck-sensor",
        f"fit: {name!r} is exactly {', '.join(said)}{more}, though it was moving before, as a sensor that is stuck "
        f"is. {CUT}.",
    )


def _clipped(name: str, runs: Sequence[Float[np.ndarray, " _row"]], found: Clipped) -> Finding | None:
    ends = [
        (what, value, count)
        for what, value, count in (("least", found.floor, found.below), ("greatest", found.ceiling, found.above))
        if count
    ]
    if not ends:
        return None
    said = [
        f"exactly {value:.6g}, its {what} value, in {count} rows ({_where(runs, value)})" for what, value, count in ends
    ]
    return Finding(
        "clipped",
        f"fit: {name!r} is {' and '.join(said)}, as a sensor at the end of its range is: equations take that for "
        f"rest. {CUT}, or take SparseStateSpace, which cuts its outputs off there.",
    )


def _where(runs: Sequence[Float[np.ndarray, " _row"]], value: float) -> str:
    run = next(i for i, one in enumerate(runs) if (one == value).any())
    row = f"row {int(np.flatnonzero(runs[run] == value)[0])}"
    return f"the first is {row}" + (f" of trajectory {run}" if len(runs) > 1 else "")

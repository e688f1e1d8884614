"""Whether data are of the variables that an estimator was fitted to: names, units, sample time, magnitudes."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.data.budget import beyond
from sparsedyn.data.clock import sampling_time
from sparsedyn.data.names import check_distinct, unit_texts, variable_names
from sparsedyn.data.streaming.mapping import folder_of

VERY_FAR = 50.0
OTHER_TIME = 10.0
"""Factor between sample times from which on one of them is doubtful."""
UNIT_CHANGES = ((10.0, 5.0), (3.0, 100.0))
"""A median this many training standard deviations off and this factor from the training mean (or very far off) speaks
for another unit. The plain distance must be generous: a single slow trajectory has small standard deviations."""


class Variables(NamedTuple):
    """What a fitted estimator remembers of its data.

    Ranges are the least and the largest value of every column; none in files of before they were kept.
    """

    state_names: tuple[str, ...]
    input_names: tuple[str, ...]
    state_units: tuple[str, ...]
    input_units: tuple[str, ...]
    dt: float
    state_ranges: tuple[tuple[float, float], ...] = ()
    input_ranges: tuple[tuple[float, float], ...] = ()

    @classmethod
    def restored(cls, fields: Mapping[str, Any]) -> "Variables":
        """Return the variables whose `_asdict` a file has as JSON; `ValueError` where they do not go together."""
        count = {role: len(fields[f"{role}_names"]) for role in ("state", "input")}
        found: dict[str, Any] = {"dt": sampling_time(fields["dt"])}
        for role, n in count.items():
            found[f"{role}_names"] = variable_names(fields[f"{role}_names"], n, "", f"{role}_names")
            found[f"{role}_units"] = unit_texts(fields[f"{role}_units"], n, role)
            ranges = np.asarray(fields.get(f"{role}_ranges") or np.empty((0, 2)), float)
            if ranges.shape not in ((0, 2), (n, 2)):
                raise ValueError(f"{role}_ranges: expected two numbers for each of {n} columns; got {ranges.shape}")
            found[f"{role}_ranges"] = tuple(map(tuple, ranges.tolist()))
        check_distinct((*found["state_names"], *found["input_names"]), "state_names and input_names together")
        return cls(**found)


def variables_of(data: Trajectories) -> Variables:
    """Return the names, units, sample time and ranges of `data`."""
    names = data.state_names, data.input_names, data.state_units, data.input_units
    return Variables(*names, data.dt, *(_ranges(part) for part in (data.states, data.inputs)))


def _ranges(arrays: Sequence[np.ndarray]) -> tuple[tuple[float, float], ...]:
    low, high = np.min([one.min(axis=0) for one in arrays], axis=0), np.max([one.max(axis=0) for one in arrays], axis=0)
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def check_regular(data: Trajectories, place: str) -> None:
    """Raise `DataError` for trajectories at irregular times, which this use has no place for."""
    if not data.regular:
        steps = np.concatenate([np.diff(time) for time in data.time])
        raise DataError(
            f"{place}: expected regular times; got steps from {steps.min():.4g} to {steps.max():.4g} s. Resample "
            f"them, when they are read with resample={np.median(steps):.4g} (--resample {np.median(steps):.4g}), or "
            f"else as data.resample({np.median(steps):.4g}); SINDy takes times as they are."
        )


def check_fits(data: Trajectories, place: str, fix: str) -> None:
    """Raise `DataError` for data in files that are to be taken into memory, where they are beyond the budget."""
    arrays = (*data.states, *data.inputs)
    if folder_of(arrays) is not None and (too_much := beyond(float(sum(array.nbytes for array in arrays)))):
        raise DataError(f"{place}: expected data that fit into memory; these are in files, {too_much} {fix}")


def check_alike(expected: Variables, got: Trajectories, place: str) -> None:
    """Raise `DataError` unless `got` has the variables, units and sample time of `expected`."""
    for what in ("state_names", "input_names", "state_units", "input_units"):
        want, have = getattr(expected, what), getattr(got, what)
        # Unknown units ("") say nothing against known ones.
        same = all(w == h or (what.endswith("units") and not (w and h)) for w, h in zip(want, have, strict=False))
        if len(want) != len(have) or not same:
            raise DataError(
                f"{place}: expected {what} {list(want)}; got {list(have)}. Give the same variables in "
                "the same order and units."
            )
    if not np.isclose(expected.dt, got.dt, rtol=1e-3):
        raise DataError(
            f"{place}: expected the sample time of training, {expected.dt:g}; got {got.dt:g}. Resample the data."
        )


def warn_of_sample_time(expected: Variables, got: Trajectories) -> None:
    """Warn where rows are so much closer or further apart than in training that the times must be in another unit."""
    ratio = got.dt / expected.dt
    if not 1 / OTHER_TIME < ratio < OTHER_TIME:
        warnings.warn(
            f"data: the sample time is {got.dt:.4g} s, {expected.dt:.4g} s in training: {max(ratio, 1 / ratio):.3g} "
            f"times {'more' if ratio > 1 else 'less'}. If times are in another unit, give them in seconds; "
            "else nothing says that the equations hold so far from the rows that they were fitted to.",
            SparsedynWarning,
            stacklevel=4,
        )


def check_plausible(scaling: Scaling, data: Trajectories) -> None:
    """Raise `DataError` where a column's median is so far from training that its unit must be another."""
    parts = (
        (data.states, data.state_names, data.state_units, scaling.x_mean, scaling.x_std),
        (data.inputs, data.input_names, data.input_units, scaling.u_mean, scaling.u_std),
    )
    for arrays, names, units, means, stds in parts:
        pooled = np.concatenate(arrays)
        columns = zip(names, units, np.median(pooled, axis=0), pooled.std(axis=0), means, stds, strict=True)
        for name, unit, median, spread, mean, std in columns:
            distance = abs(median - mean) / std
            near, far = sorted((abs(median), abs(mean)))
            # A change of unit cannot make a zero: an input that is off is no sign of one.
            changed = near > 0 and any(distance > least and far > factor * near for least, factor in UNIT_CHANGES)
            if changed or distance > VERY_FAR or spread > VERY_FAR * std:
                typical = f"{mean:.4g} +- {std:.2g} {unit}".strip()
                raise DataError(
                    f"column {name!r}: expected values like those of training ({typical}); got a "
                    f"median of {median:.4g} and a spread of {spread:.2g}. Is it in another unit? Convert it; if it is "
                    "right, say so with check_units=False (--any-units)."
                )

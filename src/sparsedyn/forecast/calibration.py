"""Bands around forecasts, calibrated on trajectories that the model was not fitted to, and how far rows are from
training.

Hierarchical conformal prediction: a new trajectory exchangeable with the calibration trajectories has a random row of a
group of neighbouring rows inside the band with at least the stated probability. Source: Lee, Barber & Willett,
Distribution-free inference with hierarchical data, 2023.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.forecast.metrics import pad

GROUPS = 24
"""Groups of neighbouring rows, at most, that share a width. They are longer the further ahead they are."""
TRUSTED = 0.99
"""Share of calibration rows whose distance to the training data counts as near."""
INNER = 0.16
"""The spread of members is half of the distance between this quantile and its counterpart: robust to a few members."""
TINY = 1e-12
"""In standard deviations; keeps widths of perfect forecasts above zero."""


class Middle(NamedTuple):
    """The median over members that are finite, and their spread."""

    value: Float[np.ndarray, "trajectory time state"]
    spread: Float[np.ndarray, "trajectory time state"]


@dataclass(frozen=True)
class Calibration:
    """What a band is made from: `value ± factor sqrt(spread² + residual²)` of the median over members.

    `edges` are the first rows of the groups and the end of the last one; `residual` and `factor` have a row per group.
    `center` and `scale` are those of the training data, states then inputs; a row further than `far` from it, in the
    largest of its columns, is not trusted.
    """

    coverage: float
    trajectories: int
    edges: Int[np.ndarray, " edge"]
    residual: Float[np.ndarray, "group state"]
    factor: Float[np.ndarray, "group state"]
    center: Float[np.ndarray, " column"]
    scale: Float[np.ndarray, " column"]
    far: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; infinite numbers are texts."""
        values = {field.name: np.asarray(getattr(self, field.name)).tolist() for field in fields(self)}
        return values | {"factor": [[str(one) for one in row] for row in values["factor"]], "far": str(self.far)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """Undo `to_dict`."""
        arrays = {name: np.asarray(values[name], np.float64) for name in ("residual", "factor", "center", "scale")}
        edges = np.asarray(values["edges"], int)
        groups, states, columns = len(edges) - 1, arrays["residual"].shape[-1], arrays["center"].shape
        expected = {"residual": (groups, states), "factor": (groups, states), "center": columns, "scale": columns}
        if edges.ndim != 1 or groups < 1 or {name: array.shape for name, array in arrays.items()} != expected:
            raise ValueError("calibration: the groups of rows, residuals and factors do not go together")
        return cls(
            coverage=float(values["coverage"]),
            trajectories=int(values["trajectories"]),
            edges=edges,
            far=float(values["far"]),
            **arrays,
        )

    def width(self, middle: Middle) -> Float[np.ndarray, "trajectory time state"]:
        """Return half the height of the band: 0 at rows that are given, NaN beyond the calibrated rows."""
        rows = middle.value.shape[1]
        group = np.searchsorted(self.edges, np.arange(rows), side="right") - 1
        known = (group >= 0) & (group < len(self.factor))
        residual, factor = (part[np.clip(group, 0, len(self.factor) - 1)] for part in (self.residual, self.factor))
        width = factor * np.sqrt(np.square(middle.spread) + np.square(residual))
        width[:, ~known] = np.nan
        width[:, : self.edges[0]] = 0.0
        return width

    def distance(
        self, states: Float[np.ndarray, "trajectory time state"], inputs: Float[np.ndarray, "trajectory time input"]
    ) -> Float[np.ndarray, "trajectory time"]:
        """Return the largest distance from the training mean over columns, in standard deviations."""
        return farthest(np.concatenate([states, inputs], axis=-1), self.center, self.scale)

    def trust(
        self, states: Float[np.ndarray, "trajectory time state"], inputs: Float[np.ndarray, "trajectory time input"]
    ) -> Bool[np.ndarray, "trajectory time"]:
        """Return whether rows are as near to the training data as calibration rows are; never where not finite."""
        with np.errstate(invalid="ignore"):
            return self.distance(states, inputs) <= self.far


def farthest(
    rows: Float[np.ndarray, "*rows column"], center: Float[np.ndarray, " column"], scale: Float[np.ndarray, " column"]
) -> Float[np.ndarray, "*rows"]:
    """Return the largest distance of rows from a center over columns, in multiples of their scales."""
    distance: Float[np.ndarray, "*rows"] = np.max(np.abs((rows - center) / scale), axis=-1)
    return distance


def middle_of(predicted: Float[np.ndarray, "member trajectory time state"]) -> Middle:
    """Return the median and spread of the members that are finite; NaN where none is."""
    known = np.where(np.isfinite(predicted), predicted, np.nan)
    if len(known) == 1:
        return Middle(known[0], np.zeros_like(known[0]))
    # Sorted once, NaN at the end: NumPy's own nanquantile goes through all rows one by one.
    ordered, count = np.sort(known, axis=0), np.sum(~np.isnan(known), axis=0)
    low, value, high = (_quantile(ordered, count, share) for share in (INNER, 0.5, 1 - INNER))
    return Middle(value, np.where(count > 0, (high - low) / 2, 0.0))


def _quantile(
    ordered: Float[np.ndarray, "member trajectory time state"],
    count: Int[np.ndarray, "trajectory time state"],
    share: float,
) -> Float[np.ndarray, "trajectory time state"]:
    place = share * np.maximum(count - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(ordered, index[None], axis=0)[0] for index in (below, above))
    between: Float[np.ndarray, "trajectory time state"] = low + (place - below) * (high - low)
    return between


def calibrated(
    predicted: Float[np.ndarray, "member trajectory time state"],
    data: Trajectories,
    scaling: Scaling,
    coverage: float,
    *,
    warmup: int = 0,
) -> Calibration:
    """Return the calibration of forecasts of trajectories that the model was not fitted to.

    Raises `DataError` for fewer trajectories than the coverage needs, `coverage / (1 - coverage)`: 9 for 90 %.
    """
    needed = fewest(coverage)
    if len(data) < needed:
        raise DataError(
            f"calibrate: coverage {coverage:g} needs at least {needed} trajectories; got {len(data)}. Give more, cut "
            "long ones into blocks with sparsedyn.data.windows, or ask for less coverage."
        )
    longest = sorted(data.lengths)[-needed]
    middle, truth = middle_of(predicted), pad(data.states, np.nan)
    edges = groups_of(longest, max(1, warmup))
    off = np.abs(middle.value - truth)
    # A forecast that is not finite is off by more than anything; rows past the end of a trajectory are not there.
    off = np.where(np.isnan(truth), np.nan, np.where(np.isnan(off), np.inf, off))
    residual, factor = (np.zeros((len(edges) - 1, off.shape[-1])) for _ in range(2))
    for group, rows in enumerate(pairwise(edges)):
        part, spread = off[:, slice(*rows)], middle.spread[:, slice(*rows)]
        finite = np.where(np.isfinite(part), part, np.nan)
        none = np.isnan(finite).all(axis=(0, 1))
        typical = np.nanmedian(np.where(none, 0.0, finite), axis=(0, 1))
        residual[group] = np.maximum(typical, TINY * scaling.x_std)
        scores = part / np.sqrt(np.square(spread) + np.square(residual[group]))
        factor[group] = [hierarchical_quantile(scores[..., i], coverage) for i in range(off.shape[-1])]
    center = np.concatenate([scaling.x_mean, scaling.u_mean])
    scale = np.concatenate([scaling.x_std, scaling.u_std])
    both = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    far = float(np.quantile(farthest(both, center, scale), TRUSTED))
    return Calibration(coverage, len(data), edges, residual, factor, center, scale, far)


def fewest(coverage: float) -> int:
    """Return how many trajectories bands of this coverage need; raises `ValueError` for what is no share."""
    if not 0 < coverage < 1:
        raise ValueError(f"coverage: expected a share between 0 and 1, such as 0.9; got {coverage!r}.")
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def groups_of(rows: int, first: int = 1) -> Int[np.ndarray, " edge"]:
    """Return the edges of groups of neighbouring rows from `first` on; those before are given and need no band."""
    return first - 1 + np.unique(np.round(np.geomspace(1, rows - first + 1, GROUPS + 1)).astype(int))


def hierarchical_quantile(scores: Float[np.ndarray, "trajectory row"], coverage: float) -> float:
    """Return the score below which a row of a new trajectory is with at least this probability.

    Every trajectory has the same weight, however many rows it has, and so has the new one, whose score may be anything.
    """
    there = ~np.isnan(scores)
    long_enough = there.any(axis=1)
    scores, there = scores[long_enough], there[long_enough]
    weights = np.broadcast_to(1 / np.maximum(there.sum(axis=1, keepdims=True), 1), scores.shape)[there]
    values = scores[there]
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / (len(scores) + 1)
    place = int(np.searchsorted(reached, coverage - 1e-12))
    return float(values[order[place]]) if place < len(values) else math.inf

"""From what the user measured to what a SINDy autoencoder is trained on: few coordinates, scaled, with derivatives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import POD, DataError, Snapshots, pod
from sparsedyn.data.clock import measured_times, sampling_time
from sparsedyn.data.derivatives import splined
from sparsedyn.data.reduction import lost_share
from sparsedyn.models import Jet

SAMPLED = 4000
"""Rows, about, that tell how many modes there are."""
FEW = 10
"""Data of so few columns are not reduced."""
MOST_MODES = 64
LOST = (1e-8, 1e-5)
"""Relative squared error that a reduction may make in `x`, and in its derivatives."""
NOISE_FACTOR = 2.858
"""Singular values below this multiple of their median are noise (Gavish & Donoho 2014, square matrices)."""


@dataclass(frozen=True)
class Coordinates:
    """Modes and their standard deviations: `x` is reduced to `x @ basis / scale`."""

    basis: Float[np.ndarray, "dimension mode"]
    scale: Float[np.ndarray, " mode"]
    truncation: float

    def reduce(self, values: Float[np.ndarray, "*batch dimension"]) -> Float[np.ndarray, "*batch mode"]:
        """Return the scaled modes of snapshots or of their derivatives."""
        return POD(self.basis, self.truncation).reduce(values) / self.scale

    def restore(self, reduced: Float[np.ndarray, "*batch mode"]) -> Float[np.ndarray, "*batch dimension"]:
        """Return the snapshots of scaled modes."""
        return POD(self.basis, self.truncation).restore(reduced * self.scale)

    @property
    def importance(self) -> tuple[float, ...]:
        """What squared errors of the scaled modes are worth in `x`, with sum one."""
        squares = self.scale**2
        return tuple((squares / squares.sum()).tolist())


def snapshots_of(x: Any, t: Any, x_dot: Any = None, x_ddot: Any = None) -> Snapshots:
    """Return snapshots of (time, dimension) or (trajectory, time, dimension) arrays, or a list of equally long ones.

    `t` is the sampling time, or the times of all rows. Raises `DataError` for anything that cannot be used.
    """
    if isinstance(x, Snapshots):
        if not (t is None and x_dot is None and x_ddot is None):
            raise DataError("x: Snapshots bring their times and derivatives along. Leave t, x_dot and x_ddot out.")
        return x
    values = _stack("x", x)
    lengths, labels = [values.shape[1]] * len(values), [f"trajectory {i}" for i in range(len(values))]
    if t is None:
        raise DataError("t: expected the time between rows, e.g. t=0.02, or the times of all rows; got None.")
    dt = sampling_time(t) if np.ndim(t) == 0 else measured_times(t, lengths, labels)[1]
    first = None if x_dot is None else _stack("x_dot", x_dot)
    second = None if x_ddot is None else _stack("x_ddot", x_ddot)
    return Snapshots(values, first, second, dt=dt, truth=None, frame=(values.shape[2],))


def _stack(name: str, values: Any) -> Float[np.ndarray, "trajectory time dimension"]:
    parts = [np.asarray(part) for part in values] if isinstance(values, list | tuple) else None
    if parts is not None and len({part.shape for part in parts}) > 1:
        shapes = sorted({part.shape for part in parts})
        raise DataError(f"{name}: expected trajectories of one shape (time, dimension); got {shapes}. Cut them to one.")
    array = numbers_of(name, values if parts is None else parts)
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or 0 in array.shape:
        raise DataError(
            f"{name}: expected the axes (time, dimension) or (trajectory, time, dimension); got shape {array.shape}."
        )
    return array


def numbers_of(name: str, values: Any) -> Float[np.ndarray, "..."] | np.ndarray:
    """Return an array of finite real numbers. Raises `DataError` for anything else."""
    if any(np.ma.is_masked(part) for part in (values if isinstance(values, list | tuple) else [values])):
        raise DataError(f"{name}: expected values everywhere; some are masked. Fill or leave out what is missing.")
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name}: expected an array of numbers; got rows of different lengths.") from None
    if array.dtype.kind not in "fiu":
        raise DataError(f"{name}: expected numbers; got {array.dtype}. Convert it to a float array.")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(
            f"{name}: expected finite numbers; got {array[place]} at {place}. Leave such trajectories out, or fill the "
            "gaps."
        )
    return array


def coordinates_of(data: Snapshots, modes: int | str | None) -> Coordinates:
    """Return the coordinates that networks see: `modes` of them, `auto`, or `None` for the columns as they are.

    `auto` takes as many modes as leave out less than 1e-8 of `x` and 1e-5 of its derivatives (relative squared errors),
    no more than rise above noise, and at most 64; it takes columns as they are where there are at most ten.
    """
    pooled = data.pooled()
    dimension = pooled.x.shape[1]
    if not np.any(pooled.x):
        raise DataError("x: expected measurements that vary; all are zero.")
    if modes is None or (modes == "auto" and dimension <= FEW):
        basis, truncation = np.eye(dimension), 0.0
    elif modes == "auto":
        found = pod(pooled.x, _most(pooled.x))
        chosen = _enough(found, [part for part in (pooled.x, pooled.x_dot, pooled.x_ddot) if part is not None])
        basis = found.basis[:, :chosen]
        truncation = lost_share(_sampled(pooled.x), basis)
    else:
        found = pod(pooled.x, int(modes))
        basis, truncation = found.basis, found.truncation
    scale = POD(basis, truncation).reduce(pooled.x).std(axis=0)
    if not (scale > 0).all():
        constant = np.flatnonzero(scale == 0).tolist()
        raise DataError(f"x: expected columns that vary; columns {constant} are constant. Leave them out.")
    return Coordinates(basis, scale, truncation)


def _most(x: Float[np.ndarray, "sample dimension"]) -> int:
    """The number of directions that rise above noise, at most 64."""
    values = np.linalg.svd(_sampled(x).astype(np.float64), compute_uv=False)
    above = int(np.sum(values > max(NOISE_FACTOR * np.median(values), 1e-7 * values[0])))
    return int(np.clip(above, 1, MOST_MODES))


def _sampled(x: Float[np.ndarray, "sample dimension"]) -> Float[np.ndarray, "some dimension"]:
    """Some of the rows, at equal distances."""
    return x[:: max(1, len(x) // SAMPLED)]


def _enough(found: POD, parts: Sequence[np.ndarray]) -> int:
    needed = 1
    for part, allowed in zip(parts, (LOST[0], *LOST[1:] * 2), strict=False):
        rows = _sampled(part).astype(np.float64)
        kept = np.cumsum(np.square(rows @ found.basis).sum(axis=0)) / np.square(rows).sum()
        enough = np.flatnonzero(1 - kept <= allowed)
        needed = max(needed, int(enough[0]) + 1 if enough.size else found.basis.shape[1])
    return needed


def motion_of(data: Snapshots, coordinates: Coordinates, order: int, derivative: str = "auto") -> Jet:
    """Return the reduced snapshots (trajectory, time, mode) with derivatives up to `order`, estimated where not given.

    Estimates are those of splines through every mode of every trajectory: smoothing ones where the data look noisy, in
    which case their values replace the measured ones. Where the first derivative alone is given, the second one is that
    of splines through it.
    """
    x = coordinates.reduce(data.x)
    if data.x_dot is None:
        if order == 2 and data.x_ddot is not None:
            raise DataError("x_dot: expected the first derivative beside the second; got None. Give both, or none.")
        value, first, second = splined(x, data.dt, order, derivative)
        return Jet(value, first, second if order == 2 else None)
    first = coordinates.reduce(data.x_dot)
    if order == 1:
        return Jet(x, first)
    if data.x_ddot is not None:
        return Jet(x, first, coordinates.reduce(data.x_ddot))
    first, second, _ = splined(first, data.dt, 1, derivative)
    return Jet(x, first, second)


def pooled(jet: Jet) -> Jet:
    """Return trajectories of a jet below each other, in float32, as networks are trained on them."""
    return jet.map(lambda part: part.reshape(-1, part.shape[-1]).astype(np.float32))

"""Standardization, fitted on training samples only and saved with the model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Float64

from .errors import DataError, listing
from .samples import SampleParts, Samples, slices

# A column whose spread is below this share of its size is constant up to rounding.
ROUNDING = 1e-12


class Scaling(eqx.Module):
    """Means and standard deviations of states, inputs and derivatives, or some of them, NumPy float64."""

    x_mean: Float64[np.ndarray, " state"]
    x_std: Float64[np.ndarray, " state"]
    u_mean: Float64[np.ndarray, " input"]
    u_std: Float64[np.ndarray, " input"]
    dx_mean: Float64[np.ndarray, " output"]
    dx_std: Float64[np.ndarray, " output"]

    @classmethod
    def fit(
        cls,
        samples: Samples | SampleParts,
        *,
        state_names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
    ) -> "Scaling":
        """Measure the samples; the names serve messages only. In parts they give the same bits as in one piece.

        A derivative that never changes gets the standard deviation 1.

        **Raises:** `DataError` for a state or input that never changes, or no samples.
        """
        count = len(samples.x) if isinstance(samples, Samples) else len(samples)
        if not count:
            raise DataError("scaling needs at least one sample; there is none.")
        x, u, dx = _measured(lambda: slices(samples) if isinstance(samples, Samples) else samples, count)
        _check_changing(x, "state", state_names or [f"x{i + 1}" for i in range(len(x.mean))], count)
        _check_changing(u, "input", input_names or [f"u{i + 1}" for i in range(len(u.mean))], count)
        return cls(x.mean, x.std, u.mean, u.std, dx.mean, np.where(dx.constant, 1.0, dx.std))

    @classmethod
    def identity(cls, state: int, input: int) -> "Scaling":
        """Return the scaling that changes nothing, for this many states and inputs."""
        x, u = (np.zeros(state), np.ones(state)), (np.zeros(input), np.ones(input))
        return cls(*x, *u, *x)

    def transform(self, samples: Samples) -> Samples:
        """Return (value - mean) / std of every column as float32, computed in float64."""
        return Samples(
            ((samples.x - self.x_mean) / self.x_std).astype(np.float32),
            ((samples.u - self.u_mean) / self.u_std).astype(np.float32),
            ((samples.dx - self.dx_mean) / self.dx_std).astype(np.float32),
        )

    def to_dict(self) -> dict[str, list[float]]:
        """Return plain lists, exact in JSON."""
        return {name: getattr(self, name).tolist() for name in FIELDS}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Scaling":
        """Undo `to_dict`; entries that are missing, unknown or no finite numbers raise `DataError`."""
        if set(values) != set(FIELDS):
            raise DataError(f"a scaling has the entries {listing(FIELDS)}; found {listing(values)}.")
        found = {name: np.asarray(values[name], dtype=np.float64) for name in FIELDS}
        for name, array in found.items():
            like = found[name.replace("std", "mean")]
            proper = np.isfinite(array).all() and (name.endswith("mean") or (array >= 0).all())
            if array.ndim != 1 or array.shape != like.shape or not proper:
                raise DataError(
                    f"a scaling has a mean and a standard deviation per column; {name} has no such numbers."
                )
        return cls(**found)

    def check_sizes(self, state: int, input: int | None = None, *, derivatives: bool = True) -> None:
        """Raise `DataError` unless this is a scaling of so many states, inputs if given, and derivatives unless not."""
        expected = state, len(self.u_mean) if input is None else input, state if derivatives else len(self.dx_mean)
        if (len(self.x_mean), len(self.u_mean), len(self.dx_mean)) != expected:
            raise DataError(
                f"a scaling of {expected[0]} states and {expected[1]} inputs is expected; got one of "
                f"{len(self.x_mean)} states, {len(self.u_mean)} inputs and {len(self.dx_mean)} derivatives."
            )


FIELDS = ("x_mean", "x_std", "u_mean", "u_std", "dx_mean", "dx_std")


class _Spread(NamedTuple):
    """Means and standard deviations of columns, and which are constant up to rounding."""

    mean: Float64[np.ndarray, " column"]
    std: Float64[np.ndarray, " column"]
    constant: Bool[np.ndarray, " column"]


def _measured(parts: Callable[[], Iterable[Samples]], count: int) -> list[_Spread]:
    """Measure states, inputs and derivatives of so many samples, which are gone through twice."""
    totals: list[np.ndarray | None] = [None] * 3
    largest = [np.zeros(()) for _ in totals]
    for part in parts():
        for i, values in enumerate(part):
            totals[i] = _added(totals[i], values)
            largest[i] = np.maximum(largest[i], np.abs(values).max(axis=0))
    means = [total / count for total in totals if total is not None]
    squares: list[np.ndarray | None] = [None] * 3
    for part in parts():
        for i, values in enumerate(part):
            squares[i] = _added(squares[i], np.square(values - means[i]))
    stds = [np.sqrt(square / count) for square in squares if square is not None]
    return [_Spread(mean, std, std <= ROUNDING * most) for mean, std, most in zip(means, stds, largest, strict=True)]


def _added(total: Float64[np.ndarray, " column"] | None, values: Float[np.ndarray, "sample column"]) -> np.ndarray:
    """Add rows to a total in the order in which NumPy adds the rows of several columns, however they are divided."""
    rows = values if total is None else np.concatenate([total[None], values])
    found: np.ndarray = rows.sum(axis=0, dtype=np.float64)
    return found


def _check_changing(found: _Spread, kind: str, names: Sequence[str], count: int) -> None:
    if found.constant.any():
        column = int(found.constant.argmax())
        flat = [name for name, still in zip(names, found.constant, strict=True) if still]
        raise DataError(
            f"{kind} {names[column]!r} is constant ({found.mean[column]:.6g} in all {count} training "
            f"samples) and cannot be scaled; nothing can be learned from it. Leave it out of the {kind}s: "
            f"{listing(flat)}."
        )

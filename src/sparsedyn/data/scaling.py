"""Standardization, fitted on training samples only and saved with the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Float64

from .errors import DataError, listing
from .samples import Samples

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
        samples: Samples,
        *,
        state_names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
    ) -> "Scaling":
        """Measure the samples; the names serve messages only.

        A derivative that never changes gets the standard deviation 1.

        **Raises:** `DataError` for a state or input that never changes, or no samples.
        """
        if not len(samples.x):
            raise DataError("scaling needs at least one sample; there is none.")
        x_names = state_names or [f"x{i + 1}" for i in range(samples.x.shape[1])]
        u_names = input_names or [f"u{i + 1}" for i in range(samples.u.shape[1])]
        x_mean, x_std = _changing(samples.x, "state", x_names)
        u_mean, u_std = _changing(samples.u, "input", u_names)
        dx_mean, dx_std, constant = _measure(samples.dx)
        return cls(x_mean, x_std, u_mean, u_std, dx_mean, np.where(constant, 1.0, dx_std))

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


def _measure(values: Float[np.ndarray, "sample column"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = np.asarray(values, dtype=np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0)
    return mean, std, std <= ROUNDING * np.abs(values).max(axis=0)


def _changing(
    values: Float[np.ndarray, "sample column"], kind: str, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    mean, std, constant = _measure(values)
    if constant.any():
        column = int(constant.argmax())
        flat = [name for name, still in zip(names, constant, strict=True) if still]
        raise DataError(
            f"{kind} {names[column]!r} is constant ({values[0, column]:.6g} in all {len(values)} training "
            f"samples) and cannot be scaled; nothing can be learned from it. Leave it out of the {kind}s: "
            f"{listing(flat)}."
        )
    return mean, std

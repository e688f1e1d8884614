"""Reduction of snapshots to a few scaled modes, which are what autoencoders see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sparsedyn.data import POD, DataError, Snapshots, pod
from sparsedyn.data.reduction import lost_share

SAMPLED = 4000
"""Rows, about, by which the number of modes is chosen."""
FEW = 10
"""Data of so few columns are not reduced."""
MOST_MODES = 64
LOST = (1e-8, 1e-5)
"""Relative squared error that a reduction may make in `x`, and in its derivatives."""
NOISE_FACTOR = 2.858
"""Singular values below this multiple of their median are noise (Gavish & Donoho 2014, square matrices)."""


@dataclass(frozen=True)
class Reduction:
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
        """The weights of squared errors of the scaled modes that make them errors of `x`; their sum is one."""
        squares = self.scale**2
        return tuple((squares / squares.sum()).tolist())


def reduction_of(data: Snapshots, modes: int | str | None, latent: int = 1) -> Reduction:
    """Return the reduction to what networks see: `modes` of them, `auto`, or `None` for the columns as they are.

    `auto` takes as many modes as leave out less than 1e-8 of `x` and 1e-5 of its derivatives (relative squared errors),
    no more than rise above noise, and at most 64; it takes columns as they are where there are at most ten.

    **Raises:** `DataError` for columns that never change, and where fewer than `latent` modes are left.
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
    if latent > len(scale):
        raise DataError(
            f"latent: expected at most {len(scale)}, the columns of x or the modes it is reduced to; got {latent}. "
            "Choose fewer latent variables, or more modes."
        )
    return Reduction(basis, scale, truncation)


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

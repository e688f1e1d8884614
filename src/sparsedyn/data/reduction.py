"""Proper orthogonal decomposition: the few directions in which most of the measurements lie."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.linalg import eigh

from .errors import DataError

# Rows converted to float64 at once.
BLOCK = 1024
# A larger Gram matrix takes minutes to decompose. Of more rows and columns than that, so many rows are drawn.
LARGEST_GRAM = 3000
# Eigenvalues of a Gram matrix are squares: below this share of the largest they are rounding.
ROUNDING = 1e-15


@dataclass(frozen=True, eq=False)
class POD:
    """An orthonormal basis of modes, and the relative squared error `truncation` with which it restores its data.

    No mean is subtracted. Norms within the basis are then those of the measurements, so that relative squared errors
    mean the same before and after the reduction; and one linear map serves measurements and derivatives alike. A mean
    that matters takes one of the modes.
    """

    basis: Float64[np.ndarray, "dimension mode"]
    truncation: float

    def reduce(self, x: Float[np.ndarray, "*rows dimension"]) -> Float64[np.ndarray, "*rows mode"]:
        """Return the coefficients of the modes, of measurements or of their derivatives."""
        rows = x.reshape(-1, x.shape[-1])
        reduced = np.empty((len(rows), self.basis.shape[1]))
        for block in _blocks(len(rows)):
            reduced[block] = rows[block].astype(np.float64) @ self.basis
        return reduced.reshape(*x.shape[:-1], -1)

    def restore(self, reduced: Float[np.ndarray, "*rows mode"]) -> Float64[np.ndarray, "*rows dimension"]:
        """Return the measurements with these coefficients."""
        return np.asarray(reduced, dtype=np.float64) @ self.basis.T


def pod(x: Float[np.ndarray, "sample dimension"], modes: int, *, seed: int = 0) -> POD:
    """Return the `modes` orthonormal directions that restore `x` best, the strongest first.

    Computed in float64 from the Gram matrix of the rows or of the columns, whichever are fewer. Of data with more than
    3000 of both, 3000 rows drawn with `seed` give the basis; the truncation is always that of all rows.

    **Raises:** `DataError` where `x` has fewer independent directions than modes.
    """
    most = min(x.shape)
    if not 1 <= modes <= most:
        raise DataError(f"modes: expected from 1 to {most}, the smaller side of x {x.shape}; got {modes}.")
    sample = x
    if most > LARGEST_GRAM:
        sample = x[np.sort(np.random.default_rng(seed).choice(len(x), LARGEST_GRAM, replace=False))]
    basis = _modes_of_columns(sample, modes) if sample.shape[1] <= len(sample) else _modes_of_rows(sample, modes)
    return POD(basis, lost_share(x, basis))


def lost_share(x: Float[np.ndarray, "sample dimension"], basis: Float[np.ndarray, "dimension mode"]) -> float:
    """Return the share of the squares of `x` that lies outside of an orthonormal basis."""
    total = lost = 0.0
    for block in _blocks(len(x)):
        rows = x[block].astype(np.float64)
        total += float(np.square(rows).sum())
        # Summed over what is left: a difference of norms would round away the smallest truncations.
        lost += float(np.square(rows - rows @ basis @ basis.T).sum())
    return lost / total if total else 0.0


def _modes_of_columns(x: np.ndarray, modes: int) -> np.ndarray:
    gram = np.zeros((x.shape[1], x.shape[1]))
    for block in _blocks(len(x)):
        rows = x[block].astype(np.float64)
        gram += rows.T @ rows
    return _strongest(gram, modes)[1]


def _modes_of_rows(x: np.ndarray, modes: int) -> np.ndarray:
    rows = x.astype(np.float64)
    energies, combinations = _strongest(rows @ rows.T, modes)
    # Orthonormal but for rounding, which grows as the modes get weaker.
    basis, triangle = np.linalg.qr(rows.T @ (combinations / np.sqrt(energies)))
    return basis * np.sign(np.diag(triangle))


def _strongest(gram: np.ndarray, modes: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest eigenvalues of the Gram matrix and their eigenvectors, the largest first."""
    size = len(gram)
    energies, vectors = eigh(gram, subset_by_index=(size - modes, size - 1), overwrite_a=True)
    if not energies[0] > ROUNDING * energies[-1]:
        found = int((energies > ROUNDING * energies[-1]).sum())
        raise DataError(
            f"modes: expected at most {found}, the number of independent directions in x; got {modes}. Ask for fewer."
        )
    vectors = vectors[:, ::-1]
    # The sign of an eigenvector is arbitrary; a fixed one keeps results the same everywhere.
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return energies[::-1], vectors * np.sign(largest)


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, rows, BLOCK))

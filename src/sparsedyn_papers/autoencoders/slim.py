"""Cells with no more than the page and the table need: facts of all, arrays of those whose pictures are shown."""

from collections.abc import Sequence

import numpy as np

from sparsedyn.studies.cell_files import Stored
from sparsedyn_papers.autoencoders.page import shown
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

UNDRAWN = ("coefficients", "latent")
"""Arrays that no picture shows: those in the coordinates that training ended with."""


def slim(spec: AutoencodersSpec, cells: Sequence[Stored]) -> list[Stored]:
    """Return slim cells; numbers are in single precision, of which pictures do not need more."""
    drawn = {cell.slug for cell in shown(spec, cells)}
    return [cell._replace(arrays=_thinned(cell) if cell.slug in drawn else {}) for cell in cells]


def _thinned(cell: Stored) -> dict[str, np.ndarray]:
    return {name: _single(array) for name, array in cell.arrays.items() if name not in UNDRAWN}


def _single(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return array.astype(np.float32) if array.dtype == np.float64 else array

"""Cells with no more than the page and the table need: facts of all, arrays of those whose pictures are shown."""

from dataclasses import replace

import numpy as np

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders.report import shown
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

UNDRAWN = ("coefficients", "latent")
"""Arrays that no picture shows: those in the coordinates that training ended with."""


def kept(study: StoredStudy[AutoencodersSpec]) -> StoredStudy[AutoencodersSpec]:
    """Return the study; numbers are in single precision, of which pictures do not need more."""
    drawn = {cell.slug for cell in shown(study.spec, study.cells)}
    return replace(study, cells=[c._replace(arrays=_thinned(c) if c.slug in drawn else {}) for c in study.cells])


def _thinned(cell: StoredCell) -> dict[str, np.ndarray]:
    return {name: _single(array) for name, array in cell.arrays.items() if name not in UNDRAWN}


def _single(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return array.astype(np.float32) if array.dtype == np.float64 else array

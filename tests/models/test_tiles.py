"""Products of small matrices in vector registers."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from sparsedyn.models.native.tiles import BYTES, LANES, multiply


@pytest.mark.parametrize("rows", [1, 3, 25, 50])
@pytest.mark.parametrize("columns", [1, LANES, 3 * LANES + 1, 5 * LANES])
def test_products_of_all_widths(rows: int, columns: int) -> None:
    rng, inner, width = np.random.default_rng(0), 7, -(-columns // LANES) * LANES
    a = rng.standard_normal((rows, inner), dtype=np.float32)
    b, c = np.zeros((inner, width), np.float32), np.full((rows, width), np.nan, np.float32)
    b[:, :columns] = rng.standard_normal((inner, columns))
    for first, strides in ((a, (inner, 1)), (np.asfortranarray(a), (1, rows))):
        _multiplied(first.T if strides[0] == 1 else first, *strides, b, c, rows, width // LANES, inner)
        np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-5)


@njit
def _multiplied(a: Any, row: Any, step: Any, b: Any, c: Any, rows: Any, vectors: Any, inner: Any) -> None:
    multiply(
        a.ctypes.data, row * BYTES, step * BYTES, b.ctypes.data, b.shape[1] * BYTES, c.ctypes.data,
        c.shape[1] * BYTES, rows, vectors, inner,
    )  # fmt: skip

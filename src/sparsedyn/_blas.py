"""NumPy's and SciPy's linear algebra on one thread, where matrices are small.

OpenBLAS divides even a matrix of ten columns between its threads, which then wait for one another: with two of them a
fit of SINDy to 1,000 rows took nine times as long as with one, and longer where other programs ran.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep linear algebra to one thread within a block, or within a function that this decorates."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that are loaded; looking for them takes milliseconds."""
    import scipy.linalg  # noqa: F401 - has a library of its own

    return ThreadpoolController()

"""Code that Numba compiles: its options, whether it can be used here, and its threads."""

import importlib
import itertools
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from sparsedyn._warnings import SparsedynWarning

# A division by zero gives no number instead of an error, which is quicker to compile.
CALLED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""Numba's options for what Python calls: compiled when it is first called, and kept for other processes."""
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Numba's options for what only other compiled functions call, without what Python would need to call it."""


def native() -> bool:
    """Return whether the user lets code be compiled that Numba compiles: `SPARSEDYN_NATIVE=0` does not."""
    return os.environ.get("SPARSEDYN_NATIVE") != "0"


def compiled(module: str, name: str, without: str) -> Callable[..., Any] | None:
    """Return a compiled function, None where Numba does not work here or `SPARSEDYN_NATIVE` is 0.

    `without` is what a warning says of the first case, such as "Networks are trained several times slower".
    """
    if not native():
        return None
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, RuntimeError) as error:  # the second where nothing can be cached
        warnings.warn(
            f"{without}: Numba cannot be used ({error}). Mend that, or set SPARSEDYN_NATIVE=0 to be spared this "
            "warning.",
            SparsedynWarning,
            stacklevel=3,
        )
        return None
    return found


def over_members(step: Callable[[tuple[int, int]], None], count: int, threads: int) -> None:
    """Call `step` with ranges of `count` members (first, end), as many as there are threads, each in its own."""
    parts = min(threads, count)
    bounds = [round(part * count / parts) for part in range(parts + 1)]
    if parts == 1:
        step((0, count))
    else:
        list(_pool(threads).map(step, itertools.pairwise(bounds)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sparsedyn-native")

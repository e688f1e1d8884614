"""Code that Numba compiles: its options, whether it can be used here, and its threads."""

import importlib
import itertools
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Any

from sparsedyn._warnings import SparsedynWarning

VARIABLE = "SPARSEDYN_NATIVE"
ON, OFF = ("", "1", "true", "yes", "on"), ("0", "false", "no", "off")
"""What the environment variable may be, in small letters."""

# A division by zero gives no number instead of an error, which is quicker to compile.
CALLED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""Numba's options for what Python calls: compiled when it is first called, and kept for other processes."""
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Numba's options for what only other compiled functions call, without what Python would need to call it."""
PLACE = "Set NUMBA_CACHE_DIR to a folder that can be written"
REINSTALL = "Install it again (pip install --force-reinstall numba)"
"""What mends Numba where nothing can be kept, and where it cannot be imported."""


class NativeError(Exception):
    """Compiled code cannot be used as it is asked for; the message says what to do."""


def native() -> bool:
    """Return whether the user lets code be compiled that Numba compiles, as unless `SPARSEDYN_NATIVE` is off.

    **Raises:** `NativeError` for a value that is neither on nor off.
    """
    given = os.environ.get(VARIABLE, "")
    if given.strip().lower() in (*ON, *OFF):
        return given.strip().lower() in ON
    raise NativeError(
        f"{VARIABLE}={given!r}: expected {', '.join(filter(None, ON))} or nothing to compile code by Numba, or "
        f"{', '.join(OFF)} not to. Correct or unset this environment variable."
    )


def kept(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return Numba's decorator of what Python calls, for functions that nothing else stands in for.

    Where there is no place for what is compiled, each process compiles anew, and a warning says so.
    """
    from numba import njit

    def decorated(function: Callable[..., Any]) -> Any:
        try:
            return njit(**CALLED, **options)(function)
        except RuntimeError:  # no place
            _tell_unkept()
            return njit(**CALLED | {"cache": False}, **options)(function)

    return decorated


@cache
def _tell_unkept() -> None:
    warnings.warn(
        f"Compiled code cannot be kept here, so that every process compiles anew, which takes seconds. {PLACE}.",
        SparsedynWarning,
        stacklevel=2,
    )


@cache
def needed(module: str, use: str, instead: str) -> ModuleType:
    """Return a module that Numba compiles, imported at the first call, for some `use`.

    **Raises:** `NativeError` where Numba cannot be imported, which says what to do `instead`.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise NativeError(f"{use}: expected Numba; got {error!r} at its import. {REINSTALL}, or {instead}.") from error


def compiled(module: str, name: str, without: str) -> Callable[..., Any] | None:
    """Return a compiled function, None where Numba does not work here or the user lets nothing be compiled.

    `without` is what a warning says of the first case, such as "Networks are trained several times slower".
    """
    if not native():
        return None
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, RuntimeError) as error:  # the second where nothing can be kept
        mend = REINSTALL if isinstance(error, ImportError) else PLACE
        warnings.warn(
            f"{without}: Numba cannot be used ({error}). {mend}, or set SPARSEDYN_NATIVE=0 to be spared this warning.",
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

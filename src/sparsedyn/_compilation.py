"""Keep what JAX compiles in the user's cache directory, for the next process.

The same command a second time then begins at once. What the user has set for JAX stays, and
`JAX_ENABLE_COMPILATION_CACHE=false` turns the cache off.
"""

import os
import sys
from pathlib import Path

import platformdirs

SETTINGS: dict[str, float] = {
    # A small computation takes as long to read as to compile.
    "jax_persistent_cache_min_compile_time_secs": 0.1,
    # Bytes; what was not used for longest goes. JAX also locks a cache that has a limit.
    "jax_compilation_cache_max_size": 500_000_000,
}
DIRECTORY = "jax_compilation_cache_dir"


def keep_compiled() -> None:
    """Name the directory of the cache to JAX, in the environment, or in its configuration where it is imported already.

    Processes that this one starts inherit it. Without a place to write, JAX compiles anew each time.
    """
    if DIRECTORY.upper() in os.environ:
        return
    directory = platformdirs.user_cache_path("sparsedyn") / "jax"
    if not _writable(directory):
        return
    settings = {DIRECTORY: str(directory), **SETTINGS}
    if "jax" not in sys.modules:
        for name, value in settings.items():
            os.environ.setdefault(name.upper(), str(value))
        return
    import jax

    if getattr(jax.config, DIRECTORY) is None:
        for name, value in settings.items():
            jax.config.update(name, value)


def _writable(directory: Path) -> bool:
    """Whether the directory can be written to, or be made."""
    there = next(place for place in (directory, *directory.parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK)

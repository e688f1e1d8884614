"""Keep what JAX compiles in the user's cache directory, for the next process.

The same command a second time then begins at once. What the user has set for JAX stays, and
`JAX_ENABLE_COMPILATION_CACHE=false` turns the cache off. It is off, too, where its directory cannot be made: JAX would
warn of every computation.
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
DIRECTORY, ENABLED = "jax_compilation_cache_dir", "jax_enable_compilation_cache"


def keep_compiled() -> None:
    """Name the directory of the cache to JAX, in the environment, or in its configuration where it is imported already.

    Processes that this one starts inherit it. Without a place to write, JAX compiles anew each time.
    """
    given = os.environ.get(DIRECTORY.upper())
    if given is not None:
        # Other addresses are those of stores in a network.
        if given and "://" not in given and not _made(Path(given)):
            _set({ENABLED: False})
        return
    directory = platformdirs.user_cache_path("sparsedyn") / "jax"
    if not (_made(directory) and os.access(directory, os.W_OK)):
        return
    if "jax" not in sys.modules or sys.modules["jax"].config.jax_compilation_cache_dir is None:
        _set({DIRECTORY: str(directory), **SETTINGS})


def _set(settings: dict[str, str | float]) -> None:
    """Set what the user has not, where JAX reads it at its import, or in its configuration where that is over."""
    if "jax" not in sys.modules:
        for name, value in settings.items():
            os.environ.setdefault(name.upper(), str(value))
        return
    import jax

    for name, value in settings.items():
        jax.config.update(name, value)


def _made(directory: Path) -> bool:
    """Make a directory and say whether it is there: what `os.access` says of places such as /proc cannot be trusted."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True

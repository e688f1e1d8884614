"""What every test process shares: one JAX device, one thread a library, one cache of compiled computations.

`pytest` spreads the tests over the cores (`-n auto` in pyproject.toml); `pytest -n 0` runs them in one process. The
settings are environment variables, set before anything imports JAX, so that workers and the processes that tests start
have them too. What the user has set stays: `JAX_COMPILATION_CACHE_DIR=~/.cache/jax pytest` keeps what was compiled for
the next time.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ENVIRONMENT = {
    "MPLBACKEND": "Agg",
    # There are as many workers as cores: more devices or threads each would only wait for each other.
    "JAX_NUM_CPU_DEVICES": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Most tests compile for longer than they compute: optimize little, and compile nothing twice. Even the smallest
    # computation takes ten times as long to compile as to read.
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
CACHE = "JAX_COMPILATION_CACHE_DIR"

for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)
if CACHE not in os.environ:
    # Made by the process that starts the workers, which get it with the environment.
    os.environ[CACHE] = tempfile.mkdtemp(prefix="sparsedyn-tests-")
    atexit.register(shutil.rmtree, os.environ[CACHE], ignore_errors=True)

settings.register_profile("same examples every time", derandomize=True, deadline=None)
settings.load_profile("same examples every time")


@pytest.fixture(scope="session", autouse=True)
def quick_fonts() -> Iterator[None]:
    """Embed fonts as shapes: cutting TrueType fonts to size, as journals ask, takes half the time of every report."""
    from sparsedyn.plotting.style import STYLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STYLE, "pdf.fonttype", 3)
        yield


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One named file runs in this process: importing JAX twice would cost more than a second worker saves."""
    files = {Path(arg.partition("::")[0]) for arg in config.args}
    return 0 if len(files) == 1 and files.pop().is_file() else None

"""What every test process shares: one JAX device, one thread a library, one cache of compiled computations.

`pytest` spreads the tests over the cores (`-n auto` in pyproject.toml); `pytest -n 0` runs them in one process. The
settings are environment variables, set before anything imports JAX, so that workers and the processes that tests start
have them too. What the user has set stays: `JAX_COMPILATION_CACHE_DIR=~/.cache/jax pytest` keeps what was compiled for
the next time.
"""

import atexit
import base64
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
    # The newer emitters make faster code, and take a fifth longer to make it; parts that are compiled side by side, a
    # tenth.
    "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
}
CACHE = "JAX_COMPILATION_CACHE_DIR"

for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)
if CACHE not in os.environ:
    # Made by the process that starts the workers, which get it with the environment.
    os.environ[CACHE] = tempfile.mkdtemp(prefix="sparsedyn-tests-")
    atexit.register(shutil.rmtree, os.environ[CACHE], ignore_errors=True)

# Tracing makes objects by the hundred thousand, nearly all of which live on: looking through them as often as Python
# does by default takes a tenth of the time.
gc.set_threshold(100_000)

DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAGg5tZQAAAABJRU5ErkJggg==")
"""A picture of one point."""

settings.register_profile("same examples every time", derandomize=True, deadline=None)
settings.load_profile("same examples every time")


@pytest.fixture(scope="session", autouse=True)
def quick_fonts() -> Iterator[None]:
    """Embed fonts as shapes: cutting TrueType fonts to size, as journals ask, takes half the time of every report."""
    from sparsedyn.plotting.style import STYLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STYLE, "pdf.fonttype", 3)
        yield


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """Wait for no disk: no test cuts the power, and those of faults watch the calls that come before this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session")
def dotted() -> Callable[[], AbstractContextManager[None]]:
    """Return what leaves a dot in the place of every picture of a report while it is entered.

    Figures are made, but not laid out and saved, which takes longer than the small studies of these tests.
    """

    @contextmanager
    def entered() -> Iterator[None]:
        # Few tests need them, and they import much.
        from sparsedyn.studies import runner
        from sparsedyn.studies.document import Document, writing

        write_report = writing.write_report

        def with_dots(document: Document, directory: Path) -> Path:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(writing, "render", lambda figure, *kinds: (DOT,) * len(kinds))
                return write_report(document, directory)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner, "write_report", with_dots)
            yield

    return entered


@pytest.fixture
def dotted_reports(dotted: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Leave dots in reports during one test."""
    with dotted():
        yield


@pytest.fixture(scope="module")
def coarse() -> Iterator[None]:
    """Draw pictures of few dots, which take half the time."""
    from sparsedyn.plotting import style

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "DOTS_PER_INCH", 40)
        yield


@pytest.fixture(scope="module")
def hasty_coordinates() -> Iterator[None]:
    """Look for the coordinates of equations hastily in the tests of a file.

    After a training of seconds there is no equation to be found in any, and the search is longer than the training.
    """
    from sparsedyn.equations import sparse_coordinates

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_coordinates, "SOFTNESS", sparse_coordinates.SOFTNESS[:1])
        yield


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One named file runs in this process: importing JAX twice would cost more than a second worker saves."""
    files = {Path(arg.partition("::")[0]) for arg in config.args}
    return 0 if len(files) == 1 and files.pop().is_file() else None

"""The message of an interrupted study."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsedyn.studies.errors import StudyInterrupted


@contextmanager
def interruptible(directory: Path, how_far: Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C into a message that says how far the study was and how to resume it."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StudyInterrupted(
            f"Stopped {how_far()}. Nothing is lost; resume it with: sparsedyn study resume {directory}"
        ) from error

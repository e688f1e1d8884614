"""How a study stops: at Ctrl-C and SIGTERM, and where files cannot be written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsedyn._stopping import Stop, patient
from sparsedyn.studies.errors import StudyError, StudyInterrupted


@contextmanager
def interruptible(directory: Path, how_far: Callable[[], str]) -> Iterator[Stop]:
    """Turn Ctrl-C, SIGTERM and failures of the disk into messages that say how far the study was and how to resume it.

    What is yielded is to be asked where nothing is lost, and then raises what was asked for.
    """
    try:
        with patient() as stop:
            yield stop
    except KeyboardInterrupt as error:
        raise StudyInterrupted(
            f"Stopped {how_far()}. Nothing is lost; resume it with: sparsedyn study resume {directory}"
        ) from error
    except StudyError:
        raise
    except Exception as error:
        found = of_disk(error)
        if found is None:
            raise
        raise StudyError(
            f"{found.filename or directory}: cannot be written or read ({found.strerror or found}). What is finished "
            f"is kept. Mend that, then run: sparsedyn study resume {directory}"
        ) from error


def of_disk(error: BaseException) -> OSError | None:
    """Return the failure of the disk that `error` is or comes from, which concerns all cells.

    Errors that code raises itself, of data that are not there, have no number of the operating system.
    """
    return next((one for one in (error, error.__cause__) if isinstance(one, OSError) and one.errno is not None), None)

"""What ends a command: one clear message on standard error, and an exit code that means something."""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from sparsedyn.cli.output import complain

UNEXPECTED, USAGE, DATA, STUDY, INTERRUPTED = 1, 2, 3, 4, 130
DEBUG = Annotated[bool, typer.Option("--debug", help="After an error, show where in the code it arose.")]


class UsageProblem(Exception):
    """An option whose value cannot be used; the message names it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a command; the message says what is kept and how to go on."""


def exit_code(error: BaseException) -> int:
    """Return the exit code that stands for `error`."""
    if isinstance(error, UsageProblem):
        return USAGE
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OSError):
        return DATA
    # Whoever raised one of these has imported it already.
    from sparsedyn.data import DataError
    from sparsedyn.studies import StudyError
    from sparsedyn.training import CheckpointError

    if isinstance(error, StudyError):
        return STUDY
    return DATA if isinstance(error, DataError | CheckpointError) else UNEXPECTED


def message(error: BaseException, code: int) -> str:
    """Return what the user reads."""
    if code == INTERRUPTED:
        return str(error) or "Interrupted; nothing was written."
    if code == UNEXPECTED:
        kind = type(error).__name__
        return f"unexpected {kind}: {error}\nRun the same command with --debug to see where it arose."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}."
    return str(error)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` an option --debug, and turn what it raises into a message and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, debug: bool = False, **options: Any) -> None:
        try:
            command(*args, **options)
        except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            code = exit_code(error)
            if debug:
                complain("".join(traceback.format_exception(error)), title="")
            complain(message(error, code), title="" if code == INTERRUPTED else "Error: ")
            raise typer.Exit(code) from error

    signature = inspect.signature(command)
    option = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=DEBUG)
    # Typer reads the options off the signature and the annotations.
    run.__dict__["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), option])
    run.__annotations__ = {**command.__annotations__, "debug": DEBUG}
    return run


@contextmanager
def parameters() -> Iterator[None]:
    """Say of a value that is out of range, found while options are being put to use, that usage was wrong."""
    from sparsedyn.data import DataError

    try:
        yield
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise UsageProblem(str(error)) from error

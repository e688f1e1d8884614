"""What ends a command: one clear message on standard error, and an exit code that means something."""

import functools
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from sparsedyn._spelling import TYPED
from sparsedyn._stopping import is_terminated, terminable
from sparsedyn._warnings import SparsedynWarning
from sparsedyn.cli.exit_codes import DATA, INTERRUPTED, STUDY, TERMINATED, UNEXPECTED, USAGE
from sparsedyn.cli.output import note, show_error
from sparsedyn.cli.signatures import retyped

EXIT_CODES = {
    "sparsedyn._native": ("NativeError", USAGE),
    "sparsedyn.data.errors": ("DataError", DATA),
    "sparsedyn.training.checkpoint": ("CheckpointError", DATA),
    "sparsedyn.studies.errors": ("StudyError", STUDY),
    "sparsedyn.executors.protocol": ("ExecutorError", STUDY),
}
"""Exceptions of the library by the module that defines them, and the exit codes that they end a command with."""
DEBUG = Annotated[bool, typer.Option("--debug", help="After an error, show where in the code it arose.")]


class UsageProblem(Exception):
    """An option whose value cannot be used; the message names it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during a command; the message says what is kept and how to go on."""


def exit_code(error: BaseException) -> int:
    """Return the exit code that stands for `error`."""
    if isinstance(error, UsageProblem):
        return USAGE
    if isinstance(error, KeyboardInterrupt):
        return TERMINATED if is_terminated(error) else INTERRUPTED
    if isinstance(error, OSError):
        return DATA
    for module, (name, code) in EXIT_CODES.items():
        # Nothing is imported for this: whoever raised such an error has imported its module already.
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return code
    return UNEXPECTED


def message(error: BaseException, code: int) -> str:
    """Return what the user reads."""
    if code in (INTERRUPTED, TERMINATED):
        return str(error) or ("Interrupted." if code == INTERRUPTED else "Terminated.")
    if code == UNEXPECTED:
        kind = type(error).__name__
        return f"unexpected {kind}: {error}\nRun the same command with --debug to see where it arose."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}."
    return str(error)


def interruption(error: BaseException) -> BaseException:
    """Return the Ctrl-C that `error` is a consequence of, else `error` itself.

    What is stopped in the middle of an import, or of a function that compiled code calls, raises something else.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    # An error that is raised again from what it caused is among its own causes.
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, KeyboardInterrupt):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return error


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` an option --debug, and turn what it raises into a message and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, debug: bool = False, **options: Any) -> None:
        spelling = TYPED.set(True)
        try:
            with terminable(), warnings_as_remarks(quiet=bool(options.get("quiet"))):
                command(*args, **options)
        except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as raised:
            error = interruption(raised)
            code = exit_code(error)
            if debug:
                show_error("".join(traceback.format_exception(raised)), title="")
            show_error(message(error, code), title="" if code in (INTERRUPTED, TERMINATED) else "Error: ")
            raise typer.Exit(code) from raised
        finally:
            TYPED.reset(spelling)

    option = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=DEBUG)
    return retyped(run, command, [option])


@contextmanager
def warnings_as_remarks(*, quiet: bool) -> Iterator[None]:
    """Write the package's warnings to standard error as remarks; others are shown as ever.

    What a command collects itself, as `sparsedyn.cli.source.remarks` does, does not come here.
    """
    with warnings.catch_warnings():
        show = warnings.showwarning

        def shown(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, SparsedynWarning):
                note(f"{message}", quiet=quiet)
            else:
                show(message, category, *place, **more)

        warnings.showwarning = shown
        yield


@contextmanager
def parameters() -> Iterator[None]:
    """Turn errors of values that are out of range, raised while options are put to use, into errors of usage."""
    from sparsedyn.data import DataError

    try:
        yield
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise UsageProblem(str(error)) from error

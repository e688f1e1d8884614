"""Where the command `sparsedyn` begins: nothing is imported here that takes time."""

import os
import sys
from typing import TextIO

from sparsedyn.cli.exit_codes import CLOSED, INTERRUPTED, TERMINATED


def main() -> None:
    """Run the command line; exits with the codes of `sparsedyn.cli.errors`."""
    try:
        from sparsedyn.cli.app import app

        app()
    except KeyboardInterrupt:
        # Before a command has begun.
        sys.stderr.write("Interrupted.\n")
        _end(INTERRUPTED)
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            _end(int(end.code))
        # Typer and Rich end with 1 where they meet a closed pipe.
        if isinstance(end.__context__, BrokenPipeError) or not (_flushed() or end.code):
            raise SystemExit(CLOSED) from None
        raise


def _end(code: int) -> None:
    # Ctrl-C may have left a compilation running in a thread, over which an orderly end would trip.
    _flushed()
    os._exit(code)


def _flushed() -> bool:
    """Write out what waits to be written; whether there is still somebody to read it."""
    return all([_is_read(stream) for stream in (sys.stdout, sys.stderr)])


def _is_read(stream: TextIO) -> bool:
    try:
        stream.flush()
    except BrokenPipeError:
        # The rest goes nowhere, lest Python complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True

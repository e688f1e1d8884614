"""Where the command `sparsedyn` begins: nothing is imported here that takes time."""

import os
import sys

from sparsedyn.cli.exit_codes import INTERRUPTED, TERMINATED


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
        if end.code not in (INTERRUPTED, TERMINATED):
            raise
        _end(int(end.code))


def _end(code: int) -> None:
    # Ctrl-C may have left a compilation running in a thread, over which an orderly end would trip.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

"""The exit codes of the command line."""

UNEXPECTED, USAGE, DATA, STUDY = 1, 2, 3, 4
INTERRUPTED, CLOSED, TERMINATED = 130, 141, 143
"""After Ctrl-C, where whoever reads the output has enough of it (`| head`), and after SIGTERM, as shells have it."""

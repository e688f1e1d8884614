"""The exit codes of the command line."""

UNEXPECTED, USAGE, DATA, STUDY = 1, 2, 3, 4
INTERRUPTED = 130
"""After Ctrl-C, as shells have it."""

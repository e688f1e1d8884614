"""The exit codes of the command line."""

UNEXPECTED, USAGE, DATA, STUDY = 1, 2, 3, 4
INTERRUPTED, TERMINATED = 130, 143
"""After Ctrl-C and after SIGTERM, as shells have it."""

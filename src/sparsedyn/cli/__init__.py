"""The command line: simulate, fit, forecast, study, info."""

from sparsedyn.cli.app import app, main

__all__ = ["app", "main"]

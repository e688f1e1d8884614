"""Laws of physics and of other fields, each with the ranges and units of its variables."""

from sparsedyn_papers.laws.table import SUITES, Law, Variable, read_laws, suite

__all__ = ["SUITES", "Law", "Variable", "read_laws", "suite"]

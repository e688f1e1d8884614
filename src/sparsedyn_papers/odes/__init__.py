"""Governing equations from one short trajectory: systems, methods, and when equations count as found."""

from sparsedyn_papers.odes.forms import covered, exact
from sparsedyn_papers.odes.methods import METHODS, Learned
from sparsedyn_papers.odes.systems import TIMES, System, explains, nearby, read_systems, simulated, suite

__all__ = [
    "METHODS",
    "TIMES",
    "Learned",
    "System",
    "covered",
    "exact",
    "explains",
    "nearby",
    "read_systems",
    "simulated",
    "suite",
]

"""Governing equations from one short trajectory: systems, methods, and when equations count as found."""

from sparsedyn_papers.odes.forms import exact
from sparsedyn_papers.odes.methods import METHODS, Learned
from sparsedyn_papers.odes.systems import TIMES, System, explains, read_systems, simulated, suite

__all__ = ["METHODS", "TIMES", "Learned", "System", "exact", "explains", "read_systems", "simulated", "suite"]

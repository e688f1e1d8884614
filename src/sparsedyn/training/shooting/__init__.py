"""Multiple shooting: equations fitted to measured states, not to derivatives, and terms chosen by what they explain.

Trajectories are cut into short segments with free first states, and a jump between segments costs as much as noise a
tenth the size of the data's. All segments, of all trajectories and of several candidates, are integrated at once with
their sensitivities; Levenberg-Marquardt eliminates first states by a banded system. Everything is relative to the
data: a change of units changes nothing.

Source: Bock 1983; the criterion is the extended Bayesian one of Chen & Chen 2008.
"""

from .search import Candidate, Shooting, best_of, fit_all, improved, settled, tightened
from .segments import Segments, segments

__all__ = [
    "Candidate",
    "Segments",
    "Shooting",
    "best_of",
    "fit_all",
    "improved",
    "reweighted",
    "segments",
    "settled",
    "tightened",
]

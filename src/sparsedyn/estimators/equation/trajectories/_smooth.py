"""Inputs that seem to run smoothly from row to row, though equations of `EquationLearner` are found under held ones."""

from sparsedyn._warnings import Finding
from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators.sindy import SINDy
from sparsedyn.estimators.sindy._forms import SMOOTH, read
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._paths import roughness

DEGREE = 2


def smooth_inputs(data: Trajectories) -> list[Finding]:
    """Return what is to be said where polynomials leave far less under smooth inputs than under held ones."""
    if not data.input_names or roughness(data) >= SMOOTH:
        return []
    settings = SINDy(degree=DEGREE).settings()
    try:
        states, _ = read(Measured(data), settings.library(len(data.state_names), len(data.input_names)), settings)
    except DataError:  # too few rows to tell
        return []
    if states.inputs == "held":
        return []
    return [
        Finding(
            "smooth-inputs",
            "fit: inputs seem to run smoothly from row to row, but EquationLearner holds each row's input until the "
            "next: the equations make up for what they do between rows. Take SINDy, which interpolates them "
            "(inputs='interpolated'), or rows that are closer together.",
        )
    ]

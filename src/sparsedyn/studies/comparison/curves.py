"""The content of a cell's curves.npz, in the form that figures take."""

from collections.abc import Mapping

import numpy as np

from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.errors import ErrorCurve
from sparsedyn.studies.comparison.contents import Contents


def error_curve(clock: Clock, curves: Mapping[str, np.ndarray]) -> ErrorCurve | None:
    """Return the error over time, None if it is not stored."""
    if not {"time_index", "error_quantiles"} <= curves.keys():
        return None
    low, middle, high = np.asarray(curves["error_quantiles"], np.float64)
    return ErrorCurve(clock.times(curves["time_index"]), low, middle, high)


def band_name(curves: Mapping[str, np.ndarray]) -> str:
    """Describe the band between the outer two error quantiles."""
    levels = curves.get("error_levels")
    if levels is None:
        return "the band of its quantiles"
    return f"the band from {100 * float(levels[0]):.3g} to {100 * float(levels[-1]):.3g} % of the forecasts"


def trajectory_labels(contents: Contents, curves: Mapping[str, np.ndarray]) -> list[str]:
    """Name the trajectories of the fans: by the labels of the test trajectories, else by number."""
    positions = np.asarray(curves.get("fan_trajectories", np.arange(len(curves["truth"]))), np.int64)
    labels = contents.test.labels if contents.test is not None else ()
    return [f"test trajectory {labels[i] if i < len(labels) else i + 1}" for i in positions]

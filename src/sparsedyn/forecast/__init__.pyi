from sparsedyn._steps import rk4_step

from .calibration import Calibration, calibrated, fewest
from .comparison import Comparison, compare, holm, pseudo_values
from .forecast import Forecast, forecast
from .intervals import Interval, bootstrap_mean, bootstrap_share, spread
from .metrics import (
    DIVERGED_ABOVE,
    READINGS,
    Scores,
    deviation,
    error_over_time,
    forecast_scores,
    pad,
    skill,
    valid_time,
)
from .rollout import MAP, METHODS, rollout

__all__ = [
    "DIVERGED_ABOVE",
    "MAP",
    "METHODS",
    "READINGS",
    "Calibration",
    "Comparison",
    "Forecast",
    "Interval",
    "Scores",
    "bootstrap_mean",
    "bootstrap_share",
    "calibrated",
    "compare",
    "deviation",
    "error_over_time",
    "fewest",
    "forecast",
    "forecast_scores",
    "holm",
    "pad",
    "pseudo_values",
    "rk4_step",
    "rollout",
    "skill",
    "spread",
    "valid_time",
]

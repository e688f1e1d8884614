"""Forecasts: roll a model forward, and say how good the result is."""

from sparsedyn._steps import rk4_step
from sparsedyn.forecast.comparison import Comparison, compare, holm, pseudo_values
from sparsedyn.forecast.forecast import Forecast, forecast
from sparsedyn.forecast.intervals import Interval, bootstrap_mean, bootstrap_share, spread
from sparsedyn.forecast.metrics import (
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
from sparsedyn.forecast.rollout import METHODS, rollout

__all__ = [
    "DIVERGED_ABOVE",
    "METHODS",
    "READINGS",
    "Comparison",
    "Forecast",
    "Interval",
    "Scores",
    "bootstrap_mean",
    "bootstrap_share",
    "compare",
    "deviation",
    "error_over_time",
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

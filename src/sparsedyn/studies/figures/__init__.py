"""Pictures of a study, one idea per file: functions from tables and arrays to Matplotlib figures."""

from sparsedyn.studies.figures.cost_bars import cost_bars
from sparsedyn.studies.figures.divergence_bars import divergence_bars
from sparsedyn.studies.figures.error_over_time import ErrorCurve, error_over_time
from sparsedyn.studies.figures.error_violins import error_violins
from sparsedyn.studies.figures.forecast_fan import exits, forecast_fan, hold, off_scale, plausible_range
from sparsedyn.studies.figures.input_output_maps import agreement, input_output_maps
from sparsedyn.studies.figures.sparsity_against_error import sparsity_against_error
from sparsedyn.studies.figures.style import Look, render
from sparsedyn.studies.figures.training_curves import training_curves
from sparsedyn.studies.figures.training_size import training_size

__all__ = [
    "ErrorCurve",
    "Look",
    "agreement",
    "cost_bars",
    "divergence_bars",
    "error_over_time",
    "error_violins",
    "exits",
    "forecast_fan",
    "hold",
    "input_output_maps",
    "off_scale",
    "plausible_range",
    "render",
    "sparsity_against_error",
    "training_curves",
    "training_size",
]

"""Pictures of a study, one idea per file: functions from tables and arrays to Matplotlib figures."""

from sparsedyn.plotting.style import Look, render
from sparsedyn.studies.figures.agreement import agreement_by_cell, agreement_by_size
from sparsedyn.studies.figures.cost_bars import cost_bars
from sparsedyn.studies.figures.data_overview import data_overview
from sparsedyn.studies.figures.divergence_bars import divergence_bars
from sparsedyn.studies.figures.error_over_time import ErrorCurve, error_over_time
from sparsedyn.studies.figures.error_violins import error_violins
from sparsedyn.studies.figures.forecast_fan import exits, forecast_fan, hold, off_scale, plausible_range
from sparsedyn.studies.figures.input_output_maps import input_output_maps, share_of_members
from sparsedyn.studies.figures.panel_bars import panel_bars
from sparsedyn.studies.figures.panel_violins import panel_violins
from sparsedyn.studies.figures.sparsity_against_error import sparsity_against_error
from sparsedyn.studies.figures.training_curves import training_curves
from sparsedyn.studies.figures.training_size import training_size

__all__ = [
    "ErrorCurve",
    "Look",
    "agreement_by_cell",
    "agreement_by_size",
    "cost_bars",
    "data_overview",
    "divergence_bars",
    "error_over_time",
    "error_violins",
    "exits",
    "forecast_fan",
    "hold",
    "input_output_maps",
    "off_scale",
    "panel_bars",
    "panel_violins",
    "plausible_range",
    "render",
    "share_of_members",
    "sparsity_against_error",
    "training_curves",
    "training_size",
]

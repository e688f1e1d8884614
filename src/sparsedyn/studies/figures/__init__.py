"""Pictures of a study, one idea per file: functions from tables and arrays to Matplotlib figures."""

from sparsedyn.studies.figures.agreement import agreement_by_cell, agreement_by_size
from sparsedyn.studies.figures.cost_bars import cost_bars
from sparsedyn.studies.figures.divergence_bars import divergence_bars
from sparsedyn.studies.figures.error_panels import error_over_time
from sparsedyn.studies.figures.error_violins import error_violins
from sparsedyn.studies.figures.map_panels import input_output_maps
from sparsedyn.studies.figures.sparsity_panels import sparsity_against_error
from sparsedyn.studies.figures.training_panels import training_curves
from sparsedyn.studies.figures.training_size import training_size

__all__ = [
    "agreement_by_cell",
    "agreement_by_size",
    "cost_bars",
    "divergence_bars",
    "error_over_time",
    "error_violins",
    "input_output_maps",
    "sparsity_against_error",
    "training_curves",
    "training_size",
]

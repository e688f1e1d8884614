from .columns import recorded
from .divergences import divergence
from .errors import error_over_time
from .fans import fan
from .fronts import pareto
from .graphs import graph
from .histories import training
from .maps import input_output_map
from .matrices import coefficients
from .portraits import portrait
from .searches import search_path
from .series import trajectories
from .sparsity import sparsity_against_error
from .style import PALETTE, Look
from .violins import error_violins

__all__ = [
    "PALETTE",
    "Look",
    "coefficients",
    "divergence",
    "error_over_time",
    "error_violins",
    "fan",
    "graph",
    "input_output_map",
    "pareto",
    "portrait",
    "recorded",
    "search_path",
    "sparsity_against_error",
    "training",
    "trajectories",
]

"""Pictures of data, forecasts and equations, from what the estimators return.

Every function draws with Matplotlib and returns the axes: one `Axes`, or an array of them where there is a panel per
variable. Without `ax` (or `axes`) it makes a figure of pyplot with a legend, which notebooks show and
`axes.figure.savefig(...)` writes; into given axes it only draws, and `ax.legend()` names what was drawn. Nothing is
shown, and your Matplotlib settings stay as they are.
"""

from sparsedyn.plotting.divergences import divergence
from sparsedyn.plotting.errors import error_over_time
from sparsedyn.plotting.fans import fan
from sparsedyn.plotting.fronts import pareto
from sparsedyn.plotting.histories import training
from sparsedyn.plotting.maps import input_output_map
from sparsedyn.plotting.matrices import coefficients
from sparsedyn.plotting.portraits import portrait
from sparsedyn.plotting.series import trajectories
from sparsedyn.plotting.sparsity import sparsity_against_error
from sparsedyn.plotting.style import PALETTE, Look
from sparsedyn.plotting.violins import error_violins

__all__ = [
    "PALETTE",
    "Look",
    "coefficients",
    "divergence",
    "error_over_time",
    "error_violins",
    "fan",
    "input_output_map",
    "pareto",
    "portrait",
    "sparsity_against_error",
    "training",
    "trajectories",
]

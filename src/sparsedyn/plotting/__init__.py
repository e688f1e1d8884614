"""Pictures of data, forecasts and equations, from what the estimators return.

Every function draws with Matplotlib and returns the axes: one `Axes`, or an array of them where there is a panel per
variable. Without `ax` (or `axes`) it makes a figure of pyplot with a legend, which notebooks show and
`axes.figure.savefig(...)` writes; into given axes it only draws, and `ax.legend()` names what was drawn. Nothing is
shown, and your Matplotlib settings stay as they are.
"""

from sparsedyn._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

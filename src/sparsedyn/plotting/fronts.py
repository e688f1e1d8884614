"""What an equation's length buys: error against complexity, and the equation that was chosen."""

import numpy as np
import pandas as pd
import sympy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.equations import text
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain

LONGEST = 40
DIGITS = 3
SMALLEST = 1e-16


@styled
def pareto(
    table: pd.DataFrame, *, chosen: object = None, title: str = "", ax: Axes | None = None, figure: Figure | None = None
) -> Axes:
    """Draw the candidates for an equation by complexity and error, each with its text, and return the axes.

    `table` is what `model.pareto()` returns: the columns `complexity`, `error` (relative) and `equation`, the simplest
    first. The equation equal to `chosen`, such as `model.equation()`, is ringed. `ax` is drawn into instead of new
    axes.
    """
    panels = arrange_one(8.2, 3.6, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    complexity = table["complexity"].to_numpy(np.float64)
    error = np.maximum(table["error"].to_numpy(np.float64), SMALLEST)
    names = [str(equation) for equation in table["equation"]]
    texts = [text(e, DIGITS) if isinstance(e, sympy.Basic) else str(e) for e in table["equation"]]
    ax.step(complexity, error, where="post", color="#B8B8B8", linewidth=1.0)
    ax.scatter(complexity, error, s=22, color=PALETTE[0], zorder=3)
    if str(chosen) in names:
        place = names.index(str(chosen))
        at = complexity[place], error[place]
        ax.scatter(*at, s=120, facecolor="none", edgecolor=PALETTE[1], linewidth=1.6, label="chosen automatically")
        ax.legend(loc="upper right")
    for x, y, label in zip(complexity, error, texts, strict=True):
        shown = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
        ax.annotate(plain(shown, LONGEST), (x, y), xytext=(7, 4), textcoords="offset points", fontsize=7.5)
    ax.set_yscale("log")
    right = float(complexity.max())
    ax.set(xlim=(0, right + max(4.0, 0.55 * right)), ylim=(min(0.3 * error.min(), 1e-3), 6.0))
    ax.set(xlabel="complexity: operations, functions, variables and constants", ylabel="error")
    return ax

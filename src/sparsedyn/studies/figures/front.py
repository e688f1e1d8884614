"""What an equation's length buys: error against complexity, and the equation that was chosen."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain

LONGEST = 40


@styled
def front(
    complexity: Float[np.ndarray, " equation"],
    error: Float[np.ndarray, " equation"],
    equations: Sequence[str],
    chosen: int,
    *,
    title: str,
) -> Figure:
    """Draw equations by complexity and error, the simplest first, each with its text; `chosen` is the place of one."""
    figure, (ax,) = panels(1, 1, 8.2, 3.6)
    headline(figure, title)
    floor = np.maximum(error, 1e-16)
    ax.step(complexity, floor, where="post", color="#B8B8B8", linewidth=1.0)
    ax.scatter(complexity, floor, s=22, color=PALETTE[0], zorder=3)
    if 0 <= chosen < len(equations):
        ax.scatter(complexity[chosen], floor[chosen], s=120, facecolor="none", edgecolor=PALETTE[1], linewidth=1.6)
        ax.scatter([], [], s=80, facecolor="none", edgecolor=PALETTE[1], linewidth=1.6, label="chosen automatically")
        ax.legend(loc="upper right")
    for x, y, text in zip(complexity, floor, equations, strict=True):
        shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        ax.annotate(plain(shown, LONGEST), (x, y), xytext=(7, 4), textcoords="offset points", fontsize=7.5)
    ax.set_yscale("log")
    right = float(complexity.max())
    ax.set(xlim=(0, right + max(4.0, 0.55 * right)), ylim=(min(0.3 * floor.min(), 1e-3), 6.0))
    ax.set(xlabel="complexity: operations, functions, variables and constants", ylabel="error")
    return figure

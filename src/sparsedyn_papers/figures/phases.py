"""Training in phases: losses of all members, and how many terms their equations have left."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import CONTEXT, PALETTE, styled
from sparsedyn.plotting.text import plain


@styled
def phase_curves(
    step: Int[np.ndarray, " record"],
    phase: Int[np.ndarray, " record"],
    loss: Float[np.ndarray, "record member"],
    terms: Float[np.ndarray, "record member"],
    *,
    best: int,
    title: str,
) -> Figure:
    """Draw loss and number of terms over the steps of all phases, which dotted lines part; `best` stands out.

    Phases minimize different sums: a jump of the loss between two of them says nothing.
    """
    figure, (left, right) = panels(2, 2, 4.4, 2.9)
    headline(figure, title)
    for ax, values in ((left, loss), (right, terms)):
        for number in np.unique(phase):
            rows = phase == number
            for member in np.argsort(np.arange(values.shape[1]) == best, kind="stable"):
                chosen = member == best
                color, width = (PALETTE[0], 1.6) if chosen else (CONTEXT, 0.9)
                ax.plot(step[rows], values[rows, member], color=color, linewidth=width, zorder=3 if chosen else 2)
            if number > 0:
                ax.axvline(step[phase < number].max(), color="#8A8A8A", linewidth=0.8, linestyle=":")
        ax.set_xlabel("step")
        ax.locator_params(axis="x", nbins=6)
    if np.nanmin(loss, initial=1.0) > 0:
        left.set_yscale("log")
    left.set_ylabel("loss")
    right.set_ylabel("terms")
    right.set_ylim(bottom=0)
    handles = [
        Line2D([], [], color=PALETTE[0], linewidth=1.6, label=plain(f"member {best}, first of the ranking")),
        Line2D([], [], color=CONTEXT, linewidth=0.9, label="other members"),
        Line2D([], [], color="#8A8A8A", linewidth=0.8, linestyle=":", label="a new phase"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure

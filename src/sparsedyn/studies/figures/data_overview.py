"""What the data look like: some trajectories, a panel per variable."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import balanced, bottom, headline, panels
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain, unit_text

COLUMNS = 4
MOST_PANELS = 24
MOST_POINTS = 600


@styled
def data_overview(
    times: Sequence[Float[np.ndarray, " _time"]],
    values: Sequence[Float[np.ndarray, "_time variable"]],
    *,
    names: Sequence[str],
    units: Sequence[str],
    labels: Sequence[str],
    time_label: str,
    title: str,
    steps: bool = False,
) -> Figure:
    """Draw every trajectory as a line of at most 600 points; `steps` for variables that are held between rows.

    After Haugstvedt et al. 2023, figures 2 and 3.
    """
    shown = min(len(names), MOST_PANELS)
    columns = balanced(shown, COLUMNS)
    wide = {1: 8.0, 2: 5.5, 3: 3.9}.get(columns, 3.05)
    figure, axes = panels(shown, columns, wide, 1.95 if shown > 3 else 2.4)
    headline(figure, title + (f" (first {shown} of {len(names)})" if len(names) > shown else ""))
    end = max(float(time[-1]) for time in times)
    for i, ax in enumerate(axes):
        for j, (time, series) in enumerate(zip(times, values, strict=True)):
            chosen = thinned(series[:, i])
            ax.plot(
                time[chosen],
                series[chosen, i],
                color=PALETTE[j % len(PALETTE)],
                linewidth=0.8,
                drawstyle="steps-post" if steps else "default",
            )
        ax.set(title=plain(names[i], 30), ylabel=plain(unit_text(units[i])), xlim=(0.0, max(end, 1e-9)))
        # A power of ten above a panel would push it down beside its neighbours.
        ax.ticklabel_format(axis="y", scilimits=(-4, 6))
        ax.locator_params(nbins=4, axis="y")
        ax.locator_params(nbins=5, axis="x")
    for ax in bottom(axes, columns):
        ax.set_xlabel(time_label)
    handles = [
        Line2D([], [], color=PALETTE[j % len(PALETTE)], linewidth=1.4, label=plain(label, 30))
        for j, label in enumerate(labels)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def thinned(series: Float[np.ndarray, " time"], most: int = MOST_POINTS) -> Int[np.ndarray, " chosen"]:
    """Return the positions of at most `most` points that keep every peak: the extremes of equal stretches."""
    rows = len(series)
    if rows <= most:
        return np.arange(rows)
    edges = np.linspace(0, rows, (most - 2) // 2 + 1).astype(np.int64)
    stretches = [(a, series[a:b]) for a, b in pairwise(edges)]
    peaks = [a + peak for a, part in stretches for peak in (int(part.argmin()), int(part.argmax()))]
    return np.unique(np.array([0, *peaks, rows - 1], np.int64))

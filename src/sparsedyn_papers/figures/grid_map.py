"""A grid of configurations as maps: some axes downwards, the others across, a colour per measure."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import styled
from sparsedyn.plotting.text import number, plain

CELL = (0.62, 0.34)


@styled
def grid_maps(
    measures: Mapping[str, Float[np.ndarray, "row column"]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    across: str,
    best: tuple[int, int],
    title: str,
) -> Figure:
    """Draw a map per measure, values written into it, logarithmic in colour; a frame marks the `best` configuration.

    Names of `columns` may have several lines.
    """
    width, height = CELL[0] * len(columns) + 1.9, CELL[1] * len(rows) + 1.0
    figure, axes = panels(len(measures), 1, width, height)
    headline(figure, title)
    for ax, (name, values) in zip(axes, measures.items(), strict=True):
        usable = values[np.isfinite(values) & (values > 0)]
        low, high = (float(usable.min()), float(usable.max())) if usable.size else (0.1, 1.0)
        norm = LogNorm(low, max(high, low * 1.01))
        ax.imshow(np.where(values > 0, values, np.nan), cmap="viridis_r", norm=norm, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            dark = np.isfinite(value) and value > 0 and norm(value) > 0.55
            text = number(value) if value >= 0.01 else f"{value:.1e}".replace("e-0", "e−").replace("nan", "–")
            ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if dark else "#222222")
        outline = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)]) + np.array(best)[::-1]
        ax.plot(*outline.T, color="#D55E00", linewidth=2.0, clip_on=False)
        ax.set_xticks(range(len(columns)), ["\n".join(plain(line) for line in c.split("\n")) for c in columns])
        ax.set_yticks(range(len(rows)), [plain(r, 30) for r in rows])
        ax.set(title=plain(name, 80), xlabel=plain(across, 80))
        ax.grid(False)
        ax.tick_params(length=0)
    return figure

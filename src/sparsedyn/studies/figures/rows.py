"""The arrangement that several figures share: a row per technique, a panel per horizon."""

import math

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparsedyn.plotting.style import Look
from sparsedyn.plotting.text import plain

COLUMNS = 4


def row_panels(count: int, rows: int) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` axes, each with `rows` rows counted from the top."""
    columns = min(COLUMNS, count)
    bands = math.ceil(count / columns)
    size = (2.2 + 2.25 * columns, bands * (0.85 + 0.27 * max(rows, 2)) + 0.35)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes: list[Axes] = []
    for i in range(count):
        axes.append(figure.add_subplot(bands, columns, i + 1, sharey=axes[0] if axes else None))
    axes[0].set_ylim(rows - 0.4, -0.6)
    return figure, axes


def label_rows(axes: list[Axes], looks: dict[str, Look]) -> None:
    """Name the rows at the left edge, with a hairline between one technique and the next."""
    axes[0].set_yticks(range(len(looks)), [plain(look.label, 30) for look in looks.values()])
    techniques = [look.technique for look in looks.values()]
    breaks = [i - 0.5 for i in range(1, len(techniques)) if techniques[i] != techniques[i - 1]]
    for i, ax in enumerate(axes):
        ax.tick_params(axis="y", length=0, labelleft=i % COLUMNS == 0)
        ax.grid(False, axis="y")
        for height in breaks:
            ax.axhline(height, color="#B8B8B8", linewidth=0.5)

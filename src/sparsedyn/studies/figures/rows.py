"""The arrangement that several figures share: a row per technique, a panel per horizon."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import Look
from sparsedyn.plotting.text import plain

COLUMNS = 4


def row_panels(
    count: int, rows: int, title: str, *, columns: int = COLUMNS, width: float = 2.25
) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` axes, each with `rows` rows counted from the top."""
    figure, axes = panels(count, columns, width, 0.85 + 0.27 * max(rows, 2))
    # Room for the names of the rows.
    figure.set_figwidth(figure.get_figwidth() + 2.2)
    headline(figure, title)
    for ax in axes[1:]:
        ax.sharey(axes[0])
    axes[0].set_ylim(rows - 0.4, -0.6)
    return figure, axes


def label_rows(axes: list[Axes], looks: Mapping[str, Look], columns: int = COLUMNS) -> None:
    """Name the rows at the left edge, with a hairline between one technique and the next."""
    axes[0].set_yticks(range(len(looks)), [plain(look.label, 30) for look in looks.values()])
    techniques = [look.technique for look in looks.values()]
    breaks = [i - 0.5 for i in range(1, len(techniques)) if techniques[i] != techniques[i - 1]]
    for i, ax in enumerate(axes):
        ax.tick_params(axis="y", length=0, labelleft=i % columns == 0)
        ax.grid(False, axis="y")
        for height in breaks:
            ax.axhline(height, color="#B8B8B8", linewidth=0.5)

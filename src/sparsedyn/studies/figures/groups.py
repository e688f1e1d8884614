"""The upright arrangement: horizons side by side, in each an entry per technique."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.plotting.layout import balanced, headline
from sparsedyn.plotting.style import INK, Look
from sparsedyn.plotting.text import plain
from sparsedyn.studies.figures.violin import RING

# More entries than this would be too thin side by side: the horizons then go on in another band below.
MOST_ENTRIES = 72
WIDEST, NARROWEST = 12.4, 6.2
# The share of the distance between two horizons that their entries take.
GROUP = 0.86
LABEL = 30


@dataclass(frozen=True)
class Band:
    """One row of the arrangement: its axes, its horizons, and the room for one entry."""

    ax: Axes
    horizons: tuple[int, ...]
    entries: int

    @property
    def room(self) -> float:
        """The width of an entry, horizons being one apart."""
        return GROUP / self.entries

    def place(self, horizon: int, entry: int) -> float:
        """Return where the middle of an entry is."""
        return self.horizons.index(horizon) + (entry - (self.entries - 1) / 2) * self.room


def group_bands(title: str, horizon_names: Mapping[int, str], entries: int) -> tuple[Figure, list[Band]]:
    """Return a figure and its bands, the horizons named below and told apart by faint lines."""
    horizons = list(horizon_names)
    bands = math.ceil(len(horizons) * entries / MOST_ENTRIES)
    each = math.ceil(len(horizons) / min(bands, len(horizons)))
    chunks = [tuple(horizons[i : i + each]) for i in range(0, len(horizons), each)]
    width = min(max(1.0 + 0.26 * each * (entries + 1), 1.6 * each, NARROWEST), WIDEST)
    figure = Figure(figsize=(width, 0.9 + 2.75 * len(chunks)), layout="constrained")
    FigureCanvasAgg(figure)
    headline(figure, title)
    found = [Band(figure.add_subplot(len(chunks), 1, i + 1), chunk, max(entries, 1)) for i, chunk in enumerate(chunks)]
    for band in found:
        # Two lines where there is a time: rows above, time below.
        names = [plain(horizon_names[h], 60).replace(" (", "\n(") for h in band.horizons]
        band.ax.set_xticks(range(len(names)), names)
        # Every band as wide as the first, also when it has fewer horizons.
        band.ax.set_xlim(-0.5, each - 0.5)
        band.ax.tick_params(axis="x", length=0)
        band.ax.grid(False, axis="x")
        for i in range(1, len(names)):
            band.ax.axvline(i - 0.5, color="#B8B8B8", linewidth=0.5)
    return figure, found


def group_legend(figure: Figure, looks: Sequence[Look], published: str) -> None:
    """Name the entries below the figure, and the diamonds if there are any (`published` not empty)."""
    handles: list[Artist] = [
        Patch(facecolor=look.fill, edgecolor=look.color, linewidth=0.6, label=plain(look.label, LABEL))
        for look in looks
    ]
    if published:
        handles.append(diamond([], [], published))
    longest = max(len(line) for handle in handles for line in str(handle.get_label()).split("\n"))
    most = max(1, int(figure.get_figwidth() / (0.075 * longest + 0.6)))
    figure.legend(handles=handles, loc="outside lower center", ncols=balanced(len(handles), most))


def diamond(x: list[float], y: list[float], label: str = "") -> Line2D:
    """Return the mark of a published value."""
    return Line2D(
        x,
        y,
        marker="D",
        markersize=4.8,
        markerfacecolor="black",
        # White around it, or it would be lost on a whisker.
        markeredgecolor="white",
        markeredgewidth=0.7,
        linestyle="",
        label=label,
        clip_on=False,
        zorder=RING - 0.5,
    )


def whisker(ax: Axes, at: float, low: float, high: float) -> None:
    """Draw an upright interval."""
    ax.plot([at, at], [low, high], color=INK, linewidth=1.1, solid_capstyle="butt")

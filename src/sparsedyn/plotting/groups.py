"""The upright arrangement: horizons side by side, in each a place for every entry of a comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sparsedyn.plotting.layout import balanced
from sparsedyn.plotting.style import Look
from sparsedyn.plotting.text import entry, plain

Values = Mapping[tuple[str, int], float]
"""A number by entry and horizon."""
WIDEST, NARROWEST = 12.4, 6.2
# The share of the distance between two horizons that their entries take.
GROUP = 0.86
LABEL = 30
# A mean lies on top of a reference, whose corners show from below where both agree.
RING = 4


@dataclass(frozen=True)
class Groups:
    """Where entries stand: `horizons` by rows with their names, in each the entries of these `labels`."""

    horizons: Mapping[int, str]
    labels: Sequence[str]

    @property
    def room(self) -> float:
        """The width of an entry, horizons being one apart."""
        return GROUP / max(len(self.labels), 1)

    @property
    def width(self) -> float:
        """The width of a picture in which entries can be told apart, in inches."""
        count = len(self.horizons)
        return min(max(1.0 + 0.26 * count * (len(self.labels) + 1), 1.6 * count, NARROWEST), WIDEST)

    def places(self) -> Iterator[tuple[str, int, float]]:
        """Yield every entry at every horizon with the middle of its place."""
        for i, horizon in enumerate(self.horizons):
            for j, label in enumerate(self.labels):
                yield label, horizon, i + (j - (len(self.labels) - 1) / 2) * self.room

    def prepare(self, ax: Axes) -> None:
        """Name the horizons below the axes and tell them apart by faint lines."""
        # Two lines where there is a time: rows above, time below.
        names = [plain(name, 60).replace(" (", "\n(") for name in self.horizons.values()]
        ax.set_xticks(range(len(names)), names)
        ax.set_xlim(-0.5, len(names) - 0.5)
        ax.tick_params(axis="x", length=0)
        ax.grid(False, axis="x")
        for i in range(1, len(names)):
            ax.axvline(i - 0.5, color="#B8B8B8", linewidth=0.5)


def group_legend(figure: Figure, looks: Sequence[Look], reference: str = "") -> None:
    """Name the entries below the figure, and the diamonds if there are any (`reference` not empty)."""
    handles: list[Artist] = [
        Patch(facecolor=look.fill, edgecolor=look.color, linewidth=0.6, label=entry(look.label, LABEL))
        for look in looks
    ]
    if reference:
        handles.append(diamond([], [], reference))
    longest = max(len(line) for handle in handles for line in str(handle.get_label()).split("\n"))
    most = max(1, int(figure.get_figwidth() / (0.075 * longest + 0.6)))
    figure.legend(handles=handles, loc="outside lower center", ncols=balanced(len(handles), most))


def diamond(x: list[float], y: list[float], label: str = "") -> Line2D:
    """Return the mark of a reference value, such as a published one."""
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

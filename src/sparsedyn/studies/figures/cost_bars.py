"""Wall time by group of cells that were computed together."""

from matplotlib.figure import Figure

from sparsedyn.plotting.layout import panels
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import number, plain


@styled
def cost_bars(seconds: dict[str, float]) -> Figure:
    """Draw a bar per entry of `seconds`, named by its key."""
    figure, (ax,) = panels(1, 1, 9.0, 0.5 + 0.36 * len(seconds))
    figure.suptitle("Wall time", x=0.01, ha="left")
    furthest = max([*seconds.values(), 1e-9])
    for row, value in enumerate(seconds.values()):
        ax.barh(row, value, height=0.62, color=PALETTE[0])
        ax.text(value + 0.01 * furthest, row, f"{number(value)} s", va="center", fontsize=8)
    ax.set_yticks(range(len(seconds)), [plain(name, 60) for name in seconds])
    ax.set(xlim=(0, 1.12 * furthest), ylim=(len(seconds) - 0.4, -0.6), xlabel="seconds")
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    return figure

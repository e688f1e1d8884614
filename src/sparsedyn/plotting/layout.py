"""Axes for pictures: the caller's own, or new ones in a figure of the right size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparsedyn.plotting.text import plain

# A letter and a line of a figure's title, inches.
TITLE_LETTER, TITLE_LINE = 0.098, 0.18


@dataclass(frozen=True)
class Panels:
    """Axes of one picture, in rows of `columns`; `figure` is None where the axes are the caller's."""

    axes: list[Axes]
    columns: int
    figure: Figure | None

    @property
    def array(self) -> np.ndarray:
        """The axes as Matplotlib's own functions return several."""
        return np.array(self.axes, object)

    @property
    def bottom(self) -> list[Axes]:
        """The axes with no other below them; all of them where the caller arranged them."""
        return self.axes if self.figure is None else bottom(self.axes, self.columns)

    def legend(self, handles: Sequence[Artist] | None = None, *, columns: int = 3, right: bool = False) -> None:
        """Put a legend below or at the right, of what the first axes name unless told; in the caller's axes none."""
        if self.figure is not None:
            shown = self.axes[0].get_legend_handles_labels()[0] if handles is None else list(handles)
            if right:
                self.figure.legend(handles=shown, loc="outside right center")
            else:
                self.figure.legend(handles=shown, loc="outside lower center", ncols=columns)


def arrange(
    count: int,
    columns: int,
    width: float,
    height: float,
    *,
    axes: Sequence[Axes] | np.ndarray | None,
    figure: Figure | None,
    title: str,
) -> Panels:
    """Return `count` axes: those given, else new ones in `figure`, else in a new figure of pyplot.

    New axes are about `width` x `height` inches, in rows of at most `columns`, below the `title`. Raises `ValueError`
    where another number of axes is given.
    """
    if axes is not None:
        given = list(np.ravel(np.asarray(axes, object)))
        if len(given) != count:
            raise ValueError(
                f"axes: expected {count}, one per panel; got {len(given)}. Make them with plt.subplots({count}, 1), or "
                "leave them out."
            )
        return Panels(given, 1, None)
    own = pyplot.figure() if figure is None else figure
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    own.set_size_inches(columns * width, rows * height + (0.55 if title else 0.3))
    own.set_layout_engine("constrained")
    if title:
        headline(own, title)
    return Panels([own.add_subplot(rows, columns, i + 1) for i in range(count)], columns, own)


def arrange_one(width: float, height: float, *, ax: Axes | None, figure: Figure | None, title: str) -> Panels:
    """Return the given axes, or new ones of this size in inches; see `arrange`."""
    return arrange(1, 1, width, height, axes=None if ax is None else [ax], figure=figure, title=title)


def standalone() -> Figure:
    """Return an empty figure that pyplot knows nothing of, for pictures that only go to files."""
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def in_figure(draw: Callable[..., object], *args: Any, **kwargs: Any) -> Figure:
    """Return a standalone figure filled by a function that takes `figure`, with these arguments."""
    figure = standalone()
    draw(*args, figure=figure, **kwargs)
    return figure


def panels(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a standalone figure of `count` axes in rows of at most `columns`, each about width x height inches."""
    figure = standalone()
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    figure.set_size_inches(columns * width, rows * height + 0.55)
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def balanced(count: int, most: int) -> int:
    """Return how many columns, at most `most`, spread `count` panels over rows with the fewest gaps."""
    return math.ceil(count / math.ceil(count / most))


def bottom(axes: list[Axes], columns: int) -> list[Axes]:
    """Return the axes with no other below them."""
    return [a for i, a in enumerate(axes) if i + columns >= len(axes)]


def headline(figure: Figure, title: str) -> None:
    """Put a title above a figure of settled size, in as many lines as its width asks for."""
    wrapped = plain(title, max(16, int(figure.get_figwidth() / TITLE_LETTER)), lines=4)
    figure.set_figheight(figure.get_figheight() + TITLE_LINE * wrapped.count("\n"))
    figure.suptitle(wrapped, x=0.01, ha="left")

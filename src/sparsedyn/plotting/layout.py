"""Panels in rows and columns, and the title above them."""

import math

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparsedyn.plotting.text import plain

# A letter and a line of a figure's title, inches.
TITLE_LETTER, TITLE_LINE = 0.098, 0.18


def panels(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` equal axes in rows of at most `columns`, each about width x height inches."""
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(columns * width, rows * height + 0.55), layout="constrained")
    FigureCanvasAgg(figure)
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

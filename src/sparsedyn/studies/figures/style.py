"""How every figure looks: one palette, one set of sizes, and bytes that are the same on every run."""

import functools
import io
import math
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

import matplotlib.style
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

Parameters = ParamSpec("Parameters")

# Okabe and Ito's colour-blind-safe palette; Tol's wine and indigo for its yellow (too faint on white) and black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#332288")
INK, FAINT, CONTEXT = "#222222", "#E3E3E3", "#C4C4C4"
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8A8A8A",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.useoffset": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": "#5A5A5A",
    "ytick.color": "#5A5A5A",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.titlesize": 10.5,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "hatch.linewidth": 0.6,
    "path.simplify_threshold": 0.3,
    # Journals refuse the default, type 3.
    "pdf.fonttype": 42,
}
# File formats write the clock and their own version unless told not to.
METADATA = {"png": {"Software": None}, "pdf": {"Creator": None, "Producer": None, "CreationDate": None}}
DOTS_PER_INCH = 150
# A letter and a line of a figure's title, inches.
TITLE_LETTER, TITLE_LINE = 0.098, 0.18


@dataclass(frozen=True)
class Look:
    """How one cell of a study is drawn: techniques differ in colour, their averaged variants in shade.

    `name` is the label without the average, `technique` what else may be said by the label left out as well.
    """

    label: str
    name: str
    technique: str
    color: str
    averaged: bool

    @property
    def fill(self) -> str:
        """Colour of areas, lighter for an averaged variant."""
        return tint(self.color, 0.6 if self.averaged else 0.15)

    @property
    def dashes(self) -> str:
        """Line style, dashed for an averaged variant."""
        return "--" if self.averaged else "-"


def styled(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Draw under this style whatever the user's own Matplotlib settings are, and leave those as they were."""

    @functools.wraps(draw)
    def in_style(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with matplotlib.style.context(("default", STYLE)):
            return draw(*args, **kwargs)

    return in_style


def render(figure: Figure) -> tuple[bytes, bytes]:
    """Return the contents of a PNG and a PDF file of `figure`, the same bytes for the same figure."""
    with matplotlib.style.context(("default", STYLE)), warnings.catch_warnings():
        # A label may hold letters that the font does not have; a box in the picture says as much.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # Placing everything takes as long as drawing it: once is enough for both files.
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
        return _saved(figure, "png"), _saved(figure, "pdf")


def _saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=DOTS_PER_INCH, metadata=METADATA[kind])
    return stream.getvalue()


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


def tint(color: str, share: float) -> str:
    """Mix `color` with white; `share` 0 leaves it, 1 gives white."""
    red, green, blue = (round(255 * (c + (1 - c) * share)) for c in to_rgb(color))
    return f"#{red:02x}{green:02x}{blue:02x}"


def plain(label: str, width: int = 34, lines: int = 2) -> str:
    """Wrap a user's label and keep its dollar signs from being read as mathematics."""
    wrapped = textwrap.wrap(" ".join(label.split()), width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1][: width - 1] + "…"]
    return "\n".join(wrapped).replace("$", r"\$")


def headline(figure: Figure, title: str) -> None:
    """Put a title above a figure of settled size, in as many lines as its width asks for."""
    wrapped = plain(title, max(16, int(figure.get_figwidth() / TITLE_LETTER)), lines=4)
    figure.set_figheight(figure.get_figheight() + TITLE_LINE * wrapped.count("\n"))
    figure.suptitle(wrapped, x=0.01, ha="left")


def average_name(average: object) -> str:
    """Write the average of a result, empty for weights as trained."""
    name = str(average)
    if name in ("", "none", "None", "nan", "<NA>"):
        return ""
    return name.upper() if name in ("swa", "ema") else name


def unit_text(unit: str) -> str:
    """Write a unit the way it is printed."""
    return unit.replace("degC", "°C").replace("degF", "°F")


def number(value: float, digits: int = 2) -> str:
    """Write `value` with so many significant digits, without exponent between 0.001 and a million."""
    if not math.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        places = 0 if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:,.{places}f}"
    return f"{value:.{digits - 1}e}"


def log_ticks(axis: Axis) -> None:
    """Give a logarithmic axis as many ticks as there is room for, written as plain numbers."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    # Labels above one another need less room than labels side by side.
    room = 1.0 if isinstance(axis, XAxis) else 0.7
    dense = (
        (0.8, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)),
        (1.1, (1.0, 2.0, 3.0, 5.0)),
        (1.6, (1.0, 2.0, 5.0)),
        (2.6, (1.0, 3.0)),
    )
    subs = next((subs for most, subs in dense if decades * room < most), (1.0,))
    axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axis.set_minor_locator(NullLocator())


def log_limits(values: Float[np.ndarray, "..."], floor: float, ceiling: float) -> tuple[float, float]:
    """Return limits of a logarithmic axis that hold the positive finite `values` between `floor` and `ceiling`."""
    usable = values[np.isfinite(values) & (values > 0)]
    if not usable.size:
        return floor, ceiling
    low, high = float(np.clip(usable.min(), floor, ceiling)), float(np.clip(usable.max(), floor, ceiling))
    return low / 1.3, max(high * 1.3, low * 3)

"""How every figure looks: one palette, one set of sizes, and bytes that are the same on every run."""

import functools
import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

Parameters = ParamSpec("Parameters")
Drawn = TypeVar("Drawn")
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
Kind = Literal["png", "pdf"]
# File formats write the clock and their own version unless told not to.
METADATA: dict[Kind, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}
DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Look:
    """How one entry of a comparison is drawn: techniques differ in colour, variants with averaged weights in shade.

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


def looks_of(labels: Iterable[str], looks: Mapping[str, Look] | None = None) -> dict[str, Look]:
    """Return the given looks, else one per label, in the colours of the palette by turns."""
    if looks is not None:
        return dict(looks)
    return {
        label: Look(label, label, label, PALETTE[i % len(PALETTE)], averaged=False) for i, label in enumerate(labels)
    }


def styled(draw: Callable[Parameters, Drawn]) -> Callable[Parameters, Drawn]:
    """Draw under this style whatever the user's own Matplotlib settings are, and leave those as they were."""

    @functools.wraps(draw)
    def in_style(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Drawn:
        with matplotlib.style.context(("default", STYLE)):
            return draw(*args, **kwargs)

    return in_style


def render(figure: Figure, *kinds: Kind) -> tuple[bytes, ...]:
    """Return the contents of a file of `figure` for each of `kinds`, the same bytes for the same figure."""
    with matplotlib.style.context(("default", STYLE)), warnings.catch_warnings():
        # A label may hold letters that the font does not have; a box in the picture says as much.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # Placing everything takes as long as drawing it: once is enough for all files.
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
        return tuple(_saved(figure, kind) for kind in kinds)


def _saved(figure: Figure, kind: Kind) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=DOTS_PER_INCH, metadata=METADATA[kind])
    return stream.getvalue()


def tint(color: str, share: float) -> str:
    """Mix `color` with white; `share` 0 leaves it, 1 gives white."""
    red, green, blue = (round(255 * (c + (1 - c) * share)) for c in to_rgb(color))
    return f"#{red:02x}{green:02x}{blue:02x}"

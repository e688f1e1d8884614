"""A picture of a study, and how its words name what it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from sparsedyn.studies.figures import Look
from sparsedyn.studies.page.write import listing


@dataclass(frozen=True)
class Picture:
    """A figure still to be drawn: its files' `name`, its `part` of the page, what it shows, a caption (HTML)."""

    name: str
    part: str
    alt: str
    caption: str
    draw: Callable[[], Figure]


def labels(looks: Mapping[str, Look]) -> str:
    """List the cells that a picture shows."""
    return listing([look.label for look in looks.values()], 20)

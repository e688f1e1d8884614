"""A comparison arranged as in a paper: the cells of each of its figures side by side, with the published values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparsedyn.plotting.style import Look
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.document import Picture, Section, bold, plain
from sparsedyn.studies.document.words import listing
from sparsedyn_papers.figures.bands import panel_bars, panel_violins
from sparsedyn_papers.tables import PanelSpec, panels_of, published_of


@dataclass(frozen=True)
class Panel:
    """A panel that compares: its `number` in the spec, from 1, its cells in `shown`, labels of `missing` ones."""

    contents: Contents
    spec: PanelSpec
    number: int
    shown: Mapping[str, Look]
    missing: Sequence[str]

    @property
    def remarks(self) -> str:
        """What ends a caption (Markdown): the figure of the paper, and the cells that are not among the results."""
        origin = f" Arranged like the paper's {plain(self.spec.figure)}." if self.spec.figure else ""
        missing = f" Not among the results: {plain(listing(self.missing, 20))}." if self.missing else ""
        return origin + missing

    @property
    def labels(self) -> str:
        """The cells that are shown, in words."""
        return listing(list(self.shown), 20)

    def published(self, what: str) -> dict[tuple[str, int], float]:
        """Return the published values of the shown cells by cell and horizon, those that are numbers."""
        published = published_of(self.contents.spec)
        if published is None:
            return {}
        found: dict[tuple[str, int], float] = {}
        for row in published.rows:
            values = getattr(row, what)
            if row.cell in self.shown and values is not None:
                pairs = zip(published.horizons, values, strict=True)
                found |= {(row.cell, h): v for h, v in pairs if math.isfinite(v) and h in self.contents.horizons}
        return found


def panel_sections(contents: Contents) -> Sequence[Section]:
    """Return two pictures for every panel that compares: bars of shares diverged, violins of errors."""
    pictures: list[Picture] = []
    for number, spec in enumerate(panels_of(contents.spec), 1):
        shown = {cell: contents.looks[cell] for cell in spec.cells if cell in contents.looks}
        if spec.kind == "comparison" and shown:
            panel = Panel(contents, spec, number, shown, [cell for cell in spec.cells if cell not in shown])
            pictures += [_bars(panel), *_violins(panel)]
    return [Section("panels", "The paper's arrangement", pictures)]


def forecasts_shown(contents: Contents) -> Mapping[str, str]:
    """Return the cells of the panels of forecasts, each with the paper's figure that it is like (Markdown)."""
    named = {cell: panel.figure for panel in panels_of(contents.spec) if panel.kind == "fan" for cell in panel.cells}
    return {
        cell: f"Like the paper's {plain(figure)}." if figure else ""
        for cell, figure in named.items()
        if cell in contents.looks
    }


def _bars(panel: Panel) -> Picture:
    contents, shown, title = panel.contents, dict(panel.shown), panel.spec.title
    theirs = panel.published("diverged")
    mark = " Diamonds: published shares." if theirs else ""
    return Picture(
        name=f"panel-{panel.number}-diverged",
        alt=f"Bar chart, horizons side by side: share of diverged forecasts of {panel.labels}.",
        caption=f"{bold(title)}: share of forecasts that had diverged by each horizon. Whiskers: 95 % intervals over "
        f"members and trajectories.{mark}{panel.remarks}",
        draw=lambda: panel_bars(contents.results, shown, contents.horizon_names(), theirs, title=title),
    )


def _violins(panel: Panel) -> list[Picture]:
    contents, shown, title = panel.contents, dict(panel.shown), panel.spec.title
    stored = {cell: contents.cells[cell].tables for cell in shown if cell in contents.cells}
    tables = {cell: own["forecasts"] for cell, own in stored.items() if "forecasts" in own}
    if not tables:
        return []
    theirs = panel.published("rfmse")
    mark = " Diamonds: published means." if theirs else ""
    return [
        Picture(
            name=f"panel-{panel.number}-rfmse",
            alt=f"Violin plot, horizons side by side: distribution of the RFMSE of {panel.labels}.",
            caption=f"{bold(title)}: RFMSE of the forecasts that had not diverged, on a logarithmic axis. Bar: the "
            f"middle half; ring: the mean.{mark}{panel.remarks}",
            draw=lambda: panel_violins(tables, shown, contents.horizon_names(), theirs, title=title),
        )
    ]

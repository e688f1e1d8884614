"""The study arranged as in a paper: the cells of each of its figures side by side, with the published values."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from sparsedyn.studies import figures
from sparsedyn.studies.comparison.spec import PanelSpec
from sparsedyn.studies.figures import Look
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.picture import Picture, labels
from sparsedyn.studies.page.published import key_of, published_figures
from sparsedyn.studies.page.write import listing


@dataclass(frozen=True)
class Panel:
    """A panel that compares: its `number` in the spec, from 1, its cells in `shown`, labels of `missing` ones."""

    contents: Contents
    spec: PanelSpec
    number: int
    shown: dict[str, Look]
    missing: Sequence[str]

    @property
    def remarks(self) -> str:
        """What ends a caption (HTML): the figure of the paper, and the cells that are not among the results."""
        origin = f" Arranged like the paper's {escape(self.spec.figure)}." if self.spec.figure else ""
        missing = f" Not among the results: {escape(listing(self.missing, 20))}." if self.missing else ""
        return origin + missing

    def published(self, what: str) -> dict[tuple[str, int], float]:
        """Return the published values of the shown cells by cell and horizon, those that are numbers."""
        published = published_figures(self.contents)
        if published is None:
            return {}
        found: dict[tuple[str, int], float] = {}
        for row in published.rows:
            key, values = key_of(self.contents, row.cell), getattr(row, what)
            if key in self.shown and values is not None:
                pairs = zip(published.horizons, values, strict=True)
                found |= {(key, h): v for h, v in pairs if math.isfinite(v) and h in self.contents.horizons}
        return found


def panel_pictures(contents: Contents) -> Iterator[Picture]:
    """Yield two pictures for every panel that compares: bars of shares diverged, violins of errors."""
    for number, spec in enumerate(contents.study.panels if contents.study is not None else (), 1):
        keys = {cell: key_of(contents, cell) for cell in spec.cells}
        shown = {key: contents.looks[key] for key in keys.values() if key is not None}
        if spec.kind == "fan" or not shown:
            continue
        panel = Panel(contents, spec, number, shown, [cell for cell, key in keys.items() if key is None])
        yield _bars(panel)
        violins = _violins(panel)
        if violins is not None:
            yield violins


def _bars(panel: Panel) -> Picture:
    contents, shown, title = panel.contents, panel.shown, panel.spec.title
    theirs = panel.published("diverged")
    mark = " Diamonds: published shares." if theirs else ""
    return Picture(
        name=f"panel-{panel.number}-diverged",
        part="panels",
        alt=f"Bar chart, horizons side by side: share of diverged forecasts of {labels(shown)}.",
        caption=f"<b>{escape(title)}</b>: share of forecasts that had diverged by each horizon. Whiskers: 95 % "
        f"intervals over members and trajectories.{mark}{panel.remarks}",
        draw=lambda: figures.panel_bars(contents.results, shown, contents.horizon_names(), theirs, title=title),
    )


def _violins(panel: Panel) -> Picture | None:
    contents, shown, title = panel.contents, panel.shown, panel.spec.title
    stored = {key: contents.cells[key].forecasts for key in shown if key in contents.cells}
    tables = {key: table for key, table in stored.items() if table is not None}
    if not tables:
        return None
    theirs = panel.published("rfmse")
    mark = " Diamonds: published means." if theirs else ""
    return Picture(
        name=f"panel-{panel.number}-rfmse",
        part="panels",
        alt=f"Violin plot, horizons side by side: distribution of the RFMSE of {labels(shown)}.",
        caption=f"<b>{escape(title)}</b>: RFMSE of the forecasts that had not diverged, on a logarithmic axis. "
        f"Bar: the middle half; ring: the mean.{mark}{panel.remarks}",
        draw=lambda: figures.panel_violins(tables, shown, contents.horizon_names(), theirs, title=title),
    )

"""The parts of a report: a document of sections with text, tables, pictures, charts and folds."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure

Mark = Literal["", "best", "near", "good", "fair", "bad"]


@dataclass(frozen=True)
class Text:
    """Paragraphs and lists, in Markdown."""

    markdown: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `name` is Markdown, a line break in it is kept. `text` says that the column holds text, which is aligned to the
    left, rather than numbers. `group` says that it begins a group of columns, which a line sets off. `over` is a
    heading that neighbouring columns with the same one share.
    """

    name: str
    text: bool = False
    group: bool = False
    over: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of a table, in Markdown of one line.

    `note` stands below it in small print. `mark` says how it compares: the best of its column, or near the best; good,
    fair or bad news. `sort` is what a sortable column is ordered by, the text where it is None. `color` is that of a
    swatch beside the text.
    """

    text: str
    note: str = ""
    mark: Mark = ""
    sort: float | None = None
    color: str = ""

    @property
    def key(self) -> str:
        """What the column is ordered by; empty for an unknown number, which comes last."""
        if self.sort is None:
            return self.text
        return f"{self.sort:.9g}" if math.isfinite(self.sort) else ""


@dataclass(frozen=True)
class Table:
    """Columns, and rows of as many entries, the first of which names the row.

    `sortable` puts buttons that sort into the headings. `apart` is for a table that is too wide for a page of text,
    where it is divided: into a table for each name that columns under several headings share, and one for each heading
    over columns of other names.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Entry | str]]
    sortable: bool = False
    apart: bool = False

    def entries(self) -> Iterator[list[Entry]]:
        """Yield the rows with plain strings as entries."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table: expected {len(self.columns)} entries in a row; got {len(row)}: {row}.")
            yield [Entry(entry) if isinstance(entry, str) else entry for entry in row]


@dataclass(frozen=True)
class Picture:
    """A figure that is drawn when needed: the name of its files, a description (plain text), a caption (Markdown)."""

    name: str
    alt: str
    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Chart:
    """An interactive Plotly figure, made when needed, with its caption (Markdown); Markdown pages omit it."""

    name: str
    caption: str
    make: Callable[[], Any]


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown on a click; Markdown pages leave them out. `title` is Markdown of one line."""

    title: str
    blocks: "Sequence[Block]"


Block = Text | Table | Picture | Chart | Fold


@dataclass(frozen=True)
class Section:
    """A section: its anchor, unique in the document, its heading (Markdown), and its blocks."""

    anchor: str
    heading: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A report: its title (plain text), paragraphs below the title (Markdown), and sections."""

    title: str
    leads: Sequence[str]
    sections: Sequence[Section]

    def pictures(self, *, folded: bool = True) -> Iterator[Picture]:
        """Yield all pictures in order, those in folds only with `folded`."""
        for section in self.sections:
            yield from _pictures(section.blocks, folded)


def _pictures(blocks: Sequence[Block], folded: bool) -> Iterator[Picture]:
    for block in blocks:
        if isinstance(block, Picture):
            yield block
        elif isinstance(block, Fold) and folded:
            yield from _pictures(block.blocks, folded)

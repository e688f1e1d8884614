"""What a report is made of, whether it becomes a page of HTML or of Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sparsedyn.studies.page.picture import Picture


class Column(NamedTuple):
    """A column: its name, whether it holds text rather than numbers, and whether it begins a group of columns."""

    name: str
    text: bool = False
    group: bool = False


@dataclass(frozen=True)
class Table:
    """A table of cells in HTML, of which only emphasis and code are used; the first cell of a row names it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A section: its name, its heading, a sentence to begin with (plain text), and a table."""

    name: str
    heading: str
    table: Table | None = None
    lead: str = ""


@dataclass(frozen=True)
class Page:
    """A study's part of the report: one line on its size, sentences that answer, sections, pictures.

    `size` and `meanings` are plain text, `answer` is HTML of emphasis and code. A picture belongs to the section that
    its `part` names, below its table.
    """

    size: str
    answer: Sequence[str]
    sections: Sequence[Section]
    pictures: Sequence[Picture]
    meanings: dict[str, str]

"""A study in a few lines for a terminal: what it will compute, and its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparsedyn.studies.cells import Cell
from sparsedyn.studies.cost import Cost
from sparsedyn.studies.document.words import plural


@dataclass(frozen=True)
class Overview:
    """What a study will compute: a headline and a line for each part, and the same as data; what it costs, if known."""

    headline: str
    lines: Sequence[str]
    facts: Mapping[str, Any]
    cost: Cost | None = None


@dataclass(frozen=True)
class Listing:
    """A table of text; the first column names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True)
class Summary:
    """The results of a study: tables to read, and records, with further `facts`."""

    listings: Sequence[Listing]
    records: Sequence[Mapping[Any, Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)


def listed_cells(cells: Sequence[Cell]) -> Overview:
    """Return the overview of cells that are computed one after the other."""
    labels = [cell.label for cell in cells]
    return Overview(f"{plural(len(cells), 'cell')}, one after the other", labels, {"cells": labels})

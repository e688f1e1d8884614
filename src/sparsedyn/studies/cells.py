"""Cells, and what is stored of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

OnProgress = Callable[[float, str], None]
"""Called with the share of a cell that is done, and a remark."""


@dataclass(frozen=True)
class Cell:
    """A configuration with a folder and rows in the results of its own: the name of the folder, and a label."""

    slug: str
    label: str


@dataclass(frozen=True)
class CellFiles:
    """The files of a finished cell apart from cell.json: one of arrays, tables by their stems, and others."""

    arrays: str = "arrays.npz"
    tables: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.arrays, *(f"{stem}.parquet" for stem in self.tables), *self.others)


class Share(NamedTuple):
    """A cell's share of the seconds that were spent on all cells of a unit together, by the key of that in run.json."""

    key: str
    seconds: float


class Outcome(NamedTuple):
    """The result of a cell.

    `facts` go to cell.json, `arrays` and `tables` to the files that its kind names, and each of `others` is written by
    a function of its path. `summary` is a few words for the progress display.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]
    summary: str
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({})
    others: Mapping[str, Callable[[Path], Any]] = MappingProxyType({})
    share: Share | None = None

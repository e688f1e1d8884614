"""Cells, and what is stored of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

OnProgress = Callable[[float, str], None]
"""Is told which share of a cell is done, and a remark."""


@dataclass(frozen=True)
class Cell:
    """What is computed as one and stored as one: the name of its folder, and what it is called."""

    slug: str
    label: str


class Outcome(NamedTuple):
    """What a cell came to: facts for `cell.json`, arrays for `arrays.npz`, and a few words for who watches."""

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]
    summary: str

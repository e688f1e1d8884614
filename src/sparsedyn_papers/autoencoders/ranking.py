"""The first member of a cell's ranking, and errors as tables write them."""

import math
from collections.abc import Mapping
from typing import Any

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document.words import DASH, quantity


def first(cell: StoredCell) -> Mapping[str, Any]:
    """Return the first member of a cell's ranking."""
    member: Mapping[str, Any] = cell.facts["members"][cell.facts["best"]]
    return member


def loss(cell: StoredCell) -> float:
    """Return the mean square of what the decoder of the first member misses on test data."""
    error = or_nan(first(cell)["errors"]["test"]["decoder"]) * cell.facts["mean_square"]
    return math.inf if math.isnan(error) else error


def or_nan(value: float | None) -> float:
    """Return a number read from JSON, which has none for what is not finite."""
    return math.nan if value is None else float(value)


def error_text(value: float | None) -> str:
    """Write a relative error with two digits."""
    if value is None or not math.isfinite(value):
        return DASH
    return quantity(value) if value >= 0.1 else f"{value:.1e}".replace("e-0", "e−").replace("e-", "e−")

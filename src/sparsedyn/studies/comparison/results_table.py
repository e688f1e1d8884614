"""The results of a comparison: a row per cell, at every horizon the share diverged and the RFMSE, and sizes."""

import math
from typing import Any

import pandas as pd

from sparsedyn.studies.comparison.answer import best_row, enough_survivors, equal_rows, indistinct_rows
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.document import Block, Column, Entry, Fold, Table, Text, plain
from sparsedyn.studies.document.blocks import Mark
from sparsedyn.studies.document.words import DASH, bounds, percent, quantity

NAMES = {"diverged": "diverged, %", "rfmse": "RFMSE"}
SPARSITIES = {"sparsity_exact": "exact\nzeros", "sparsity_mask": "masked", "sparsity_small": "near\nzero"}
SIZE = "Size of one network\n(mean over members)"
INTERVALS = "Small print: 95 % intervals."
KEY = (
    "**Bold**: best of its column. *Italic*: the interval overlaps with that of the best, so the two cannot be told "
    f"apart here. RFMSE is compared only where at least half of the forecasts did not diverge. {INTERVALS}"
)


def results_blocks(contents: Contents) -> list[Block]:
    """Return the key to the table, the table, and, folded, the same with squared errors."""
    key = Text(KEY if len(contents.looks) > 1 else INTERVALS)
    squared = {f"{column}_squared{end}" for column in NAMES for end in ("", "_low", "_high")}
    if not squared <= set(contents.results.columns):
        return [key, results_table(contents)]
    title = "The same with squared errors, the other reading of the RFMSE"
    return [key, results_table(contents), Fold(title, [results_table(contents, "_squared")])]


def results_table(contents: Contents, reading: str = "") -> Table:
    """Return the table in one reading of RFMSE and divergence: "" or "_squared"."""
    pairs = [(h, column) for h in contents.horizons for column in NAMES]
    marks = {(h, column): _marks(contents.at(h), column + reading) for h, column in pairs}
    names = contents.horizon_names()
    known = [column for column in SPARSITIES if column in contents.results]
    columns = [
        Column("configuration", text=True),
        *(Column(NAMES[c], group=c == "diverged", over=names[h].replace(" (", "\n(")) for h, c in pairs),
        Column("nonzero\nweights", group=True, over=SIZE),
        *(Column(SPARSITIES[column], over=SIZE) for column in known),
    ]
    rows = []
    for cell, look in contents.looks.items():
        measured = [
            _measured(contents.lookup(cell, h), column + reading, marks[h, column].get(cell, "")) for h, column in pairs
        ]
        first = contents.first(cell)
        shares = [Entry(percent(float(first[column])), sort=float(first[column])) for column in known]
        rows.append([Entry(plain(look.label), color=look.fill), *measured, _weights(first), *shares])
    return Table(columns, rows, sortable=True, apart=True)


def _weights(row: "pd.Series[Any]") -> Entry:
    nonzeros, weights = float(row["nonzeros"]), float(row["weights"])
    left = f"{nonzeros:,.0f}" if math.isfinite(nonzeros) else DASH
    return Entry(left, f"of {weights:,.0f}" if math.isfinite(weights) else "", sort=nonzeros)


def _measured(row: "pd.Series[Any] | None", column: str, mark: Mark) -> Entry:
    value = math.nan if row is None else float(row[column])
    if row is None or not math.isfinite(value):
        return Entry(DASH, sort=math.nan)
    text = f"{100 * value:.1f}" if column.startswith("diverged") else quantity(value)
    return Entry(text, bounds(row, column), mark, value)


def _marks(table: pd.DataFrame, column: str) -> dict[str, Mark]:
    """Mark the cells with the best value, and those whose intervals overlap with it."""
    if column.startswith("rfmse"):
        table = enough_survivors(table)
    best = best_row(table, column)
    # No cell is best where all failed, or where there is no other.
    if best is None or len(table) < 2 or (column.startswith("diverged") and table[column].iloc[best] >= 1):
        return {}
    near: dict[str, Mark] = {str(table["cell"].iloc[i]): "near" for i in indistinct_rows(table, column, best)}
    return near | {str(table["cell"].iloc[i]): "best" for i in equal_rows(table, column, best)}

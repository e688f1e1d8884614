"""The results of a study as Markdown: a row per cell, a column per horizon, one table for each measure."""

import math
from typing import Any

import pandas as pd

from sparsedyn.studies.markdown import plain
from sparsedyn.studies.page.answer import best_row, enough_survivors, equal_rows, indistinct_rows
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.write import DASH, bounds, percent, quantity
from sparsedyn.studies.publish.words import small, table

TITLES = {
    "diverged": "Share of forecasts that diverged, in percent",
    "rfmse": "RFMSE of the forecasts that did not diverge",
}
KEY = (
    "**Bold**: best of its column. *Italic*: the interval overlaps with that of the best, so the two cannot be told "
    "apart here. RFMSE is compared only where at least half of the forecasts did not diverge. Small: 95 % intervals."
)


def results_tables(contents: Contents) -> str:
    """Return the share diverged and the RFMSE at every horizon, with intervals, and the size of the networks."""
    parts = [f"**{title}**\n\n{_measure(contents, column)}" for column, title in TITLES.items()]
    key = [KEY] if len(contents.looks) > 1 else ["Small: 95 % intervals."]
    return "\n\n".join([*parts, *key, f"**Size of one network**, mean over members\n\n{_sizes(contents)}"])


def _measure(contents: Contents, column: str) -> str:
    emphasis = {h: _emphasis(contents.at(h), column) for h in contents.horizons}
    head = ["configuration", *(_two_lines(name) for name in contents.horizon_names().values())]
    rows = []
    for cell, look in contents.looks.items():
        values = [_value(contents.lookup(cell, h), column, emphasis[h].get(cell, "")) for h in contents.horizons]
        rows.append([plain(look.label), *values])
    return table(head, rows)


def _sizes(contents: Contents) -> str:
    shares = {"sparsity_exact": "exact zeros", "sparsity_mask": "masked", "sparsity_small": "near zero"}
    known = {column: name for column, name in shares.items() if column in contents.results.columns}
    rows = []
    for cell, look in contents.looks.items():
        row = contents.first(cell)
        count = [_count(row["nonzeros"]), _count(row["weights"])]
        rows.append([plain(look.label), *count, *(percent(float(row[column])) for column in known)])
    return table(["configuration", "nonzero weights", "of", *known.values()], rows)


def _value(row: "pd.Series[Any] | None", column: str, emphasis: str) -> str:
    value = math.nan if row is None else float(row[column])
    if row is None or not math.isfinite(value):
        return DASH
    text = f"{100 * value:.1f}" if column == "diverged" else quantity(value)
    return f"{emphasis}{text}{emphasis}<br>{small(bounds(row, column))}"


def _emphasis(results: pd.DataFrame, column: str) -> dict[str, str]:
    """Mark the best cells, and those whose interval reaches into that of the best."""
    pool = enough_survivors(results) if column == "rfmse" else results
    best = best_row(pool, column)
    # Nobody is best where everybody failed, or where there is nobody else.
    if best is None or len(pool) < 2 or (column == "diverged" and pool[column].iloc[best] >= 1):
        return {}
    near = {str(pool["cell"].iloc[i]): "*" for i in indistinct_rows(pool, column, best)}
    return near | {str(pool["cell"].iloc[i]): "**" for i in equal_rows(pool, column, best)}


def _two_lines(name: str) -> str:
    rows, _, time = name.partition(" (")
    return f"{rows}<br>{small(time.rstrip(')'))}" if time else rows


def _count(value: Any) -> str:
    number = float(value)
    return f"{number:,.0f}" if math.isfinite(number) else DASH

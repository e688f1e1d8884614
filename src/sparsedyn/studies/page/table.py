"""The main table: a row per cell; at every horizon the share diverged and the RFMSE with their intervals."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from sparsedyn.studies.figures.averages import average_name
from sparsedyn.studies.page.answer import best_row, enough_survivors, equal_rows, indistinct_rows
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.write import DASH, bounds, percent, quantity

READINGS = {"absolute": ("diverged", "rfmse"), "squared": ("diverged_squared", "rfmse_squared")}
SPARSITIES = {"sparsity_exact": "exact zeros", "sparsity_mask": "masked", "sparsity_small": "near zero"}
HINTS = {"best": "best of its column", "near": "its interval overlaps with that of the best"}


def main_table(contents: Contents, reading: str = "absolute") -> str:
    """Return the table (HTML) in one reading of RFMSE and divergence; empty if that one is not stored.

    The best value of a column is marked, and so is every value whose interval overlaps with that of the best.
    """
    columns = READINGS[reading]
    if not {f"{c}{end}" for c in columns for end in ("", "_low", "_high")} <= set(contents.results.columns):
        return ""
    marks = {(h, c): _marks(contents.at(h), c) for h in contents.horizons for c in columns}
    body = []
    for cell in contents.looks:
        line = _leading(contents, cell)
        for horizon in contents.horizons:
            row = contents.lookup(cell, horizon)
            line += [_measured(row, c, marks[horizon, c].get(cell, "")) for c in columns]
        body.append(f"<tr>{''.join(line)}</tr>")
    rows = "".join(body)
    return f'<div class="wide"><table class="sortable">{_head(contents)}<tbody>{rows}</tbody></table></div>'


def sparsity_table(contents: Contents) -> str:
    """Return the table (HTML) of sparsity told three ways, mean over members."""
    known = [column for column in SPARSITIES if column in contents.results.columns]
    rows = []
    for cell in contents.looks:
        row = contents.first(cell)
        shares = "".join(f"<td>{percent(float(row[column]))}</td>" for column in known)
        label = f'<th scope="row">{escape(contents.looks[cell].label)}</th>'
        rows.append(f"<tr>{label}{_weights(row)}{shares}</tr>")
    names = "".join(f'<th scope="col">{SPARSITIES[column]}</th>' for column in known)
    head = f"<thead><tr><th>configuration</th><th>nonzero weights</th>{names}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _head(contents: Contents) -> str:
    """Two rows: the horizons, and under each the buttons that sort."""
    horizons = contents.horizon_names().values()
    # Rows above, time below.
    shown = [escape(name).replace(" (", "<br>(") for name in horizons]
    groups = "".join(f'<th colspan="2" class="group">{name}</th>' for name in shown)
    names = ["technique", "average", "nonzero weights", "sparsity"]
    texts = ["text", "text", "", ""]
    leading = "".join(
        f'<th scope="col" class="{text}"><button type="button">{name}</button></th>'
        for name, text in zip(names, texts, strict=True)
    )
    pair = (
        '<th scope="col" class="group"><button type="button">diverged %</button></th>'
        '<th scope="col"><button type="button">RFMSE</button></th>'
    )
    return f'<thead><tr><th colspan="4"></th>{groups}</tr><tr>{leading}{pair * len(contents.horizons)}</tr></thead>'


def _leading(contents: Contents, cell: str) -> list[str]:
    """Technique, average, nonzero weights and sparsity of a cell."""
    row, look = contents.first(cell), contents.looks[cell]
    average = average_name(row["average"]) or DASH
    sparsity = float(row["sparsity_exact"]) if "sparsity_exact" in row.index else math.nan
    swatch = f'<span class="swatch" style="background:{look.fill};border-color:{look.color}"></span>'
    return [
        f'<th scope="row" data-sort="{escape(look.name)}">{swatch}{escape(look.name)}</th>',
        f'<td class="text" data-sort="{escape(average)}">{escape(average)}</td>',
        _weights(row),
        f'<td data-sort="{_key(sparsity)}">{percent(sparsity)}</td>',
    ]


def _weights(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    nonzeros, weights = float(row["nonzeros"]), float(row["weights"])
    left = f"{nonzeros:,.0f}" if math.isfinite(nonzeros) else DASH
    total = f"<small>of {weights:,.0f}</small>" if math.isfinite(weights) else ""
    return f'<td data-sort="{_key(nonzeros)}">{left}{total}</td>'


def _measured(row: "pd.Series[Any] | None", column: str, mark: str) -> str:
    if row is None:
        return f'<td data-sort="">{DASH}</td>'
    value = float(row[column])
    is_share = column.startswith("diverged")
    text = (f"{100 * value:.1f}" if is_share else quantity(value)) if math.isfinite(value) else DASH
    classes = " ".join(name for name in (mark, "group" if is_share else "") if name)
    attributes = (f' class="{classes}"' if classes else "") + (f' title="{HINTS[mark]}"' if mark else "")
    return f'<td{attributes} data-sort="{_key(value)}">{text}<small>{bounds(row, column)}</small></td>'


def _key(value: float) -> str:
    """What a column is sorted by; unknown values come last."""
    return f"{value:.9g}" if math.isfinite(value) else ""


def _marks(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Say which cells have the best value ("best") and which cannot be told from it ("near")."""
    if column.startswith("rfmse"):
        table = enough_survivors(table)
    best = best_row(table, column)
    # Nobody is best where everybody failed, or where there is nobody else.
    if best is None or len(table) < 2 or (column.startswith("diverged") and table[column].iloc[best] >= 1):
        return {}
    near = {str(table["cell"].iloc[i]): "near" for i in indistinct_rows(table, column, best)}
    return near | {str(table["cell"].iloc[i]): "best" for i in equal_rows(table, column, best)}

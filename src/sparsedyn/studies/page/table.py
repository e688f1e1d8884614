"""The main table: a row per cell; at every horizon the share diverged and the RFMSE, each with its interval."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.page.answer import best_row, indistinct
from sparsedyn.studies.page.contents import Contents, is_averaged
from sparsedyn.studies.page.write import DASH, bounds, percent, quantity

READINGS = {"absolute": ("diverged", "rfmse"), "squared": ("diverged_squared", "rfmse_squared")}


def main_table(contents: Contents, reading: str = "absolute") -> str:
    """Return the table (HTML) in one of the two readings of RFMSE and divergence; empty if that one is not stored.

    The best value of a column is marked, and so is every value whose interval overlaps with that of the best.
    """
    share, error = READINGS[reading]
    if not {share, f"{share}_low", error, f"{error}_low"} <= set(contents.results.columns):
        return ""
    tables = {h: contents.at(h).set_index("cell", drop=False) for h in contents.horizons}
    marks = {(h, c): _marks(table, c) for h, table in tables.items() for c in (share, error)}
    body = []
    for cell, look in contents.looks.items():
        rows = {h: table.loc[cell] for h, table in tables.items() if cell in table.index}
        first = next(iter(rows.values()))
        swatch = f'<span class="swatch" style="background:{look.fill};border-color:{look.color}"></span>'
        technique = look.technique if contents.cells_are_plain() else look.label
        cells = [f'<th scope="row" data-sort="{escape(technique)}">{swatch}{escape(technique)}</th>']
        cells += _leading(first)
        for horizon, table in tables.items():
            for column in (share, error):
                mark = marks[horizon, column].get(cell, "")
                cells.append(
                    _measured(table.loc[cell], column, mark) if cell in table.index else f"<td>{DASH}</td>"
                )
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table class="sortable">{_head(contents)}<tbody>{"".join(body)}</tbody></table></div>'


def sparsity_table(contents: Contents) -> str:
    """Return the table (HTML) of sparsity told three ways, mean over members."""
    kinds = {
        "sparsity_exact": "exact zeros",
        "sparsity_mask": "pruned by a mask",
        "sparsity_small": "near zero",
    }
    known = {column: name for column, name in kinds.items() if column in contents.results.columns}
    rows = []
    for row in contents.at(contents.horizons[-1]).to_dict("records"):
        label = escape(contents.looks[str(row["cell"])].label)
        shares = "".join(f"<td>{percent(float(row[column]))}</td>" for column in known)
        rows.append(f'<tr><th scope="row">{label}</th>{_weights(row)}{shares}</tr>')
    names = "".join(f"<th>{name}</th>" for name in known.values())
    head = f"<thead><tr><th>configuration</th><th>nonzero weights</th>{names}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _head(contents: Contents) -> str:
    """Two rows: the horizons, and under each the buttons that sort."""
    groups = "".join(
        f'<th colspan="2" class="group">{escape(n)}</th>' for n in contents.horizon_names().values()
    )
    names = ["technique", "average", "nonzero weights", "sparsity"] + ["diverged, %", "RFMSE"] * len(
        contents.horizons
    )
    buttons = []
    for i, name in enumerate(names):
        group = " class=group" if i >= 4 and i % 2 == 0 else ""
        buttons.append(f'<th scope="col"{group}><button type="button">{name}</button></th>')
    return f'<thead><tr><th colspan="4"></th>{groups}</tr><tr>{"".join(buttons)}</tr></thead>'


def _leading(row: "pd.Series[Any]") -> list[str]:
    average = str(row["average"]) if is_averaged(row["average"]) else DASH
    sparsity = float(row["sparsity_exact"]) if "sparsity_exact" in row.index else math.nan
    return [
        f'<td class="text" data-sort="{escape(average)}">{escape(average)}</td>',
        _weights(row),
        f'<td data-sort="{_key(sparsity)}">{percent(sparsity)}</td>',
    ]


def _weights(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    nonzeros, weights = float(row["nonzeros"]), float(row["weights"])
    left = f"{nonzeros:,.0f}" if math.isfinite(nonzeros) else DASH
    total = f"<small>of {weights:,.0f}</small>" if math.isfinite(weights) else ""
    return f'<td data-sort="{_key(nonzeros)}">{left}{total}</td>'


def _measured(row: "pd.Series[Any]", column: str, mark: str) -> str:
    value = float(row[column])
    is_share = column.startswith("diverged")
    text = (f"{100 * value:.1f}" if is_share else quantity(value)) if math.isfinite(value) else DASH
    title = {"best": "best of its column", "near": "interval overlaps with that of the best"}.get(mark, "")
    classes = " ".join(name for name in (mark, "group" if is_share else "") if name)
    attributes = f' class="{classes}"' if classes else ""
    hint = f' title="{title}"' if title else ""
    return f'<td{attributes}{hint} data-sort="{_key(value)}">{text}<small>{bounds(row, column)}</small></td>'


def _key(value: float) -> str:
    """What a column is sorted by; unknown values come last."""
    return f"{value:.9g}" if math.isfinite(value) else ""


def _marks(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Say which cells have the best value ("best") and which cannot be told from it ("near")."""
    best = best_row(table, column)
    if best is None or len(table) < 2:
        return {}
    values = table[column].to_numpy(np.float64)
    marks = {str(table["cell"].iloc[i]): "near" for i in indistinct(table, column, best)}
    marks |= {str(table["cell"].iloc[i]): "best" for i in np.flatnonzero(values == values[best])}
    # Nobody is best where everybody failed.
    return {} if column.startswith("diverged") and values[best] >= 1 else marks

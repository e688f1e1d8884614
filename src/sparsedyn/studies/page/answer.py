"""The answer of a study in plain words: who diverges least, who errs least, and whether that can be told at all."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from sparsedyn.studies.page.write import interval, percent, quantity

# Below this share of survivors a small error says little: it is an average over the forecasts that were easy.
SURVIVORS = 0.5


def answer(results: pd.DataFrame, labels: dict[str, str], horizon_name: str) -> list[str]:
    """Return sentences (HTML, labels escaped) on `results`, one row per cell at one horizon.

    A technique is said to be better only when the 95 % intervals do not overlap. That is cautious: intervals that
    overlap a little may still belong to different techniques, which a paired comparison could show.
    """
    table = results.assign(label=[escape(labels[str(cell)]) for cell in results["cell"]])
    if len(table) == 1:
        return [_alone(table.iloc[0], horizon_name)]
    sentences = [_divergence(table, horizon_name), _error(table), _sparsest(table), _worst(table)]
    return [sentence for sentence in sentences if sentence]


def indistinct(table: pd.DataFrame, column: str, best: int) -> list[int]:
    """Return the positions of the rows whose interval reaches down into that of row `best` (itself left out)."""
    low, high = table[f"{column}_low"].to_numpy(np.float64), table[f"{column}_high"].to_numpy(np.float64)
    return [i for i in range(len(table)) if i != best and low[i] <= high[best]]


def best_row(table: pd.DataFrame, column: str) -> int | None:
    """Return the position of the smallest value, the one with the smaller upper bound among equals; None without any."""
    values = table[column].to_numpy(np.float64)
    known = [i for i in range(len(table)) if np.isfinite(values[i])]
    upper = table[f"{column}_high"].fillna(np.inf).to_numpy(np.float64)
    return min(known, key=lambda i: (values[i], upper[i])) if known else None


def _alone(row: "pd.Series[float]", horizon_name: str) -> str:
    return (
        f"Within {escape(horizon_name)}, {percent(row['diverged'])} of the forecasts of <b>{row['label']}</b> diverged "
        f"({interval(row, 'diverged')}); the others have an RFMSE of {quantity(row['rfmse'])} ({interval(row, 'rfmse')})."
    )


def _divergence(table: pd.DataFrame, horizon_name: str) -> str:
    best = best_row(table, "diverged")
    if best is None:
        return "No share of diverged forecasts is known."
    top = table.iloc[best]
    if top["diverged"] >= 1:
        return f"Within {escape(horizon_name)} every forecast of every technique diverged."
    equals = [i for i in range(len(table)) if table["diverged"].iloc[i] == top["diverged"]]
    names = listing(table["label"].iloc[equals])
    share = f"{'none' if top['diverged'] == 0 else percent(top['diverged'])} of {int(top['forecasts']):,}"
    each = " each" if len(equals) > 1 else ""
    text = (
        f"Within {escape(horizon_name)}, <b>{names}</b> had the fewest diverging forecasts: {share}{each} "
        f"({interval(top, 'diverged')})."
    )
    others = [i for i in indistinct(table, "diverged", best) if i not in equals]
    if others:
        verb = "overlaps" if len(others) == 1 else "overlap"
        text += f" The interval{'s' * (len(others) > 1)} of {listing(table['label'].iloc[others])} {verb} with that."
    if len(equals) + len(others) == 1:
        return text + " No other interval overlaps with that, so it is the most stable one here."
    return text + f" So no single winner can be named among these {len(equals) + len(others)}."


def _error(table: pd.DataFrame) -> str:
    staying = table[table["diverged"] <= 1 - SURVIVORS]
    few = staying.empty
    pool = (table if few else staying).reset_index(drop=True)
    best = best_row(pool, "rfmse")
    if best is None:
        return ""
    top = pool.iloc[best]
    text = (
        f"The smallest error among forecasts that did not diverge belongs to <b>{top['label']}</b>: "
        f"RFMSE {quantity(top['rfmse'])} ({interval(top, 'rfmse')})"
    )
    others = indistinct(pool, "rfmse", best)
    if others:
        verb = "overlaps" if len(others) == 1 else "overlap"
        text += (
            f"; {listing(pool['label'].iloc[others])} {verb} with it, so again no single winner can be named."
        )
    else:
        text += ", and no other interval overlaps with it."
    if few:
        text += " This rests on few forecasts: with every technique more than half diverged."
    elif len(pool) < len(table):
        text += " Techniques of which more than half the forecasts diverged are left out of this comparison."
    return text


def _sparsest(table: pd.DataFrame) -> str:
    best = best_row(table, "diverged")
    if best is None or table["diverged"].iloc[best] >= 1:
        return ""
    pool = table.iloc[[best, *indistinct(table, "diverged", best)]]
    pool = pool[pool["nonzeros"] < pool["weights"]]
    if pool.empty:
        return ""
    top = pool.sort_values(["nonzeros", "rfmse"], kind="stable").iloc[0]
    return (
        "Of those that cannot be told from the most stable one, the sparsest is "
        f"<b>{top['label']}</b> with {top['nonzeros']:,.0f} of {top['weights']:,.0f} weights left."
    )


def _worst(table: pd.DataFrame) -> str:
    best, highest = best_row(table, "diverged"), table["diverged"].to_numpy(np.float64)
    if best is None or not np.isfinite(highest).any():
        return ""
    worst = int(np.nanargmax(highest))
    # Only worth saying where the data can tell.
    if table["diverged_low"].iloc[worst] <= table["diverged_high"].iloc[best]:
        return ""
    row = table.iloc[worst]
    return (
        f"Least stable was {row['label']}: {percent(row['diverged'])} diverged ({interval(row, 'diverged')})."
    )


def listing(names: Sequence[str] | pd.Series, most: int = 4) -> str:
    """Write "a", "a and b" or "a, b and 3 others"."""
    shown = list(names)
    if len(shown) > most + 1:
        shown = [*shown[:most], f"{len(shown) - most} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

"""The conclusions of a comparison: what diverges least, what errs least, whether the difference is clear."""

import numpy as np
import pandas as pd

from sparsedyn.studies.document.text import bold, plain
from sparsedyn.studies.document.words import interval, listing, percent, quantity

# With fewer survivors a small error says little: it is a mean over the forecasts that were easy.
SURVIVORS = 0.5


def answer(results: pd.DataFrame, labels: dict[str, str], horizon_name: str) -> list[str]:
    """Return sentences (Markdown) on `results`, one row per cell at one horizon.

    A technique is called better only where the 95 % intervals do not overlap. That is cautious: intervals that
    overlap a little may still belong to different techniques, which a paired comparison could show.
    """
    table = results.assign(label=[labels[str(cell)] for cell in results["cell"]])
    if len(table) == 1:
        return [_alone(table, horizon_name)]
    sentences = [_divergence(table, horizon_name), _error(table), _sparsest(table), _worst(table)]
    return [sentence for sentence in sentences if sentence]


def best_row(table: pd.DataFrame, column: str) -> int | None:
    """Return the position of the smallest value, None without any.

    Of equal ones it is that with the least upper bound, then that with the least RFMSE.
    """
    values = table[column].to_numpy(np.float64)
    ties = table[[f"{column}_high", "rfmse"]].fillna(np.inf).to_numpy(np.float64)
    known = [i for i in range(len(table)) if np.isfinite(values[i])]
    return min(known, key=lambda i: (values[i], *ties[i])) if known else None


def most_and_least_stable(table: pd.DataFrame) -> list[str]:
    """Return the cells with the smallest and with the largest share of diverged forecasts; one if they are the same."""
    ends = (best_row(table, "diverged"), int(table["diverged"].fillna(-1.0).argmax()))
    return list(dict.fromkeys(str(table["cell"].iloc[i]) for i in ends if i is not None))


def equal_rows(table: pd.DataFrame, column: str, row: int) -> list[int]:
    """Return the positions of the rows with the same value as `row`, which is one of them."""
    return [int(i) for i in np.flatnonzero(table[column].to_numpy() == table[column].iloc[row])]


def indistinct_rows(table: pd.DataFrame, column: str, best: int) -> list[int]:
    """Return the positions of the other rows whose interval overlaps with that of row `best`."""
    low, high = table[f"{column}_low"].to_numpy(np.float64), table[f"{column}_high"].to_numpy(np.float64)
    return [i for i in range(len(table)) if i != best and low[i] <= high[best]]


def enough_survivors(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose errors can be compared: at least half of the forecasts did not diverge."""
    return table[table["diverged"] <= 1 - SURVIVORS].reset_index(drop=True)


def _alone(table: pd.DataFrame, horizon_name: str) -> str:
    row = table.iloc[0]
    text = (
        f"Within {plain(horizon_name)}, {percent(row['diverged'])} of the forecasts of {bold(row['label'])} "
        f"diverged ({interval(row, 'diverged')})"
    )
    if not np.isfinite(row["rfmse"]):
        return f"{text}."
    return f"{text}; the others have an RFMSE of {quantity(row['rfmse'])} ({interval(row, 'rfmse')})."


def _divergence(table: pd.DataFrame, horizon_name: str) -> str:
    best = best_row(table, "diverged")
    if best is None:
        return "No share of diverged forecasts is known."
    top, equals = table.iloc[best], equal_rows(table, "diverged", best)
    if top["diverged"] >= 1:
        return f"Within {plain(horizon_name)} every forecast of every configuration diverged."
    share = f"{'none' if top['diverged'] == 0 else percent(top['diverged'])} of {int(top['forecasts']):,}"
    text = (
        f"Within {plain(horizon_name)}, {bold(listing(table['label'].iloc[equals].tolist()))} had the fewest "
        f"diverging forecasts: {share}{' each' if len(equals) > 1 else ''} ({interval(top, 'diverged')})."
    )
    others = [i for i in indistinct_rows(table, "diverged", best) if i not in equals]
    if others:
        text += f" {_overlap(table, others)} with that."
    if len(equals) + len(others) == 1:
        return f"{text} No other interval overlaps with that one: here it is the most stable."
    these = "between these two" if len(equals) + len(others) == 2 else f"among these {len(equals) + len(others)}"
    return f"{text} So no single winner can be named {these}."


def _error(table: pd.DataFrame) -> str:
    pool = enough_survivors(table)
    best = best_row(pool, "rfmse")
    if best is None:
        return "Errors are not compared: with every configuration more than half of the forecasts diverged."
    top, others = pool.iloc[best], indistinct_rows(pool, "rfmse", best)
    text = (
        f"The smallest error of forecasts that did not diverge is that of {bold(top['label'])}: RFMSE "
        f"{quantity(top['rfmse'])} ({interval(top, 'rfmse')})."
    )
    if others:
        text += f" {_overlap(pool, others)} with that, so no single winner can be named."
    elif len(pool) > 1:
        text += " No other interval overlaps with that one."
    if len(pool) < len(table):
        text += " Configurations of which more than half of the forecasts diverged are not compared in this."
    return text


def _overlap(table: pd.DataFrame, rows: list[int]) -> str:
    names = plain(listing(table["label"].iloc[rows].tolist()))
    return f"The interval of {names} overlaps" if len(rows) == 1 else f"The intervals of {names} overlap"


def _sparsest(table: pd.DataFrame) -> str:
    best = best_row(table, "diverged")
    if best is None:
        return ""
    pool = enough_survivors(table.iloc[[best, *indistinct_rows(table, "diverged", best)]])
    pool = pool[pool["nonzeros"] < pool["weights"]]
    if pool.empty:
        return ""
    top = pool.sort_values(["nonzeros", "rfmse"], kind="stable").iloc[0]
    return (
        f"Of those that cannot be told apart from the most stable one, {bold(top['label'])} has the fewest weights "
        f"left: {top['nonzeros']:,.0f} of {top['weights']:,.0f} (RFMSE {quantity(top['rfmse'])})."
    )


def _worst(table: pd.DataFrame) -> str:
    """Name the least stable, if its interval does not overlap with that of the most stable."""
    best = best_row(table, "diverged")
    if best is None:
        return ""
    worst = int(np.nanargmax(table["diverged"].to_numpy(np.float64)))
    row = table.iloc[worst]
    if row["diverged_low"] <= table["diverged_high"].iloc[best]:
        return ""
    names = plain(listing(table["label"].iloc[equal_rows(table, "diverged", worst)].tolist()))
    return f"Least stable: {names}, of which {percent(row['diverged'])} diverged ({interval(row, 'diverged')})."

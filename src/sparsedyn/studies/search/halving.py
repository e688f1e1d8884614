"""Successive halving: all points on a small budget, the best share of them on a larger one, and so on."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sparsedyn import _disk
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import write_table
from sparsedyn.studies.search.space import Combination
from sparsedyn.studies.search_files import SearchFiles

TrainRung = Callable[[int, Sequence[Combination]], pd.DataFrame]
"""Trains points on the budget of a rung, counted from 1, and returns a row for each; see `rows_of`."""


def kept_count(count: int, keep: float | None) -> int:
    """Return how many of `count` points go on: a share of them, rounded up; all where `keep` is None."""
    # A share such as 0.1 of 30 must not become four by the last bit of a product.
    return count if keep is None else min(count, max(1, math.ceil(keep * count - 1e-9)))


def rungs_left(count: int, shares: Sequence[float | None]) -> list[int]:
    """Return how many of `count` points every rung trains, if all of them come through; `shares` go on."""
    left = [count]
    for keep in shares[:-1]:
        left.append(kept_count(left[-1], keep))
    return left


def rows_of(points: Sequence[Combination], losses: Sequence[Sequence[float]]) -> pd.DataFrame:
    """Return a row per point: number, label, values, and the loss of every member, infinite for one that failed."""
    rows = [
        {"combination": point.number, "label": point.label, **point.values, "validation": own}
        for point, own in zip(points, losses, strict=True)
    ]
    return pd.DataFrame(rows)


def ranked(rows: pd.DataFrame, keep: float | None) -> pd.DataFrame:
    """Return the rows of a whole rung, the best first, with `loss`, the median over members, and `kept`.

    The share `keep` stays, rounded up, but never a point whose loss is not finite; `None` keeps all.
    """
    # Between a number and infinity the median is infinite: half of the members dead counts as failed.
    loss = rows["validation"].map(lambda values: float(np.median(values)))
    loss = loss.where(np.isfinite(loss), math.inf)
    table = rows.assign(loss=loss).sort_values(["loss", "combination"], kind="stable", ignore_index=True)
    best = np.arange(len(table)) < kept_count(len(table), keep)
    return table.assign(kept=best & (np.isfinite(table["loss"]) | (keep is None)))


def gathered(rungs: list[pd.DataFrame]) -> pd.DataFrame:
    """Return every point as it stood in the last rung that it reached, the furthest and best first."""
    tables = [table.assign(rung=i) for i, table in enumerate(rungs, 1)]
    last = pd.concat(tables, ignore_index=True).drop_duplicates("combination", keep="last").drop(columns="kept")
    order = ["rung", "loss", "combination"]
    return last.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)


def halve(
    points: Sequence[Combination], shares: Sequence[float | None], files: SearchFiles, train: TrainRung
) -> list[Combination]:
    """Train the points on every rung, keep a share after each, and return those that remain, in their order.

    Finished rungs are read, not trained again. Raises `StudyError` where no point has a finite loss.
    """
    left = list(points)
    for number, keep in enumerate(shares, 1):
        if not files.rung(number).is_file():
            write_table(files.rung(number), ranked(train(number, left), keep))
        table = pd.read_parquet(files.rung(number))
        _disk.remove(files.rung(number).with_suffix(""))
        kept = set(table.loc[table["kept"], "combination"])
        if not kept:
            raise StudyError(
                f"search: no combination came through rung {number} with a finite validation loss. Try lower learning "
                "rates, or clip gradients (training.clip)."
            )
        left = [point for point in left if point.number in kept]
    write_table(files.result, gathered(files.rungs()))
    return left

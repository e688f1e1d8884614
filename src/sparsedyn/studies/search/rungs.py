"""The tables of a search and where they are kept: a row per combination, the best first.

search/rung-1/group-01.parquet   what is trained together, while a rung is under way
search/rung-1.parquet            a finished rung
search.parquet                   every combination by the last rung that it reached
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sparsedyn.studies.search.combinations import kept_count
from sparsedyn.studies.search.points import Combination
from sparsedyn.studies.store import replacing


@dataclass(frozen=True)
class SearchFiles:
    """The files of a search in the directory of its study."""

    directory: Path

    @property
    def result(self) -> Path:
        """Every combination, the best of the last rung first."""
        return self.directory / "search.parquet"

    def rung(self, number: int) -> Path:
        """A finished rung, counted from 1."""
        return self.directory / "search" / f"rung-{number}.parquet"

    def group(self, number: int, group: str) -> Path:
        """The combinations of a rung that are trained together."""
        return self.directory / "search" / f"rung-{number}" / f"{group}.parquet"

    def tidy(self, number: int) -> None:
        """Remove the files of the groups of a finished rung."""
        shutil.rmtree(self.rung(number).with_suffix(""), ignore_errors=True)

    def rungs(self) -> list[pd.DataFrame]:
        """Return the finished rungs, the first one first."""
        found: list[pd.DataFrame] = []
        while (path := self.rung(len(found) + 1)).is_file():
            found.append(pd.read_parquet(path))
        return found


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table, whole or not at all."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def rows_of(points: list[Combination], losses: list[list[float]]) -> pd.DataFrame:
    """Return a row per combination: number, label, settings, and the validation loss of every member."""
    rows = [
        {"combination": point.number, "label": point.label, **point.settings, "validation": values}
        for point, values in zip(points, losses, strict=True)
    ]
    return pd.DataFrame(rows)


def judged(rows: pd.DataFrame, keep: float | None) -> pd.DataFrame:
    """Return the rows of a whole rung, the best first, with `loss`, the median over members, and `kept`.

    The share `keep` stays, rounded up, but never a combination whose loss is not finite; `None` keeps all.
    """
    # Between a number and infinity the median is infinite: half of the members dead is dead.
    loss = rows["validation"].map(lambda values: float(np.median(values)))
    loss = loss.where(np.isfinite(loss), math.inf)
    table = rows.assign(loss=loss).sort_values(["loss", "combination"], kind="stable", ignore_index=True)
    best = np.arange(len(table)) < kept_count(len(table), keep)
    return table.assign(kept=best & (np.isfinite(table["loss"]) | (keep is None)))


def gathered(rungs: list[pd.DataFrame]) -> pd.DataFrame:
    """Return every combination as it stood in the last rung that it reached, the furthest and best first."""
    tables = [table.assign(rung=i) for i, table in enumerate(rungs, 1)]
    last = pd.concat(tables, ignore_index=True).drop_duplicates("combination", keep="last").drop(columns="kept")
    order = ["rung", "loss", "combination"]
    return last.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)

"""The files of a search in the directory of its study.

search/rung-1/group-01.parquet   what is trained together, while a rung is under way
search/rung-1.parquet            a finished rung
search.parquet                   every point by the last rung that it reached
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class SearchFiles:
    """The files of a search in the directory of its study."""

    directory: Path

    @property
    def result(self) -> Path:
        """Every point, the best of the last rung first."""
        return self.directory / "search.parquet"

    def rung(self, number: int) -> Path:
        """A finished rung, counted from 1."""
        return self.directory / "search" / f"rung-{number}.parquet"

    def group(self, number: int, group: str) -> Path:
        """The points of a rung that are trained together."""
        return self.directory / "search" / f"rung-{number}" / f"{group}.parquet"

    def finished(self) -> list[Path]:
        """Return the files of the finished rungs, the first one first."""
        return list(itertools.takewhile(Path.is_file, map(self.rung, itertools.count(1))))

    def rungs(self) -> list[pd.DataFrame]:
        """Return the finished rungs, the first one first."""
        return [pd.read_parquet(path) for path in self.finished()]


def rungs_in(tables: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the finished rungs among tables by the stems of their files, the first one first."""
    names = (SearchFiles(Path()).rung(number).stem for number in itertools.count(1))
    return [tables[name] for name in itertools.takewhile(tables.__contains__, names)]

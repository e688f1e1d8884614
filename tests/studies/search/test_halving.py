"""Successive halving: how many go on, which, and that finished rungs are not trained again."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.search.halving import gathered, halve, kept_count, ranked, rows_of, rungs_left
from sparsedyn.studies.search.space import Combination
from sparsedyn.studies.search_files import SearchFiles


def points_of(count: int) -> list[Combination]:
    return [Combination(i, f"batch {i}", {"training.batch": i}) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "keep", "kept"), [(864, 0.25, 216), (54, 0.2, 11), (30, 0.1, 3), (3, 0.01, 1), (1, 0.5, 1), (5, None, 5)]
)
def test_how_many_go_on(count: int, keep: float | None, kept: int):
    assert kept_count(count, keep) == kept


def test_rungs_are_left_to_the_shares_before_them():
    assert rungs_left(864, [0.125, 0.25, 0.2, None]) == [864, 108, 27, 6]


def test_a_rung_is_ranked_by_the_median_and_the_dead_never_go_on():
    points = points_of(5)
    losses = [[math.inf, 0.1, math.inf], [0.3, 0.2, 9.0], [math.nan] * 3, [0.1, math.inf, 0.2], [0.3, 0.3, 0.3]]
    table = ranked(rows_of(points, losses), 0.9)
    assert table["combination"].tolist() == [3, 1, 4, 0, 2]
    assert table["loss"].tolist() == [0.2, 0.3, 0.3, math.inf, math.inf]
    assert table["kept"].tolist() == [True, True, True, False, False]
    assert ranked(rows_of(points, losses), 0.4)["kept"].tolist() == [True, True, False, False, False]
    assert ranked(rows_of(points, losses), None)["kept"].all()


def test_every_combination_stands_where_it_came_to():
    points = points_of(3)
    first = ranked(rows_of(points, [[0.1], [0.3], [0.2]]), 0.6)
    second = ranked(rows_of([points[0], points[2]], [[0.09], [0.05]]), None)
    table = gathered([first, second])
    assert table["combination"].tolist() == [2, 0, 1]
    assert table["rung"].tolist() == [2, 2, 1]
    assert table["loss"].tolist() == [0.05, 0.09, 0.3]


def test_the_best_climb_and_finished_rungs_are_read(tmp_path: Path):
    files, trained = SearchFiles(tmp_path), []

    def train(rung: int, points: Sequence[Combination]) -> pd.DataFrame:
        trained.append((rung, [point.number for point in points]))
        files.group(rung, "group-01").parent.mkdir(parents=True, exist_ok=True)
        return rows_of(points, [[float(rung * (3 - point.number))] for point in points])

    left = halve(points_of(4), [0.5, None], files, train)
    assert trained == [(1, [0, 1, 2, 3]), (2, [2, 3])]
    assert [point.number for point in left] == [2, 3]
    assert not files.group(1, "group-01").parent.exists()
    assert pd.read_parquet(files.result)["combination"].tolist() == [3, 2, 1, 0]
    files.rung(2).unlink()
    halve(points_of(4), [0.5, None], files, train)
    assert trained[2:] == [(2, [2, 3])]


def test_where_everything_fails_it_is_said(tmp_path: Path):
    with pytest.raises(StudyError, match="no combination came through rung 1"):
        halve(points_of(2), [0.5, None], SearchFiles(tmp_path), lambda _, points: rows_of(points, [[math.inf]] * 2))

"""Splits of trajectories: whole ones, blocks of few, and origins that roll."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut

from sparsedyn import DataError, RollingOriginSplit, Trajectories, TrajectoryKFold
from sparsedyn.data import Window, windows
from sparsedyn.selection.splitters import folds_of


def counted(*lengths: int) -> Trajectories:
    """Trajectories whose only state is the number of the row, beginning at 1000 times that of the trajectory."""
    return Trajectories([1000.0 * i + np.arange(rows)[:, None] for i, rows in enumerate(lengths)], dt=0.1)


def rows_in(data: Trajectories) -> list[float]:
    return [float(value) for states in data.states for value in states[:, 0]]


def test_windows_keep_times_names_and_say_what_they_are():
    cut = windows(counted(5, 8), [Window(1, 2, 6), Window(0, 0, 5)])
    assert cut.labels == ("1[2:6]", "0")
    np.testing.assert_array_equal(cut.states[0][:, 0], [1002, 1003, 1004, 1005])
    np.testing.assert_allclose(cut.time[0], [0.2, 0.3, 0.4, 0.5])


@pytest.mark.parametrize("window", [(0, 0, 1), (0, 3, 3), (0, 2, 6), (0, -1, 3), (2, 0, 2)])
def test_windows_that_are_not_there_are_refused(window: tuple[int, int, int]):
    with pytest.raises(DataError, match="windows: expected"):
        windows(counted(5, 8), [Window(*window)])


def test_whole_trajectories_are_split_as_scikit_learn_splits_rows():
    data = counted(*[4] * 7)
    for cv in (TrajectoryKFold(3), TrajectoryKFold(3, shuffle=True, random_state=1)):
        expected = list(KFold(3, shuffle=cv.shuffle, random_state=cv.random_state).split(np.zeros(7)))
        assert cv.get_n_splits(data) == 3
        for (train, test), fold, (other, left) in zip(cv.split(data), cv.folds(data), expected, strict=True):
            np.testing.assert_array_equal(train, other)
            np.testing.assert_array_equal(test, left)
            assert fold.test.labels == tuple(map(str, test))
            assert fold.train.labels == tuple(map(str, train))


@settings(max_examples=20)
@given(st.lists(st.integers(20, 50), min_size=1, max_size=6), st.integers(2, 6), st.booleans())
def test_every_row_is_tested_once_and_else_trained_on(lengths: list[int], n_splits: int, shuffle: bool):
    data = counted(*lengths)
    folds = list(TrajectoryKFold(n_splits, shuffle=shuffle, random_state=0 if shuffle else None).folds(data))
    assert len(folds) == n_splits
    assert sorted(row for fold in folds for row in rows_in(fold.test)) == sorted(rows_in(data))
    for fold in folds:
        assert sorted(rows_in(fold.train) + rows_in(fold.test)) == sorted(rows_in(data))


def test_one_long_trajectory_is_cut_into_blocks_and_neighbours_are_joined():
    folds = list(TrajectoryKFold(4).folds(counted(10)))
    assert [fold.test.labels for fold in folds] == [("0[0:2]",), ("0[2:5]",), ("0[5:8]",), ("0[8:10]",)]
    assert folds[1].train.labels == ("0[0:2]", "0[5:10]")
    assert folds[0].train.labels == ("0[2:10]",)


def test_too_few_trajectories_or_rows_are_refused_with_what_helps():
    with pytest.raises(DataError, match=r"at least 3 trajectories.*got 2. Use folds"):
        list(TrajectoryKFold(3).split(counted(9, 9)))
    with pytest.raises(DataError, match="need 3 blocks of each, of at least 2 rows; got a trajectory of 5"):
        list(TrajectoryKFold(5).folds(counted(5, 9)))
    with pytest.raises(DataError, match="before the first origin"):
        list(RollingOriginSplit(5, test_size=4).folds(counted(21)))


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("bad", [{"n_splits": 1}, {"n_splits": 2.5}, {"random_state": 0}])
def test_parameters_out_of_range_are_named(bad: dict[str, int]):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}: expected"):
        TrajectoryKFold(**bad)
    with pytest.raises(ValueError, match="test_size: expected"):
        RollingOriginSplit(3, test_size=1)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("cv", [TrajectoryKFold(2), RollingOriginSplit(2)], ids=repr)
def test_folds_are_of_trajectories(cv: TrajectoryKFold | RollingOriginSplit):
    with pytest.raises(DataError, match="expected Trajectories; got ndarray"):
        list(cv.folds(np.zeros((4, 10, 1))))


def test_origins_roll_in_every_trajectory():
    folds = list(RollingOriginSplit(2).folds(counted(9, 30)))
    assert [fold.train.labels for fold in folds] == [("0[0:3]", "1[0:10]"), ("0[0:6]", "1[0:20]")]
    assert [fold.test.labels for fold in folds] == [("0[3:6]", "1[10:20]"), ("0[6:9]", "1[20:30]")]
    (first, _) = RollingOriginSplit(2, test_size=5, max_train_size=10, gap=2).folds(counted(40))
    assert (first.train.labels, first.test.labels) == (("0[18:28]",), ("0[30:35]",))
    train, test = next(RollingOriginSplit(2).split(counted(9, 9)))
    np.testing.assert_array_equal(train, [0, 1, 2])
    np.testing.assert_array_equal(test, [3, 4, 5])
    with pytest.raises(DataError, match="of one length"):
        list(RollingOriginSplit(2).split(counted(9, 30)))


def test_folds_come_from_numbers_splitters_and_pairs():
    data = counted(5, 5, 5, 5)
    pair = ([0, 1], [2])
    assert [len(folds_of(cv, data)) for cv in (2, TrajectoryKFold(3), LeaveOneOut(), [pair, pair])] == [2, 3, 4, 2]
    (fold,) = folds_of([(data[:2], data[2:])], data)
    assert (fold.train.labels, fold.test.labels) == (("0", "1"), ("2", "3"))
    assert folds_of([pair], data)[0].test.labels == ("2",)
    for cv in (None, 3.5, []):
        with pytest.raises(ValueError, match="cv: expected"):
            folds_of(cv, data)
    with pytest.raises(ValueError, match="groups"):
        folds_of(GroupKFold(2), data)

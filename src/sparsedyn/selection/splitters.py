"""Splits of trajectories into training and test parts, in the vocabulary of scikit-learn's splitters."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Int
from sklearn.model_selection import KFold, TimeSeriesSplit

from sparsedyn.data import DataError, Trajectories, Window, windows
from sparsedyn.estimators._base import is_whole
from sparsedyn.estimators._inputs import is_own, own

Indices: TypeAlias = Int[np.ndarray, " _row"]


class Fold(NamedTuple):
    """What a model is fitted to, and what it is judged by."""

    train: Trajectories
    test: Trajectories


class TrajectoryKFold:
    """K folds of whole trajectories: each is the test part once, the others are trained on.

    Parameters
    ----------
    n_splits : number of folds, at least 2.
    shuffle : whether trajectories are put into folds at random; otherwise in their order.
    random_state : seed of the shuffle.

    Where there are fewer trajectories than folds, each trajectory is cut into blocks of consecutive rows, as few as
    give every fold a block, whose lengths differ by one row at most. Blocks are then put into folds as trajectories
    are; neighbouring blocks that are on the same side of a split are joined again. `folds` does this; `split` only
    knows whole trajectories.
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | None = None):
        if not is_whole(n_splits, 2):
            raise ValueError(f"n_splits: expected an integer of at least 2; got {n_splits!r}.")
        if random_state is not None and not shuffle:
            raise ValueError("random_state: expected shuffle=True with it; got shuffle=False. Leave one out.")
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the positions of the trajectories to train on and to test on, as scikit-learn's tools expect them.

        Raises `DataError` where there are fewer trajectories than folds.
        """
        if len(X) < self.n_splits:
            raise DataError(
                f"split: expected at least {self.n_splits} trajectories for as many folds; got {len(X)}. Use "
                "folds(data), which cuts trajectories into blocks, or fewer folds."
            )
        yield from self._dealt(len(X))

    def folds(self, data: Trajectories) -> Iterator[Fold]:
        """Yield training and test trajectories; raises `DataError` for blocks that would have fewer than 2 rows."""
        data = _trajectories(data)
        blocks = self._blocks(data)
        for train, test in self._dealt(len(blocks)):
            yield Fold(*(windows(data, joined(blocks[i] for i in part)) for part in (train, test)))

    def _dealt(self, count: int) -> Iterator[tuple[Indices, Indices]]:
        dealer = KFold(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        yield from dealer.split(np.zeros(count))

    def _blocks(self, data: Trajectories) -> list[Window]:
        each = -(-self.n_splits // len(data))
        if min(data.lengths) < 2 * each:
            raise DataError(
                f"n_splits: {self.n_splits} folds of {len(data)} trajectories need {each} blocks of each, of at least "
                f"2 rows; got a trajectory of {min(data.lengths)}. Ask for fewer folds, or give longer trajectories."
            )
        edges = [np.linspace(0, rows, each + 1).round().astype(int) for rows in data.lengths]
        return [
            Window(i, int(start), int(stop)) for i, own_edges in enumerate(edges) for start, stop in pairwise(own_edges)
        ]

    def __repr__(self) -> str:
        """Say how it was made."""
        return f"TrajectoryKFold({self.n_splits}, shuffle={self.shuffle}, random_state={self.random_state})"


class RollingOriginSplit:
    """Splits in time: each trains on the first rows of every trajectory and tests on the rows that follow.

    Parameters
    ----------
    n_splits : number of splits, at least 2.
    test_size : rows of a test part; by default a trajectory's rows divided by `n_splits` + 1.
    max_train_size : the most rows before the origin that are trained on; by default all.
    gap : rows between training and test parts that are left out.

    The origins and their meaning are those of scikit-learn's `TimeSeriesSplit`, taken in every trajectory for itself.
    """

    def __init__(
        self, n_splits: int = 5, *, test_size: int | None = None, max_train_size: int | None = None, gap: int = 0
    ):
        for name, value, least in (("n_splits", n_splits, 2), ("gap", gap, 0)):
            if not is_whole(value, least):
                raise ValueError(f"{name}: expected an integer of at least {least}; got {value!r}.")
        for name, size in (("test_size", test_size), ("max_train_size", max_train_size)):
            if size is not None and not is_whole(size, 2):
                raise ValueError(f"{name}: expected None or an integer of at least 2; got {size!r}.")
        self.n_splits = int(n_splits)
        self.test_size = test_size
        self.max_train_size = max_train_size
        self.gap = int(gap)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the numbers of the rows to train on and to test on, which are those of every trajectory.

        Raises `DataError` for trajectories of unequal lengths, which have other rows each, or too few rows.
        """
        lengths = set(X.lengths) if isinstance(X, Trajectories) else {len(X)}
        if len(lengths) > 1:
            raise DataError(f"split: expected trajectories of one length; got {sorted(lengths)} rows. Use folds(data).")
        yield from self._rows(lengths.pop())

    def folds(self, data: Trajectories) -> Iterator[Fold]:
        """Yield training and test trajectories; raises `DataError` for trajectories of too few rows."""
        data = _trajectories(data)
        for parts in zip(*(list(self._rows(rows)) for rows in data.lengths), strict=True):
            cut = [
                [Window(i, int(rows[side][0]), int(rows[side][-1]) + 1) for i, rows in enumerate(parts)]
                for side in (0, 1)
            ]
            yield Fold(windows(data, cut[0]), windows(data, cut[1]))

    def _rows(self, rows: int) -> Iterator[tuple[Indices, Indices]]:
        size = rows // (self.n_splits + 1) if self.test_size is None else self.test_size
        first = rows - self.n_splits * size - self.gap
        if size < 2 or first < 2:
            raise DataError(
                f"RollingOriginSplit: {self.n_splits} splits of a trajectory of {rows} rows leave {max(first, 0)} rows "
                f"before the first origin and test parts of {size}; expected at least 2 of each. Ask for fewer splits "
                "or smaller test parts, or give longer trajectories."
            )
        clock = TimeSeriesSplit(
            self.n_splits, max_train_size=self.max_train_size, test_size=self.test_size, gap=self.gap
        )
        yield from clock.split(np.zeros(rows))

    def __repr__(self) -> str:
        """Say how it was made."""
        return (
            f"RollingOriginSplit({self.n_splits}, test_size={self.test_size}, max_train_size={self.max_train_size}, "
            f"gap={self.gap})"
        )


def joined(blocks: Iterable[Window]) -> list[Window]:
    """Return windows in order, those that follow each other in one trajectory as one."""
    found: list[Window] = []
    for block in sorted(blocks):
        if found and found[-1].trajectory == block.trajectory and found[-1].stop == block.start:
            block = found.pop()._replace(stop=block.stop)
        found.append(block)
    return found


def folds_of(cv: Any, data: Trajectories) -> list[Fold]:
    """Return the folds of `data` that `cv` asks for.

    `cv` is a number of folds, a splitter of this module, one of scikit-learn's, which then chooses trajectories, or
    pairs of positions or of `Trajectories`. Raises `DataError` or `ValueError` for anything else.
    """
    if is_whole(cv):
        cv = TrajectoryKFold(cv)
    if hasattr(cv, "folds"):
        return list(cv.folds(data))
    pairs = cv.split(np.arange(len(data))) if hasattr(cv, "split") else cv
    try:
        found = [Fold(*(part if is_own(part) else data[part] for part in pair)) for pair in pairs]
    except TypeError as error:
        raise ValueError(
            f"cv: expected a number of folds, a splitter, or pairs of training and test positions; got {cv!r}."
        ) from error
    if not found:
        raise ValueError("cv: expected at least one split; got none.")
    return found


def _trajectories(data: Any) -> Trajectories:
    if not is_own(data):
        raise DataError(
            f"folds: expected Trajectories; got {type(data).__name__}. Wrap arrays in sparsedyn.Trajectories(states, "
            "inputs, dt=...)."
        )
    return own(data)

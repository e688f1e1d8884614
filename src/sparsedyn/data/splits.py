"""Which trajectories are picked, and which go to training, validation and test."""

from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Int

from .errors import DataError

Share = float | int


def parts(count: int, train: Share, validation: Share, test: Share, *, seed: int) -> list[Int[np.ndarray, " _part"]]:
    """Draw disjoint, sorted positions out of `count` for every part that is not 0.

    **Raises:** `DataError` for negative values, counts mixed with shares, more than there is, an empty part.
    """
    asked = {"train": train, "validation": validation, "test": test}
    for name, share in asked.items():
        if isinstance(share, bool) or not 0 <= share < np.inf:
            raise DataError(
                f"{name}={share!r}; a share from 0 to 1 (float) or a count of trajectories (integer) is expected."
            )
    asked = {name: share for name, share in asked.items() if share != 0}
    if not asked:
        raise DataError("train, validation and test are all 0; at least one part is needed.")
    shares = [isinstance(share, float) for share in asked.values()]
    if any(shares) != all(shares):
        raise DataError(
            f"{_written(asked)} mixes shares (floats) and counts (integers); give all as one or all as the other."
        )
    edges = _edges_of_shares(asked, count) if all(shares) else _edges_of_counts(asked, count)
    for name, size in zip(asked, np.diff(edges), strict=True):
        if size == 0:
            raise DataError(
                f"{name}={asked[name]} of {count} trajectories is no trajectory. Give counts instead, for "
                "example split(train=1, validation=1, test=1), leave the part out with 0, or use more "
                "trajectories."
            )
    order = np.random.default_rng(seed).permutation(count)
    return [np.sort(order[start:end]) for start, end in pairwise(edges)]


def _edges_of_shares(asked: dict[str, Share], count: int) -> Int[np.ndarray, " _edge"]:
    total = np.cumsum([0.0, *asked.values()])
    if total[-1] > 1 + 1e-9:
        raise DataError(f"{_written(asked)} add up to {total[-1]:g}; shares may be at most 1 together.")
    # Rounding the running total, not every part, keeps all trajectories when the shares add up to 1.
    return np.floor(total * count + 0.5 + 1e-9).astype(int)


def _edges_of_counts(asked: dict[str, Share], count: int) -> Int[np.ndarray, " _edge"]:
    total = np.cumsum([0, *(int(size) for size in asked.values())])
    if total[-1] > count:
        raise DataError(f"{_written(asked)} ask for {total[-1]} trajectories, there are {count}; ask for fewer.")
    return total


def _written(asked: dict[str, Share]) -> str:
    return ", ".join(f"{name}={share}" for name, share in asked.items())


def positions(which: Any, count: int) -> Int[np.ndarray, " _picked"]:
    """Return the positions that an index, a slice, a list or a Boolean mask picks out of `count`."""
    try:
        # An empty list would become a float array, which is no index.
        index = which if isinstance(which, slice) else np.asarray(which, dtype=None if np.size(which) else int)
        return np.atleast_1d(np.arange(count)[index])
    except IndexError as error:
        raise IndexError(f"trajectory {which!r} is asked; there are {count}, from 0 to {count - 1}.") from error

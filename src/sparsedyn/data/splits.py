"""Which trajectories are picked, which go to training, validation and test, and what is held out of a fit."""

from itertools import pairwise
from typing import Any, NamedTuple

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


class Part(NamedTuple):
    """Some of the trajectories, and some of the rows of each."""

    trajectories: slice
    rows: slice


def hold_out(
    trajectories: int, rows: int, share: float, *, from_trajectories: int = 2, least_rows: int = 2
) -> tuple[Part, Part]:
    """Return what to fit to, and the `share` that is held out: the last trajectories, or the last rows of each.

    Trajectories are held out where there are at least `from_trajectories`, one or more; else `rows`, the number that
    each has, are cut, so that at least `least_rows` are held out.

    **Raises:** `DataError` where fewer than `least_rows` would be left to fit to.
    """
    everything = slice(None)
    if trajectories >= from_trajectories:
        first, last = last_share(trajectories, share)
        return Part(first, everything), Part(last, everything)
    first, last = last_share(rows, share, least=least_rows)
    if first.stop < least_rows:
        raise DataError(
            f"x: expected at least {least_rows} rows to fit to beside the {rows - first.stop} that are held out; got "
            f"{rows} rows in all. Give longer trajectories."
        )
    return Part(everything, first), Part(everything, last)


def last_share(count: int, share: float, *, least: int = 1) -> tuple[slice, slice]:
    """Return all but the last `share` of `count`, and that: at least `least`, and never all."""
    cut = count - max(least, round(share * count))
    return slice(0, max(1, cut)), slice(max(1, cut), None)


def random_share(
    count: int, share: float, *, seed: int, least: int = 1
) -> tuple[Int[np.ndarray, " kept"], Int[np.ndarray, " held_out"]]:
    """Return places of samples to fit to and of a `share` that is held out, both in random order.

    **Raises:** `DataError` where either would have fewer than `least`, unless the share is 0.
    """
    held = round(share * count)
    if share and min(held, count - held) < least:
        raise DataError(
            f"share: of {count} samples, {held} would be held out and {count - held} left to fit; expected at least "
            f"{least} of either. Change share, or give more samples."
        )
    order = np.random.default_rng([seed, count]).permutation(count)
    return order[held:], order[:held]


def positions(which: Any, count: int) -> Int[np.ndarray, " _picked"]:
    """Return the positions that an index, a slice, a list or a Boolean mask picks out of `count`."""
    try:
        # An empty list would become a float array, which is no index.
        index = which if isinstance(which, slice) else np.asarray(which, dtype=None if np.size(which) else int)
        return np.atleast_1d(np.arange(count)[index])
    except IndexError as error:
        raise IndexError(f"trajectory {which!r} is asked; there are {count}, from 0 to {count - 1}.") from error

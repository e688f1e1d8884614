"""How similar the dependences of networks are: to each other, and to the true ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class MeanAlike(NamedTuple):
    """The similarity of the maps of members: the mean over all pairs, NaN for fewer than two members.

    `overall`: of whole maps; `by_output`: of the features of each output.
    """

    overall: float
    by_output: Float[np.ndarray, " output"]


class Match(NamedTuple):
    """Maps against the true one, a number per member.

    `precision`: the share of found dependences that are true, NaN without any found; `recall`: the share of true ones
    that are found, NaN without any true; `jaccard`: found and true among found or true, 1 without either.
    """

    precision: Float[np.ndarray, " member"]
    recall: Float[np.ndarray, " member"]
    jaccard: Float[np.ndarray, " member"]


def jaccard(maps: Bool[np.ndarray, "member output feature"]) -> Float[np.ndarray, "member member"]:
    """Return for every two members the dependences of both among those of either; 1 where neither has any."""
    flat = _flat(maps).astype(np.int64)
    both = flat @ flat.T
    count = np.diagonal(both)
    return _ratio(both, count[:, None] + count[None, :] - both, empty=1.0)


def mean_jaccard(maps: Bool[np.ndarray, "member output feature"]) -> MeanAlike:
    """Return the mean Jaccard index over pairs of different members, of whole maps and by output.

    Full maps are similar whatever they were trained on: use it together with `kappa`.
    """
    by_output = [_off_diagonal_mean(jaccard(maps[:, i : i + 1])) for i in range(maps.shape[1])]
    return MeanAlike(_off_diagonal_mean(jaccard(maps)), np.asarray(by_output, np.float64))


def kappa(maps: Bool[np.ndarray, "member output feature"]) -> Float[np.ndarray, "member member"]:
    """Return Cohen's kappa of every two members: agreement beyond that of maps as full that are drawn at random.

    1 is the same map, 0 what chance would give. NaN where both maps are full or both are empty: agreement is then
    undefined. Source: Cohen (1960).
    """
    flat = _flat(maps).astype(np.float64)
    full = flat.mean(axis=1)
    observed = (flat @ flat.T + (1 - flat) @ (1 - flat).T) / flat.shape[1]
    chance = np.outer(full, full) + np.outer(1 - full, 1 - full)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)


def mean_kappa(maps: Bool[np.ndarray, "member output feature"]) -> float:
    """Return the mean of `kappa` over pairs of different members, those without one left out."""
    return _off_diagonal_mean(kappa(maps))


def against_truth(maps: Bool[np.ndarray, "member output feature"], truth: Bool[np.ndarray, "output feature"]) -> Match:
    """Compare the map of every member with the true one."""
    axes = (1, 2)
    hits, found = np.sum(maps & truth, axis=axes), np.sum(maps, axis=axes)
    true = np.full_like(found, np.sum(truth))
    return Match(_ratio(hits, found), _ratio(hits, true), _ratio(hits, found + true - hits, empty=1.0))


def _flat(maps: Bool[np.ndarray, "member output feature"]) -> Bool[np.ndarray, "member entry"]:
    return maps.reshape(len(maps), maps.shape[1] * maps.shape[2])


def _off_diagonal_mean(matrix: Float[np.ndarray, "member member"]) -> float:
    """The mean over pairs of different members, without NaN; NaN if there are none."""
    others = matrix[~np.eye(len(matrix), dtype=bool)]
    known = others[~np.isnan(others)]
    return float(known.mean()) if known.size else float("nan")


def _ratio(
    part: Int[np.ndarray, "*shape"], whole: Int[np.ndarray, "*shape"], empty: float = float("nan")
) -> Float[np.ndarray, "*shape"]:
    return np.where(whole > 0, part / np.maximum(whole, 1), empty)

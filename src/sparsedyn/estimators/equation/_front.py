"""Candidate networks: the best of each size, and those that are better than all smaller ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Candidates(NamedTuple):
    """Points of the paths of all networks: flattened weights, their errors, and their score (the least is best)."""

    trial: Int[np.ndarray, " candidate"]
    weights: Float[np.ndarray, "candidate weight"]
    nonzeros: Int[np.ndarray, " candidate"]
    train: Float[np.ndarray, " candidate"]
    held_out: Float[np.ndarray, " candidate"]
    score: Float[np.ndarray, " candidate"]


def relative_error(found: Candidates) -> Float[np.ndarray, " candidate"]:
    """Return relative errors, the larger of training and held-out samples."""
    return np.sqrt(np.maximum(found.train, found.held_out))


def best_of_each_size(found: Candidates) -> Candidates:
    """Return the best candidate of every number of weights."""
    order = np.argsort(found.score, kind="stable")
    _, first = np.unique(found.nonzeros[order], return_index=True)
    return Candidates(*(part[order[np.sort(first)]] for part in found))


def pareto(count: np.ndarray, error: np.ndarray, most: int) -> list[int]:
    """Return the places of candidates, of at most `most` weights, that are clearly better than all smaller ones."""
    best, found = np.inf, []
    for place in np.argsort(count, kind="stable").tolist():
        if count[place] <= most and error[place] < 0.5 * best:
            best = error[place]
            found.append(place)
    return found

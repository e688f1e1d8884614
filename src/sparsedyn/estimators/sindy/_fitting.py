"""From terms and derivatives to coefficients: terms are chosen, then fitted; once, or for many bootstrap samples."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.estimators._known import Known
from sparsedyn.estimators.sindy._gradient import PENALTIES, by_size, trained
from sparsedyn.estimators.sindy._proposals import along
from sparsedyn.estimators.sindy._regression import Block, chunks
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.training.least_squares import Coefficients, Factor, Support, bagged, elimination, solve, thresholded
from sparsedyn.training.parsimony import bic

LEFT = 1e-3
"""Contribution from which on a term counts as left by a penalty."""


class Identified(NamedTuple):
    """Coefficients, the thresholds that they passed, those of an ensemble's members, and how the data were read."""

    coefficients: Float[np.ndarray, "term equation"]
    thresholds: Float[np.ndarray, " equation"]
    members: Float[np.ndarray, "member term equation"] | None = None
    inputs: str = "held"
    time: str = "continuous"
    known: Known | None = None
    related: Float[np.ndarray, " equation"] | None = None
    """Correlations of residuals in rows beside each other, of terms chosen by whole trajectories."""
    by_rows: bool = False
    """Whether terms were chosen by next rows instead."""


def above_thresholds(settings: Settings) -> Callable[[Factor], Coefficients]:
    """Return how to fit coefficients above the thresholds."""
    return partial(_above, settings)


def of_size(settings: Settings, support: Support) -> Callable[[Factor], Coefficients]:
    """Return how to fit as many terms to each equation as a support has."""
    return partial(_of_size, settings, [int(count) for count in support.sum(axis=0)])


def paths(settings: Settings, reduced: Factor) -> list[Bool[np.ndarray, "step term"]]:
    """For each equation, supports from many terms to none."""
    if settings.optimizer == "stlsq":
        return [elimination(reduced, j) for j in range(reduced.size[1])]
    return [by_size(column) for column in reduced.contributions(_trained(settings, reduced)).T]


def of_information(settings: Settings, known: Factor) -> Callable[[Factor], Coefficients]:
    """Return how to fit as many terms to each equation as Bayes's information criterion calls for."""
    counts = []
    for j, path in enumerate(paths(settings, known)):
        fits = along(known, path, j)
        counts.append(int(path[np.argmin(bic(fits.left / fits.target, path.sum(axis=1), known.samples))].sum()))
    return partial(_of_size, settings, counts)


def fitted(
    settings: Settings, reduced: Factor, blocks: Sequence[Block], fit: Callable[[Factor], Coefficients]
) -> Identified:
    """Return the coefficients of all samples, or the medians of those of bootstrap samples."""
    coefficients, members = fit(reduced), None
    if settings.ensemble is not None:
        members = bagged(chunks(blocks), fit, settings.ensemble, seed=settings.seed)
        coefficients = np.nanmedian(members, axis=0)
    return Identified(coefficients, thresholds(settings, coefficients), members)


def above(settings: Settings, reduced: Factor, coefficients: Coefficients) -> Support:
    """Return which coefficients are above the thresholds, and not zero."""
    assert settings.threshold is not None
    sizes = np.abs(coefficients) if settings.scale == "coefficients" else reduced.contributions(coefficients)
    return (coefficients != 0) & (sizes >= np.broadcast_to(settings.threshold, coefficients.shape[1:]))


def thresholds(settings: Settings, coefficients: Coefficients) -> Float[np.ndarray, " equation"]:
    """Return the thresholds of all equations; where the data chose, the least coefficients that were kept."""
    if settings.threshold is not None:
        return np.array(np.broadcast_to(settings.threshold, coefficients.shape[1:]))
    sizes = np.where(coefficients != 0, np.abs(coefficients), np.inf).min(axis=0)
    return np.where(np.isfinite(sizes), sizes, 0.0)


def _above(settings: Settings, reduced: Factor) -> Coefficients:
    """The coefficients above the thresholds."""
    assert settings.threshold is not None
    if settings.optimizer == "stlsq":
        return thresholded(reduced, settings.threshold, ridge=settings.ridge, scale=settings.scale)
    # A penalty shrinks what it keeps: the thresholds are for what least squares makes of the terms that it left.
    kept = reduced.contributions(_trained(settings, reduced)) > LEFT
    while True:
        found = solve(reduced, kept)
        left = kept & above(settings, reduced, found)
        if np.array_equal(left, kept):
            return found
        kept = left


def _of_size(settings: Settings, counts: list[int], reduced: Factor) -> Coefficients:
    """The coefficients of as many terms."""
    support = np.zeros(reduced.size, bool)
    for j, (path, count) in enumerate(zip(paths(settings, reduced), counts, strict=True)):
        support[:, j] = path[np.argmin(np.abs(path.sum(axis=1) - count))]
    return solve(reduced, support)


def _trained(settings: Settings, reduced: Factor) -> Coefficients:
    return trained(reduced, PENALTIES[settings.optimizer](settings.penalty), seed=settings.seed)

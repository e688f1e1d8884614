"""From data to coefficients: terms are chosen, then fitted; once, or for many bootstrap samples."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.data import Trajectories, pieces
from sparsedyn.estimators.sindy import _selection as sindy_choice
from sparsedyn.estimators.sindy._derivatives import Slopes, full_names, full_states, slopes
from sparsedyn.estimators.sindy._gradient import PENALTIES, by_size, trained
from sparsedyn.estimators.sindy._regression import Block, Measured, chunks, pooled, regression, warn_dependent
from sparsedyn.models import Library
from sparsedyn.training.least_squares import (
    Coefficients,
    Factor,
    bagged,
    contributions,
    elimination,
    solve,
    thresholded,
)

if TYPE_CHECKING:
    from sparsedyn.estimators.sindy.sindy import SINDy


WINDOWS = 3
"""Windows per term from which on the weak form is taken by itself."""
LEFT = 1e-3
"""Contribution from which on a term counts as left by a penalty."""


class Found(NamedTuple):
    """Coefficients, the thresholds that they passed, and those of every member of an ensemble."""

    coefficients: Float[np.ndarray, "term equation"]
    thresholds: Float[np.ndarray, " equation"]
    members: Float[np.ndarray, "member term equation"] | None = None


def found_in(estimator: "SINDy", data: Trajectories, library: Library, measured: Measured) -> Found:
    """Return the coefficients that the estimator's parameters ask for."""
    smooth = pieces(data)
    differentiate = slopes(estimator.derivative, smooth)
    automatic = estimator.weak == "auto"
    weak = measured == Measured() and estimator.order == 1 if automatic else bool(estimator.weak)

    def blocks(data: Trajectories, measured: Measured) -> list[Block]:
        return regression(data, library, differentiate, measured, order=estimator.order, weak=weak)

    everything = blocks(data, measured)
    if automatic and weak and sum(len(block.theta) for block in everything) < WINDOWS * library.size:
        weak = False
        everything = blocks(data, measured)
    if isinstance(estimator.threshold, str):
        counts = _counts(estimator, data, library, measured, differentiate, blocks)
        refit = partial(_of_size, estimator, counts)
    else:
        refit = partial(_above, estimator)
    reduced = pooled(everything, library)
    warn_dependent(reduced, library.names(full_names(data.state_names, data.input_names, estimator.order)))
    coefficients, members = refit(reduced), None
    if estimator.ensemble is not None:
        members = bagged(chunks(everything), refit, estimator.ensemble, seed=estimator.seed)
        coefficients = np.nanmedian(members, axis=0)
    return Found(coefficients, _thresholds(estimator, coefficients), members)


def _above(estimator: "SINDy", reduced: Factor) -> Coefficients:
    """The coefficients above the thresholds."""
    if estimator.optimizer == "stlsq":
        return thresholded(reduced, np.asarray(estimator.threshold, np.float64), ridge=estimator.ridge)
    # A penalty shrinks what it keeps: the thresholds are for what least squares makes of the terms that it left.
    kept = np.abs(contributions(reduced, _trained(estimator, reduced))) > LEFT
    while True:
        found = solve(reduced, kept)
        above = kept & (np.abs(found) >= np.broadcast_to(np.asarray(estimator.threshold), found.shape[1:]))
        if np.array_equal(above, kept):
            return found
        kept = above


def _of_size(estimator: "SINDy", counts: list[int], reduced: Factor) -> Coefficients:
    """The coefficients of as many terms."""
    support = np.zeros(reduced.size, bool)
    for j, (path, count) in enumerate(zip(_paths(estimator, reduced), counts, strict=True)):
        support[:, j] = path[np.argmin(np.abs(path.sum(axis=1) - count))]
    return solve(reduced, support)


def _counts(
    estimator: "SINDy",
    data: Trajectories,
    library: Library,
    measured: Measured,
    differentiate: Slopes,
    blocks: Callable[[Trajectories, Measured], list[Block]],
) -> list[int]:
    """The number of terms of each equation, by rollouts of held-out data."""
    known, unknown = sindy_choice.held_out(data)
    first, last = _parts(measured, known, unknown)
    reduced = pooled(blocks(known, first), library)
    judged = sindy_choice.starts(_smooth(unknown, estimator.order, last, differentiate))
    paths = _paths(estimator, reduced)
    steps = sindy_choice.choose(reduced, paths, library, estimator.order, judged)
    return [int(path[step].sum()) for path, step in zip(paths, steps, strict=True)]


def _paths(estimator: "SINDy", reduced: Factor) -> list[Bool[np.ndarray, "step term"]]:
    """For each equation, supports from many terms to none."""
    if estimator.optimizer == "stlsq":
        return [elimination(reduced, j) for j in range(reduced.size[1])]
    return [by_size(column) for column in contributions(reduced, _trained(estimator, reduced)).T]


def _trained(estimator: "SINDy", reduced: Factor) -> Coefficients:
    return trained(reduced, PENALTIES[estimator.optimizer](estimator.penalty), seed=estimator.seed)


def _parts(measured: Measured, known: Trajectories, unknown: Trajectories) -> tuple[Measured, Measured]:
    """Measured derivatives, parted as trajectories (or the rows of one) were."""

    def part(arrays: list[np.ndarray] | None, begin: bool) -> list[np.ndarray] | None:
        if arrays is None:
            return None
        if len(arrays) == 1:
            rows = known.lengths[0]
            return [arrays[0][:rows] if begin else arrays[0][rows:]]
        return arrays[: len(known)] if begin else arrays[-len(unknown) :]

    first, last = ([part(arrays, begin) for arrays in measured] for begin in (True, False))
    return Measured(*first), Measured(*last)


def _smooth(data: Trajectories, order: int, measured: Measured, differentiate: Slopes) -> Trajectories:
    """The held-out states in smooth pieces, without their noise where derivatives are smoothed."""
    full = full_states(data, order, measured.x_dot if order == 2 else None, differentiate)
    states, inputs = [], []
    for x, u in zip(full.states, full.inputs, strict=True):
        rows, smooth, _ = differentiate(x, data.dt)
        if len(smooth) > 1:
            states.append(smooth)
            inputs.append(u[rows])
    if not states:
        return full
    return Trajectories(states, inputs, dt=data.dt, state_names=full.state_names, input_names=full.input_names)


def _thresholds(estimator: "SINDy", coefficients: Coefficients) -> Float[np.ndarray, " equation"]:
    if not isinstance(estimator.threshold, str):
        return np.array(np.broadcast_to(np.asarray(estimator.threshold, np.float64), coefficients.shape[1:]))
    sizes = np.where(coefficients != 0, np.abs(coefficients), np.inf).min(axis=0)
    return np.where(np.isfinite(sizes), sizes, 0.0)

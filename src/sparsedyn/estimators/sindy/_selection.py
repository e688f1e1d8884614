"""How many terms each equation keeps: judged by rollouts of trajectories that were held out."""

from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._steps import rk4_step
from sparsedyn.data import DataError, Trajectories
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, solve

STARTS = 100
REACH = 3.0
"""A rollout lasts until the quickest state has typically moved this many of its standard deviations."""
NOTHING = 1e-3
"""Forecast errors below this share of a state's standard deviation count as none."""
WORST = 1e3
SWEEPS = 3

Path = Bool[np.ndarray, "step term"]


class Starts(NamedTuple):
    """Stretches of held-out trajectories: states `(start, time, state)`, scaled errors count in `spread`."""

    states: Float[np.ndarray, "start time state"]
    inputs: Float[np.ndarray, "start time input"]
    spread: Float[np.ndarray, " state"]
    dt: float


def starts(data: Trajectories) -> Starts:
    """Return stretches of equal length, at most a hundred, spread over the trajectories."""
    everything = np.concatenate(data.states)
    spread = everything.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    speed = np.sqrt(np.mean(np.square(np.concatenate([np.diff(x, axis=0) for x in data.states])), axis=0))
    rows = int(REACH * np.min(spread / np.maximum(speed, 1e-12 * spread)))
    rows = int(np.clip(rows, 5, max(5, int(np.median(data.lengths)) - 1))) + 1
    places = [(i, k) for i, x in enumerate(data.states) for k in range(0, len(x) - rows + 1, max(1, rows // 2))]
    if not places:
        raise DataError(f"data: expected {rows} rows in a piece to judge thresholds by; got fewer. Give a threshold.")
    chosen = [places[i] for i in np.unique(np.linspace(0, len(places) - 1, STARTS).astype(int))]
    states = np.stack([data.states[i][k : k + rows] for i, k in chosen])
    return Starts(states, np.stack([data.inputs[i][k : k + rows] for i, k in chosen]), spread, data.dt)


def choose(reduced: Factor, paths: list[Path], library: Library, order: int, judged: Starts) -> list[int]:
    """Return for each equation the step of its path that is the simplest whose rollouts are as good as the best.

    As good: by no more than two standard errors of the paired difference, or a thousandth of a standard deviation. One
    equation is judged at a time, the others as chosen so far, until nothing changes.
    """
    fits = [_along(reduced, path, j) for j, path in enumerate(paths)]
    steps = [_first_guess(reduced, fit, j) for j, fit in enumerate(fits)]
    for _ in range(SWEEPS):
        before = list(steps)
        for j, fit in enumerate(fits):
            candidates = np.stack([other[step] for other, step in zip(fits, steps, strict=True)], axis=1)
            candidates = np.repeat(candidates[None], len(fit), axis=0)
            candidates[:, :, j] = fit
            steps[j] = simplest(rollout_errors(candidates, library, order, judged, j))
        if steps == before:
            break
    return steps


def simplest(errors: Float[np.ndarray, "step start"]) -> int:
    """Return the last step whose mean squared errors are as good as the best step's."""
    best = errors[np.argmin(errors.mean(axis=1))]
    worse = errors - best
    doubt = 2 * worse.std(axis=1) / np.sqrt(errors.shape[1])
    fine = worse.mean(axis=1) <= doubt + NOTHING**2
    # Large errors have large standard errors: what is far worse is so however unsure.
    fine &= errors.mean(axis=1) <= 4 * (best.mean() + NOTHING**2)
    return int(np.flatnonzero(fine)[-1])


def rollout_errors(
    candidates: Float[np.ndarray, "candidate term equation"],
    library: Library,
    order: int,
    judged: Starts,
    equation: int,
) -> Float[np.ndarray, "candidate start"]:
    """Return mean squared errors of one state along rollouts, scaled by its standard deviation, at most a million."""
    count = len(candidates)
    x = np.broadcast_to(judged.states[:, 0], (count, *judged.states[:, 0].shape))
    total = np.zeros(x.shape[:2])
    limit = WORST * np.abs(judged.states).max(axis=(0, 1))

    def field(u: np.ndarray, _: float, x: np.ndarray) -> np.ndarray:
        found = library.evaluate(np.concatenate([x, u], axis=-1)) @ candidates
        return found if order == 1 else np.concatenate([x[..., x.shape[-1] // 2 :], found], axis=-1)

    steps = judged.states.shape[1] - 1
    with np.errstate(all="ignore"):
        for k in range(steps):
            u = np.broadcast_to(judged.inputs[:, k], (count, *judged.inputs[:, k].shape))
            following = rk4_step(partial(field, u), x, judged.dt)
            # What runs away stays finite: its error is large enough as it is.
            x = np.clip(np.nan_to_num(following, nan=np.inf), -limit, limit)
            error = (x - judged.states[:, k + 1])[..., equation] / judged.spread[equation]
            total += np.minimum(np.square(error), WORST**2)
    return total / steps


def _along(reduced: Factor, path: Path, equation: int) -> Float[np.ndarray, "step term"]:
    """The least-squares coefficients of one equation for every support of its path."""
    columns = [*range(reduced.terms), reduced.terms + equation]
    alone = Factor(reduced.triangle[:, columns], reduced.terms, reduced.samples)
    return np.stack([solve(alone, support[:, None])[:, 0] for support in path])


def _first_guess(reduced: Factor, fit: Coefficients, equation: int) -> int:
    """The simplest step that explains what more terms explain, but for half of what they leave."""
    theta, target = reduced.triangle[:, : reduced.terms], reduced.triangle[:, reduced.terms + equation]
    left = np.sum(np.square(fit @ theta.T - target), axis=1)
    return int(np.flatnonzero(left <= 1.5 * left.min() + NOTHING**2 * np.sum(np.square(target)))[-1])

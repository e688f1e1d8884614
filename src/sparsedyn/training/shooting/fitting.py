"""Levenberg-Marquardt for the parameters of candidates and the first states of their segments."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded

from .motion import Field, Motion, motion
from .segments import Segments

ITERATIONS = 20
SETTLED = 0.02
"""A fit ends when a step improves minus two log-likelihoods by less than this."""
TIGHT = 0.1
"""Standard deviation that a jump between segments may have, as a share of the noise's."""


class Scales(NamedTuple):
    """Standard deviations of the noise and of jumps between segments, of every state."""

    noise: Float[np.ndarray, " state"]
    jumps: Float[np.ndarray, " state"]


class Fitted(NamedTuple):
    """Parameters and first states of candidates, and sums of squares per state, that of jumps in shares of noise."""

    parameters: Float[np.ndarray, "candidate parameter"]
    starts: Float[np.ndarray, "candidate segment state"]
    squares: Float[np.ndarray, "candidate state"]


class Normal(NamedTuple):
    """Normal equations of the parameters, first states eliminated, and how to get these back."""

    hessian: Float[np.ndarray, "parameter parameter"]
    gradient: Float[np.ndarray, " parameter"]
    shift: Float[np.ndarray, "unknown"]
    follow: Float[np.ndarray, "unknown parameter"]


def squares(data: Segments, scales: Scales, starts: np.ndarray, moved: Motion) -> Float[np.ndarray, "candidate state"]:
    """Return weighted sums of squares per state; infinite for what ran away."""
    first = data.weights[:, 0] * np.square(starts - data.measured[:, 0])
    rest = data.weights[:, 1:] * np.square(moved.states - data.measured[:, 1:])
    jumps = data.entering * np.square(_jumps(data, starts, moved)) * np.square(scales.noise / scales.jumps)
    total = first.sum(axis=1) + rest.sum(axis=(1, 2)) + jumps.sum(axis=1)
    return np.where(np.isfinite(total).all(axis=1, keepdims=True), total, np.inf)


def normal(
    data: Segments, scales: Scales, starts: np.ndarray, moved: Motion, candidate: int, damping: float = 0.0
) -> Normal:
    """Return the Gauss-Newton equations of one candidate, diagonals raised by the share `damping`."""
    assert moved.sensitivities is not None
    count, length, width, unknowns = moved.sensitivities.shape[1:]
    # One stack of scaled rows per segment: the measured rows, then the jump at its end.
    by = moved.sensitivities[candidate]
    root = np.sqrt(data.weights[:, 1:]) / scales.noise
    tight = np.sqrt(data.entering) / scales.jumps
    rows = np.concatenate([by * root[..., None], by[:, -1:] * tight[:, None, :, None]], axis=1)
    rows = rows.reshape(count, (length + 1) * width, unknowns)
    misfit = (data.measured[:, 1:] - moved.states[candidate]) * root
    jumps = -_jumps(data, starts, moved)[candidate] * tight
    wrong = np.concatenate([misfit, jumps[:, None]], axis=1).reshape(count, -1)
    own, shared = rows[..., :width], rows[..., width:]
    flat = shared.reshape(count * (length + 1) * width, unknowns - width)
    hessian, gradient = flat.T @ flat, flat.T @ wrong.ravel()
    blocks = own.transpose(0, 2, 1) @ own
    cross = own.transpose(0, 2, 1) @ shared
    right = np.einsum("srn,sr->sn", own, wrong)
    # What a segment's first state has of its own row and of the jump before it.
    weight = data.weights[:, 0] / np.square(scales.noise)
    right += weight * (data.measured[:, 0] - starts[candidate])
    entered = np.zeros((count, width))
    entered[1:] = tight[:-1]
    weight = weight + np.square(entered)
    blocks[:, np.arange(width), np.arange(width)] += weight
    last = rows[:, -width:]
    cross[1:] -= tight[:-1, :, None] * last[:-1, :, width:]
    right[1:] -= tight[:-1] * jumps[:-1]
    off = -last[:-1, :, :width].transpose(0, 2, 1) * tight[:-1, None, :]
    diagonal = np.arange(width)
    blocks[:, diagonal, diagonal] *= 1 + damping
    # First states that nothing determines stay where they are.
    blocks[:, diagonal, diagonal] += 1e-12 / np.square(scales.noise)
    band = _banded(blocks, off)
    together = np.concatenate([cross.reshape(count * width, -1), right.reshape(-1, 1)], axis=1)
    solved = solveh_banded(band, together, check_finite=False)
    follow, shift = solved[:, :-1], solved[:, -1]
    flat_cross = together[:, :-1]
    hessian[np.diag_indices(len(hessian))] *= 1 + damping
    return Normal(hessian - flat_cross.T @ follow, gradient - flat_cross.T @ shift, shift, follow)


def fitted(
    field: Field,
    starts: Float[np.ndarray, "candidate segment state"],
    parameters: Float[np.ndarray, "candidate parameter"],
    free: Bool[np.ndarray, "candidate parameter"],
    data: Segments,
    scales: Scales,
    *,
    substeps: int = 1,
    iterations: int = ITERATIONS,
) -> Fitted:
    """Fit the free parameters of all candidates, and their first states; a candidate that runs away at once stays.

    Source: Bock 1983; Marquardt 1963.
    """
    starts, parameters = starts.copy(), parameters.copy()
    moved = motion(field, starts, parameters, data, substeps=substeps)
    sums = squares(data, scales, starts, moved)
    cost = _cost(sums, scales)
    damping = np.full(len(starts), 1e-3)
    running = np.isfinite(cost)
    for _ in range(iterations):
        which = np.flatnonzero(running)
        if not which.size:
            break
        tried_starts, tried = starts[which].copy(), parameters[which].copy()
        for row, c in enumerate(which):
            step, move = _step(normal(data, scales, starts, moved, int(c), damping[c]), free[c])
            tried[row] += step
            tried_starts[row] += move.reshape(tried_starts[row].shape)
        next_moved = motion(field, tried_starts, tried, data, substeps=substeps)
        next_sums = squares(data, scales, tried_starts, next_moved)
        next_cost = _cost(next_sums, scales)
        gain = cost[which] - next_cost
        better = gain > 0
        good = which[better]
        starts[good], parameters[good] = tried_starts[better], tried[better]
        sums[good], cost[good] = next_sums[better], next_cost[better]
        assert moved.sensitivities is not None
        assert next_moved.sensitivities is not None
        moved.states[good] = next_moved.states[better]
        moved.sensitivities[good] = next_moved.sensitivities[better]
        damping[which] = np.where(better, damping[which] / 10, damping[which] * 10)
        settled = better & (gain < SETTLED) | ~better & (damping[which] > 1e6)
        running[which[settled]] = False
    return Fitted(parameters, starts, sums)


def _cost(sums: np.ndarray, scales: Scales) -> Float[np.ndarray, " candidate"]:
    found: np.ndarray = np.sum(sums / np.square(scales.noise), axis=1)
    return found


def _step(equations: Normal, free: Bool[np.ndarray, " parameter"]) -> tuple[np.ndarray, np.ndarray]:
    """The step of the parameters and of all first states; nothing where the equations are singular."""
    chosen = np.flatnonzero(free)
    step = np.zeros(len(free))
    if chosen.size:
        step[chosen] = solved(equations.hessian[np.ix_(chosen, chosen)], equations.gradient[chosen])
    return step, equations.shift - equations.follow @ step


def solved(matrix: Float[np.ndarray, "n n"], right: Float[np.ndarray, "n *k"]) -> Float[np.ndarray, "n *k"]:
    """Solve a symmetric system, scaled to a unit diagonal; directions that are not determined stay zero."""
    if not len(matrix):
        return right.copy()
    size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    inverse = np.where(values > 1e-10 * max(values[-1], 1e-300), 1 / np.where(values > 0, values, np.inf), 0.0)
    scaled = (right.T / size).T
    found: np.ndarray = ((vectors @ ((vectors.T @ scaled).T * inverse).T).T / size).T
    return found


def _jumps(data: Segments, starts: np.ndarray, moved: Motion) -> Float[np.ndarray, "candidate segment state"]:
    """By how much the end of a segment misses the start of the next; zero where none follows."""
    found = np.zeros_like(starts)
    found[:, :-1] = np.where(data.continued[:-1, None], moved.states[:, :-1, -1] - starts[:, 1:], 0.0)
    return found


def _banded(blocks: Float[np.ndarray, "segment n n"], off: Float[np.ndarray, "pair n n"]) -> np.ndarray:
    """The upper band of a block tridiagonal matrix, as `solveh_banded` wants it."""
    count, width = blocks.shape[:2]
    band = np.zeros((2 * width, count * width))
    top = 2 * width - 1
    places = np.arange(count) * width
    for a in range(width):
        for b in range(width):
            if b >= a:
                band[top + a - b, places + b] = blocks[:, a, b]
            if width + b - a < 2 * width:
                band[top + a - b - width, places[1:] + b] = off[:, a, b]
    # LAPACK has no bands beside a single number.
    return band if band.shape[1] > 1 else band[top:]

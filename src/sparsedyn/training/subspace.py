"""Linear state-space models from inputs and outputs: a long autoregression, its Hankel matrix, singular values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

MOST_ROWS = 50_000
"""Rows that an autoregression is fitted to."""
FASTEST = 0.999
"""The largest absolute eigenvalue that a start may have."""

LEAST = 1e-9
"""Standard deviation that innovations have at least."""


class Linear(NamedTuple):
    """`x+ = A x + B u`, `y = C x + D u`."""

    A: Float[np.ndarray, "state state"]
    B: Float[np.ndarray, "state input"]
    C: Float[np.ndarray, "output state"]
    D: Float[np.ndarray, "output input"]


def subspace(
    inputs: Sequence[Float[np.ndarray, "_time input"]],
    outputs: Sequence[Float[np.ndarray, "_time output"]],
    lags: int,
    states: int,
) -> Linear:
    """Return a linear model with so many states, by an autoregression over `lags` rows.

    The autoregression's responses to inputs, and to the innovations that it leaves, fill a Hankel matrix, whose leading
    singular vectors give the model. Records that are not longer than `lags` are passed over. Source: Ho & Kalman 1966;
    Juang & Pappa 1985.
    """
    width, height = inputs[0].shape[1], outputs[0].shape[1]
    regressors, targets, total = [], [], 0
    for u, y in zip(inputs, outputs, strict=True):
        if len(y) <= lags or total > MOST_ROWS:
            continue
        rows = np.arange(lags, len(y))[:MOST_ROWS]
        past = [y[rows - lag] for lag in range(1, lags + 1)] + [u[rows - lag] for lag in range(lags + 1)]
        regressors.append(np.concatenate([*past, np.ones((len(rows), 1))], axis=1))
        targets.append(y[rows])
        total += len(rows)
    theta, target = np.concatenate(regressors), np.concatenate(targets)
    found = np.linalg.lstsq(theta, target, rcond=1e-8)[0]
    # What is foreseen exactly has the same poles, whatever the size of its innovations.
    noise = np.maximum(np.sqrt(np.mean(np.square(target - theta @ found), axis=0)), LEAST)
    own = found[: lags * height].reshape(lags, height, height).swapaxes(1, 2)
    forced = found[lags * height : lags * height + (lags + 1) * width].reshape(lags + 1, width, height).swapaxes(1, 2)
    # Responses to inputs and to innovations of their usual size, side by side.
    horizon = 2 * max(lags, states + 1)
    response = np.zeros((horizon + 1, height, width + height))
    for row in range(horizon + 1):
        if row <= lags:
            response[row, :, :width] = forced[row]
        if row == 0:
            response[row, :, width:] = np.diag(noise)
        for lag in range(1, min(row, lags) + 1):
            response[row] += own[lag - 1] @ response[row - lag]
    half = horizon // 2
    hankel = np.block([[response[1 + i + j] for j in range(half)] for i in range(half)])
    left, sizes, right = np.linalg.svd(np.nan_to_num(hankel, posinf=0.0, neginf=0.0))
    root = np.sqrt(sizes[:states])
    observability = left[:, :states] * root
    A = np.linalg.lstsq(observability[:-height], observability[height:], rcond=None)[0]
    fastest = np.max(np.abs(np.linalg.eigvals(A)), initial=0.0)
    if fastest > FASTEST:
        A *= FASTEST / fastest
    B = (root[:, None] * right[:states])[:, :width]
    return Linear(A, B, observability[:height], response[0, :, :width])

"""Where linear models without inputs start from: only initial states make them move."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.training.free_run import Windows
from sparsedyn.training.subspace import Linear


class Unforced(NamedTuple):
    """`x+ = A x`, `y = C x + d`, and the states at the first rows of windows."""

    A: Float[np.ndarray, "state state"]
    C: Float[np.ndarray, "output state"]
    d: Float[np.ndarray, " output"]
    starts: Float[np.ndarray, "window state"]


def unforced(found: Linear, windows: Windows, used: Float[np.ndarray, "window row"]) -> Unforced:
    """Return the model with initial states and offsets fitted to the rows that are `used`, by linear least squares.

    States are scaled to initial values of about one: with small ones, neither weights nor states would have a gradient.
    """
    states, height, rows = len(found.A), len(found.C), windows.y.shape[1]
    shown, power = [], found.C
    for _ in range(rows):
        shown.append(power)
        power = power @ found.A
    observed = np.stack(shown)
    # Offsets are common to all windows: what initial states explain of a window is projected out of it first.
    parts, gram, right = [], np.zeros((height, height)), np.zeros(height)
    for y, here in zip(windows.y, used > 0, strict=True):
        matrix, target = observed[here].reshape(-1, states), y[here].ravel()
        basis = np.linalg.svd(matrix, full_matrices=False)[0]
        constant = np.tile(np.eye(height), (int(here.sum()), 1))
        rest = constant - basis @ (basis.T @ constant)
        gram += rest.T @ rest
        right += rest.T @ target
        parts.append((matrix, target, constant))
    d = np.linalg.lstsq(gram, right, rcond=1e-9)[0]
    starts = np.stack([np.linalg.lstsq(m, target - ones @ d, rcond=1e-9)[0] for m, target, ones in parts])
    size = float(np.sqrt(np.mean(np.square(starts)))) or 1.0
    return Unforced(found.A, found.C * size, d, starts / size)

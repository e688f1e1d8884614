"""Whether inputs follow from states, as those of a controller do: their effects can then not be told apart."""

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Trajectories

FOLLOWS = 0.99
"""Share of an input's variance that a quadratic function of the states explains, from which on it follows from them."""
EXACTLY = 0.9999
"""The same where outputs may answer inputs of their row: a plant has more noise, or memory, than this leaves."""
ROWS, MOST = 5, 60
"""Rows per term of that function, and terms, of which it is linear beyond."""
SWITCHES = 3
"""Switches up, and as many down, of an input of two values that are looked at."""
CLOSE, MOVING = 0.02, 0.3
"""Range of a state at switches, in shares of its own, and its speed there, in shares of the usual, of a thermostat."""


def feedback(data: Trajectories) -> Finding | None:
    """Say which inputs are nearly functions of the states of their row, or are switched where a state has a value."""
    if not data.input_names:
        return None
    follow = followed(data, FOLLOWS)
    switched = [_switched(data, j) for j in range(len(data.input_names))]
    names = [name for name, one, two in zip(data.input_names, follow, switched, strict=True) if one or two]
    if not names:
        return None
    return Finding(
        "closed-loop",
        f"fit: on these data {', '.join(names)} nearly follow from the states, as inputs of a controller do: what they "
        "do and what the states do can hardly be told apart. Give data under inputs that move by themselves, such as "
        "steps or noise added to the controller's, or fix what is known of the coefficients.",
    )


def turned_round(data: Trajectories) -> Finding | None:
    """Say which inputs and outputs of a row follow from each other, where a model of outputs may be a controller's."""
    if not data.input_names:
        return None
    y, u = np.concatenate(data.states), np.concatenate(data.inputs)
    sides = (
        (data.input_names, _explained(y, u, EXACTLY), "outputs"),
        (data.state_names, _explained(u, y, EXACTLY), "inputs"),
    )
    said = [
        f"{', '.join(name for name, one in zip(names, follow, strict=True) if one)} from the {others}"
        for names, follow, others in sides
        if follow.any()
    ]
    if not said:
        return None
    return Finding(
        "closed-loop",
        f"fit: on these data, within a row, there follow {' and '.join(said)}, as where a controller sets inputs by "
        "outputs. The model is then likely the controller turned round, its gains of the wrong sign. Give data under "
        "inputs that move by themselves, such as steps or noise added to the controller's. A plant that answers at "
        "once, without memory or noise, looks the same.",
    )


def followed(data: Trajectories, share: float) -> Bool[np.ndarray, " input"]:
    """Return of which inputs a quadratic function of the states of their row explains this share of the variance."""
    return _explained(np.concatenate(data.states), np.concatenate(data.inputs), share)


def _explained(
    x: Float[np.ndarray, "row variable"], u: Float[np.ndarray, "row other"], share: float
) -> Bool[np.ndarray, " other"]:
    """Return of which columns of `u` a quadratic function of `x` explains this share of the variance."""
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    pairs = list(combinations_with_replacement(range(z.shape[1]), 2))
    columns = [np.ones(len(z)), *z.T]
    if len(columns) + len(pairs) <= min(MOST, len(z) // ROWS):
        columns += [z[:, i] * z[:, j] for i, j in pairs]
    if len(z) < ROWS * len(columns):
        return np.zeros(u.shape[1], bool)
    theta = np.stack(columns, axis=1)
    left = u - theta @ np.linalg.lstsq(theta.T @ theta, theta.T @ u, rcond=None)[0]
    freedom = len(z) - len(columns)
    variance = u.var(axis=0)
    return (variance > 0) & (np.square(left).sum(axis=0) / freedom < (1 - share) * variance)


def _switched(data: Trajectories, j: int) -> bool:
    """Whether an input of two values goes from one to the other where some state, in motion, has a certain value."""
    if len(np.unique(np.concatenate([u[:, j] for u in data.inputs]))) != 2:
        return False
    x = np.concatenate(data.states)
    usual = np.sqrt(np.mean(np.square(np.concatenate([np.diff(part, axis=0) for part in data.states])), axis=0))
    narrow = np.ones(x.shape[1], bool)
    for sign in (1, -1):
        at, before = [], []
        for states, u in zip(data.states, data.inputs, strict=True):
            rows = np.flatnonzero(sign * np.diff(u[:, j]) > 0) + 1
            at.append(states[rows])
            before.append(states[rows] - states[rows - 1])
        places, steps = np.concatenate(at), np.abs(np.concatenate(before))
        if len(places) < SWITCHES:
            return False
        # A controller that looks once a row is up to a row late.
        narrow &= np.ptp(places, axis=0) <= np.maximum(CLOSE * np.ptp(x, axis=0), 1.2 * steps.max(axis=0))
        narrow &= np.ptp(places, axis=0) <= 0.25 * np.ptp(x, axis=0)
        narrow &= steps.mean(axis=0) >= MOVING * usual
    return bool(narrow.any())

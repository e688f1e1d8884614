"""The linear part: models with one, two, ... states, started from subspaces and fitted to free runs."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.estimators.state_space._coordinates import whitened
from sparsedyn.estimators.state_space._fitting import filled, fitted, repeated, runs_of
from sparsedyn.estimators.state_space._limits import limits_of
from sparsedyn.estimators.state_space._unforced import unforced
from sparsedyn.estimators.state_space._windows import Folds
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import weight_shapes
from sparsedyn.training.subspace import subspace

LAGS = (2, 4, 8, 16, 32)
"""Rows of the past that autoregressions see, whose models are tried as starts."""
ROWS_PER_LAG = 8
"""Rows that an autoregression needs for each of its weights."""
ITERATIONS, REFITS = 20, 10


class Ordered(NamedTuple):
    """A linear model of so many states: fitted to all rows, and the squared errors of rows left out, fold by fold."""

    model: StateSpace
    starts: Float[np.ndarray, "window state"]
    error: float
    held_out: Float[np.ndarray, " fold"]


def linear(data: Trajectories, scaling: Scaling, folds: Folds, states: int, padded: int) -> Ordered:
    """Fit a linear model; computations are those of `padded` states, so that one compilation serves all orders."""
    inputs = [(u - scaling.u_mean) / scaling.u_std for u in data.inputs]
    outputs = [(y - scaling.x_mean) / scaling.x_std for y in data.states]
    width, height = inputs[0].shape[1], outputs[0].shape[1]
    members, windows = len(folds.fitted), len(folds.windows.u)
    rows = sum(max(0, len(y) - 32) for y in outputs) or sum(map(len, outputs)) // 2
    empty = StateSpace.zeros(padded, width, height, (), limits_of(data, scaling))
    used = np.arange(padded) < states
    kept = np.concatenate([_within(empty, states), np.tile(used, windows)])
    found: list[StateSpace] = []
    first: list[np.ndarray] = []
    for lags in LAGS[:members]:
        if found and (lags * (width + height) * ROWS_PER_LAG > rows or max(map(len, outputs)) < 3 * lags):
            continue
        one = subspace(inputs, outputs, lags, states)
        begun = None if width else unforced(one, folds.windows, folds.fitted[0])
        start = begun.starts if begun else np.zeros((windows, states))
        found.append(_padded(begun or one, empty))
        first.append(np.pad(start, ((0, 0), (0, padded - states))).ravel())
    begins = [np.concatenate([model.ravel(), start]) for model, start in zip(found, first, strict=True)]
    everything = folds.everything
    tried = fitted(runs_of(empty, everything, 0.1), filled(begins, members), repeated(kept, members), ITERATIONS)
    best = int(np.argmin(tried.cost))
    weights, starts = runs_of(empty, folds, 1.0).split(tried.values)
    model, start = _cut(empty.unravel(weights[best]), states), starts[best][:, :states]
    model, start = whitened(model, start, folds.windows, folds.fitted[0])
    values = np.concatenate([_padded(model, empty).ravel(), np.pad(start, ((0, 0), (0, padded - states))).ravel()])
    problem = runs_of(empty, folds, float(tried.cost[best]))
    copies = fitted(problem, repeated(values, members), repeated(kept, members), REFITS)
    errors, held_out = problem.errors(copies.values)
    weights, starts = problem.split(copies.values)
    model, start = _cut(empty.unravel(weights[0]), states), starts[0][:, :states]
    return Ordered(model, start, float(errors[0]), held_out[1:] / np.maximum(problem.judged_count[1:], 1.0))


def _within(model: StateSpace, states: int) -> np.ndarray:
    """Return which weights are those of the first states."""
    axes = {"A": (0, 1), "B": (0,), "c": (0,), "C": (1,)}
    return np.array(
        [all(place[axis] < states for axis in axes.get(name, ())) for name, place in model.entries()], dtype=bool
    )


def _padded(found: "StateSpace | object", empty: StateSpace) -> StateSpace:
    """Return a model in the corner of one with more states."""
    flat = []
    for name, shape in weight_shapes(*empty.sizes).items():
        part = np.asarray(getattr(found, name, np.zeros(shape)))
        flat.append(np.pad(part, [(0, full - size) for full, size in zip(shape, part.shape, strict=True)]).ravel())
    return empty.unravel(np.concatenate(flat))


def _cut(model: StateSpace, states: int) -> StateSpace:
    """Return the model of the first states."""
    _, inputs, outputs, _ = model.sizes
    small = StateSpace.zeros(states, inputs, outputs, (), model.limits)
    shapes = weight_shapes(*small.sizes)
    parts = [getattr(model, name)[tuple(slice(size) for size in shape)].ravel() for name, shape in shapes.items()]
    return small.unravel(np.concatenate(parts))

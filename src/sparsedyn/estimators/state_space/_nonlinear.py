"""Nonlinear units on top of a linear model: starts in several directions, the best of which is fitted."""

import numpy as np

from sparsedyn.estimators.state_space._coordinates import bounded, runs, whitened
from sparsedyn.estimators.state_space._fitting import fitted, runs_of
from sparsedyn.estimators.state_space._windows import Folds
from sparsedyn.models import StateSpace

TRIES, ROUNDS, ITERATIONS, REFITS = 25, 3, 15, 12


def started(linear: StateSpace, starts: np.ndarray, folds: Folds, units: tuple[str, ...], seed: int) -> np.ndarray:
    """Return members with the linear part and units of random directions that do not act yet, with initial states.

    Arguments are of unit variance along the runs of the linear model; the first member's follow the output.
    """
    rng = np.random.default_rng(seed)
    states, inputs, outputs, _ = linear.sizes
    x, u = runs(linear, starts, folds.windows, folds.fitted[0])
    rows = []
    for member in range(len(folds.fitted)):
        G, H = rng.normal(size=(len(units), states)), rng.normal(size=(len(units), inputs))
        if member == 0:
            shown = np.arange(len(units)) % outputs
            G, H = np.asarray(linear.C[shown]), np.asarray(linear.D[shown])
        b = 0.5 * rng.normal(size=len(units))
        size = np.maximum(np.std(x @ G.T + u @ H.T, axis=0), 1e-6)
        parts = {"G": G / size[:, None], "H": H / size[:, None], "b": b, "F": np.zeros((states, len(units)))}
        whole = [
            np.ravel(parts.get(name, getattr(linear, name)))
            for name in ("A", "B", "c", "F", "G", "H", "b", "C", "D", "d")
        ]
        rows.append(np.concatenate([*whole, starts.ravel()]))
    return np.stack(rows)


def nonlinear(
    linear: StateSpace, starts: np.ndarray, error: float, folds: Folds, units: tuple[str, ...], seed: int
) -> tuple[StateSpace, np.ndarray, float]:
    """Return the model with units, fitted to all rows, its initial states, and its mean squared error."""
    states, inputs, outputs, _ = linear.sizes
    everything = folds.everything
    empty = StateSpace.zeros(states, inputs, outputs, units, linear.limits)
    values = started(linear, starts, folds, units, seed)
    kept = np.ones_like(values, bool)
    found = fitted(runs_of(empty, everything, error), values, kept, TRIES)
    for _ in range(ROUNDS):
        # The better half goes on, in coordinates of its own best.
        best = int(np.argmin(found.cost))
        problem = runs_of(empty, everything, float(found.cost[best]))
        found = fitted(problem, found.values, kept, ITERATIONS)
    best = int(np.argmin(found.cost))
    weights, initial = problem.split(found.values)
    model, start = whitened(empty.unravel(weights[best]), initial[best], folds.windows, folds.fitted[0])
    return bounded(model, start, folds.windows, folds.fitted[0]), start, float(found.cost[best])

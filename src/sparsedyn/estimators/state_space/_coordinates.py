"""Coordinates of latent states: those in which they are uncorrelated and of unit variance along the training runs."""

import jax
import numpy as np
from jaxtyping import Float
from scipy.linalg import hessenberg

from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import free_run
from sparsedyn.training.free_run import Windows

FLAT = 1e-6
"""Share of the largest standard deviation that counts as none: such directions are left as they are."""
MARGIN = 0.25
"""Of the range of a unit's argument in training, by which forecasts may leave it."""
LARGEST = 1e6
"""States of a run that is not to be looked at any more."""

Starts = Float[np.ndarray, "window state"]


def runs(
    model: StateSpace, starts: Starts, windows: Windows, used: Float[np.ndarray, "window row"]
) -> tuple[Float[np.ndarray, "sample state"], Float[np.ndarray, "sample input"]]:
    """Return the states and inputs of all rows that are `used`, in free runs."""
    with jax.enable_x64(True):
        states = np.asarray(free_run(model, starts, windows.u)[0])
    fine = (used > 0) & (np.abs(states).max(axis=2, initial=0.0) < LARGEST)
    return states[fine], windows.u[fine]


def moved(
    model: StateSpace, starts: Starts, turn: Float[np.ndarray, "state state"], mean: Float[np.ndarray, " state"]
) -> tuple[StateSpace, Starts]:
    """Return the model and initial states in the coordinates `turn^-1 (x - mean)`."""
    back = np.linalg.inv(turn)
    changed = {
        "A": back @ model.A @ turn,
        "B": back @ model.B,
        "c": back @ (model.c + model.A @ mean - mean),
        "F": back @ model.F,
        "G": model.G @ turn,
        "b": model.b + model.G @ mean,
        "C": model.C @ turn,
        "d": model.d + model.C @ mean,
    }
    kept = {name: getattr(model, name) for name in ("H", "D", "low", "high", "floor", "ceiling")}
    return StateSpace(**changed, **kept, units=model.units), (starts - mean) @ back.T


def whitened(model: StateSpace, starts: Starts, windows: Windows, used: np.ndarray) -> tuple[StateSpace, Starts]:
    """Return the model and initial states in coordinates without correlation, and with few nonzero weights.

    Of all such coordinates those are taken whose `C` is lower triangular and, for one output, whose `A` is lower
    Hessenberg: a state acts on its neighbour only, and one on the output.
    """
    states, _ = runs(model, starts, windows, used)
    mean = states.mean(axis=0)
    sizes, directions = np.linalg.eigh(np.cov(states.T, bias=True).reshape(len(mean), -1))
    sizes = np.maximum(sizes, FLAT**2 * max(sizes.max(initial=0.0), 1e-300))
    model, starts = moved(model, starts, directions * np.sqrt(sizes), mean)
    turn = np.linalg.qr(model.C.T, mode="complete")[0]
    model, starts = moved(model, starts, turn, np.zeros_like(mean))
    if len(model.C) == 1:
        model, starts = moved(model, starts, hessenberg(model.A.T, calc_q=True)[1], np.zeros_like(mean))
        model = _cleared(model, "A", np.triu(np.ones_like(model.A), 2) > 0)
    return _cleared(model, "C", np.triu(np.ones_like(model.C), 1) > 0), starts


def bounded(model: StateSpace, starts: Starts, windows: Windows, used: np.ndarray) -> StateSpace:
    """Return the model with arguments of units clipped a little beyond their range in training."""
    if not model.units:
        return model
    states, inputs = runs(model, starts, windows, used)
    arguments = states @ model.G.T + inputs @ model.H.T + model.b
    low, high = arguments.min(axis=0), arguments.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-9)
    return _with(model, low=low - margin, high=high + margin)


def _cleared(model: StateSpace, name: str, where: np.ndarray) -> StateSpace:
    return _with(model, **{name: np.where(where, 0.0, getattr(model, name))})


def _with(model: StateSpace, **changes: np.ndarray) -> StateSpace:
    fields = {name: getattr(model, name) for name in model.__dataclass_fields__}
    return StateSpace(**(fields | changes))

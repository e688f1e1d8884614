"""Larger latent networks: a linear model and many tanh units, trained by gradient on free runs, with any technique."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.data import DataError
from sparsedyn.estimators.state_space._coordinates import bounded
from sparsedyn.estimators.state_space._nonlinear import started
from sparsedyn.estimators.state_space._settings import Settings
from sparsedyn.estimators.state_space._windows import Folds
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import BOUNDS, WEIGHTS, free_run
from sparsedyn.training import Progress, fit, learning_rates
from sparsedyn.training.latent_runs import FreeRunMatching, LatentRuns, WindowRows

UNIT = "tanh"
MEMBERS = 4
"""Networks that are trained side by side, of which the best is taken."""
SHARE = 0.2
"""Of the rows of a window: the last ones, which judge networks that are fitted to those before."""
VALIDATIONS, STEPS = 20, 50
"""How often networks are judged; steps of an epoch."""
SLIGHT, LEAST = 0.3, 1e-6
"""How much units act at first, in what states change by from row to row; the least such change."""
UNBOUNDED = 1e30
"""In the place of bounds that are infinite, which no optimizer should meet."""


class Network(NamedTuple):
    """A trained network in standardized units, the initial states of its windows, and its mean squared errors."""

    model: StateSpace
    starts: Float[np.ndarray, "window state"]
    error: float
    held_out: float
    judged_rows: float


def network(
    linear: StateSpace,
    starts: Float[np.ndarray, "window state"],
    folds: Folds,
    settings: Settings,
    on_progress: Callable[[Progress], None] | None = None,
) -> Network:
    """Train networks of so many units on top of a linear model, and return the one that rows left out judge best.

    Units start in random directions and do not act at first. Initial states of windows are trained along, so there is
    no encoder. Raises `DataError` where all of them diverged.
    """
    units, seed = (UNIT,) * settings.nonlinear_units, settings.seed
    rows = started(linear, starts, folds, units, seed)[:MEMBERS]
    states, inputs, outputs, _ = linear.sizes
    shape = StateSpace.zeros(states, inputs, outputs, units, linear.limits)
    size = shape.ravel().size
    # Units act on states in the size of their changes from row to row.
    scale, rng = moves(linear, starts, folds), np.random.default_rng(seed)
    begun = [
        LatentRuns(_begun(shape.unravel(row[:size]), rng), row[size:].reshape(starts.shape), scale) for row in rows
    ]
    fitted, judged = halves(folds)
    windows = np.arange(len(fitted), dtype=np.int32)
    # An epoch is a call of the compiled training: several steps each are quicker.
    again = np.tile(windows, STEPS)
    trained = fit(
        jax.tree.map(lambda *leaves: np.stack(leaves).astype(np.float32), *begun),
        WindowRows(again, fitted[again].astype(np.float32)),
        sparsifier=settings.technique,
        rates=learning_rates("cosine", settings.learning_rate, settings.steps),
        keys=jax.random.split(jax.random.key(seed), len(begun)),
        batch=len(windows),
        objective=FreeRunMatching(folds.windows.u.astype(np.float32), folds.windows.y.astype(np.float32)),
        validation=WindowRows(windows, judged.astype(np.float32)),
        validations=VALIDATIONS,
        on_progress=on_progress,
    )
    value = np.where(trained.alive & np.isfinite(trained.best_value), trained.best_value, np.inf)
    best = int(np.argmin(value))
    if not np.isfinite(value[best]):
        raise DataError(
            f"x: training of the network diverged for all {len(begun)} starts. Take a smaller learning_rate."
        )
    chosen: LatentRuns = jax.tree.map(lambda leaf: np.asarray(leaf[best], np.float64), trained.best)
    begin = np.asarray(chosen.starts)
    weights = {name: getattr(chosen.raw, name) for name in WEIGHTS}
    weights["F"] = scale[:, None] * weights["F"]
    model = StateSpace(**weights, **{name: getattr(shape, name) for name in BOUNDS}, units=shape.units)
    model = bounded(model, begin, folds.windows, fitted)
    error = float(np.asarray(trained.history[-1]["loss"])[best])
    return Network(model, begin, error, float(value[best]), float(judged.sum()) * outputs)


def halves(folds: Folds) -> tuple[Bool[np.ndarray, "window row"], Bool[np.ndarray, "window row"]]:
    """Return which rows networks are fitted to, and which judge them: those of validation, or the last ones."""
    fitted, judged = folds.fitted[0] > 0, folds.judged.sum(axis=0) > 0
    if not (fitted & judged).any():
        return fitted, judged
    first = np.floor((1 - SHARE) * fitted.sum(axis=1))[:, None]
    early = np.arange(fitted.shape[1]) < first
    return fitted & early, fitted & ~early


def moves(linear: StateSpace, starts: np.ndarray, folds: Folds) -> Float[np.ndarray, " state"]:
    """Return by how much states change from row to row, a root mean square."""
    with jax.enable_x64(True):
        states = np.asarray(free_run(linear, starts, folds.windows.u)[0])
    both = (folds.fitted[0] > 0)[:, 1:] & (folds.fitted[0] > 0)[:, :-1]
    return np.maximum(np.sqrt(np.mean(np.square(np.diff(states, axis=1)[both]), axis=0)), LEAST)


def _begun(model: StateSpace, rng: np.random.Generator) -> StateSpace:
    """Return the model with units that act a little: weights of exactly zero would stay so under some techniques."""
    parts = {name: getattr(model, name) for name in WEIGHTS}
    parts["F"] = SLIGHT * rng.normal(size=model.F.shape) / np.sqrt(len(model.units))
    bounds = {name: np.clip(getattr(model, name), -UNBOUNDED, UNBOUNDED) for name in BOUNDS}
    return StateSpace(**parts, **bounds, units=model.units)

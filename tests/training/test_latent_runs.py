"""Free runs of latent states as an objective: the error that it says, and what techniques may touch."""

import jax
import numpy as np

from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import BOUNDS, WEIGHTS, free_run
from sparsedyn.training.latent_runs import FreeRunMatching, LatentRuns, WindowRows

RNG = np.random.default_rng(0)
EMPTY = StateSpace.zeros(2, 1, 1, ("tanh", "square"))
WHOLE = EMPTY.unravel(0.3 * RNG.normal(size=EMPTY.ravel().size))
FINE = {name: np.full_like(getattr(WHOLE, name), 1e3 if name in ("high", "ceiling") else -1e3) for name in BOUNDS}
MODEL = StateSpace(**{name: getattr(WHOLE, name) for name in WEIGHTS}, **FINE, units=WHOLE.units)
SCALE = np.array([0.5, 2.0])


def test_the_error_is_that_of_free_runs_and_units_count_in_changes_of_states():
    u, y, starts = RNG.normal(size=(3, 12, 1)), RNG.normal(size=(3, 12, 1)), RNG.normal(size=(3, 2))
    batch = WindowRows(np.array([2, 0]), np.asarray(RNG.uniform(size=(2, 12)) < 0.7, np.float64))
    runs = LatentRuns(MODEL, starts, SCALE)
    parts = {name: getattr(MODEL, name) for name in (*WEIGHTS, *BOUNDS)} | {"F": SCALE[:, None] * MODEL.F}
    _, outputs = free_run(StateSpace(**parts, units=MODEL.units), starts[batch.window], u[batch.window])
    squared = np.square(np.asarray(outputs) - y[batch.window])[..., 0]
    expected = np.sum(batch.weight * squared) / np.sum(batch.weight)
    found, slopes = jax.value_and_grad(FreeRunMatching(u, y))(runs, batch, jax.random.key(0))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.abs(slopes.raw.F).min() > 0
    assert not np.any(slopes.scale)
    assert not any(np.any(getattr(slopes.raw, name)) for name in BOUNDS)


def test_techniques_act_on_the_matrices_of_units():
    flags = LatentRuns(MODEL, np.zeros((1, 2)), SCALE).sparse_part()
    assert {name for name in (*WEIGHTS, *BOUNDS) if getattr(flags.raw, name)} == {"F", "G", "H"}
    assert not flags.starts

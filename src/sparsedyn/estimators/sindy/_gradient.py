"""Terms chosen by gradient descent under a penalty, for comparison with thresholding."""

from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.data import Samples
from sparsedyn.models import Library, SINDyModel
from sparsedyn.sparsify import L0, L1, AbstractSparsifier
from sparsedyn.training import fit, learning_rates
from sparsedyn.training.least_squares import Coefficients, Factor, solve

PENALTIES: dict[str, type[L0] | type[L1]] = {"l0": L0, "l1": L1}
STEPS, RATE = 10_000, 0.01


def trained(reduced: Factor, technique: AbstractSparsifier, *, seed: int = 0) -> Coefficients:
    """Return coefficients in the user's units, trained from least squares on; many are near zero, or zero.

    The rows of the triangle have the mean squared error of all samples: a step costs the same however many there are.
    """
    terms, equations = reduced.size
    rms = reduced.rms
    rows = reduced.triangle / rms * np.sqrt(len(reduced.triangle) / reduced.samples)
    start = reduced.standardized(solve(reduced, np.ones((terms, equations), bool)))
    # Of first degree and without a constant, a library hands its variables through.
    model = SINDyModel(start[None].astype(np.float32), Library(terms, degree=1, constant=False))
    found = fit(
        jax.tree.map(jnp.asarray, model),
        Samples(rows[:, :terms], np.zeros((len(rows), 0)), rows[:, terms:]),
        sparsifier=technique,
        rates=learning_rates("cosine", RATE, STEPS),
        keys=jax.random.split(jax.random.key(seed), 1),
        batch=len(rows),
        seed=seed,
    )
    scaled = np.asarray(cast(SINDyModel, found.last).coefficients[0], np.float64)
    return scaled * rms[terms:] / rms[:terms, None]


def by_size(shares: Float[np.ndarray, " term"]) -> Bool[np.ndarray, "step term"]:
    """Return supports from all nonzero terms to none, the least contribution left out first."""
    order = np.argsort(np.abs(shares), kind="stable")
    order = order[np.abs(shares[order]) > 0]
    steps = np.zeros((len(order) + 1, len(shares)), bool)
    for step in range(len(order)):
        steps[step, order[step:]] = True
    return steps

"""The size of terms, the same in NumPy and JAX and in all units."""

import jax.numpy as jnp
import numpy as np

from sparsedyn.models import contributions
from sparsedyn.training.least_squares import factor
from sparsedyn.training.projection import rms

RNG = np.random.default_rng(3)
THETA, TARGET, FOUND = RNG.normal(size=(50, 4)), RNG.normal(size=(50, 2)), RNG.normal(size=(4, 2))
SIZES, UNITS = np.array([1.0, 1e3, 1e-3, 7.0]), np.array([5.0, 1e-2])


def test_contributions_do_not_depend_on_units():
    scaled = factor(THETA * SIZES, TARGET * UNITS).contributions(FOUND * UNITS / SIZES[:, None])
    np.testing.assert_allclose(factor(THETA, TARGET).contributions(FOUND), scaled, rtol=1e-9)


def test_they_are_the_root_mean_squares_of_what_terms_add():
    added = np.sqrt(np.mean(np.square(THETA[:, :, None] * FOUND), axis=0))
    by_hand = added / np.sqrt(np.mean(np.square(TARGET), axis=0))
    np.testing.assert_allclose(factor(THETA, TARGET).contributions(FOUND), by_hand, rtol=1e-12)
    found, theta, target = (jnp.asarray(part) for part in (FOUND, THETA, TARGET))
    np.testing.assert_allclose(contributions(found, rms(theta), rms(target)), by_hand, rtol=1e-5)

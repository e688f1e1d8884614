"""Phases: the penalty's factor follows its levels, and everything else is the technique's own."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import L05, Chain, Phases, SequentialThresholding

KEY = jax.random.key(0)
W = [jnp.asarray([[0.05, -0.2, 0.4], [1.0, 0.0, -0.01]], jnp.float32)]


def test_the_penalty_follows_the_levels_with_straight_lines_between_them():
    plain, phased = L05(0.1), Phases(L05(0.1), at=(0.2, 0.4, 0.6), levels=(0.5, 2.0, 0.0))
    free, memo = phased.init(W, key=KEY)
    base = plain.penalty(free, None, jnp.float32(0.0))
    for progress, factor in ((0.0, 0.5), (0.2, 0.5), (0.3, 1.25), (0.4, 2.0), (0.5, 1.0), (0.6, 0.0), (1.0, 0.0)):
        found = eqx.filter_jit(phased.penalty)(free, memo, jnp.float32(progress))
        np.testing.assert_allclose(found, factor * base, rtol=1e-5, atol=1e-6)


def test_all_the_rest_is_the_techniques_own():
    technique = Chain(L05(0.1), SequentialThresholding(0.1, at=(0.3,)))
    phased = Phases(technique)
    assert phased.turns() == technique.turns() == (0.3,)
    found = []
    for one in (technique, phased):
        free, memo = one.init(W, key=KEY)
        revised = one.revise(free, memo, free.weights, jnp.float32(0.3), key=KEY)
        weights = one.effective(revised.free, revised.memo)
        found.append(jax.tree.leaves((revised, weights, one.active(revised.memo, weights))))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("at", "levels"), [((0.5,), (1.0, 0.0)), ((0.2, 0.4), (1.0, -1.0)), ((0.2, 1.4), (1.0, 1.0))])
def test_phases_that_cannot_be(at: tuple[float, ...], levels: tuple[float, ...]):
    with pytest.raises(ValueError, match=r"^(levels|at): expected"):
        Phases(L05(), at, levels)

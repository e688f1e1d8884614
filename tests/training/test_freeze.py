"""Frozen weights: trained until then, not a bit afterwards, and still open to revisions."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from sparsedyn.sparsify import L1, Chain, Freeze, MagnitudePruning, Stages


@pytest.mark.slow
def test_weights_stand_still_from_the_freeze_on_and_biases_move(lab: Any, tmp_path: Path):
    pruning = MagnitudePruning(0.5, Stages((0.25, 0.5), (0.6, 1.0)), "layer")
    _, states = lab.states(tmp_path, Chain(Freeze(0.25), L1(1e-2), pruning), validation=None)
    weights = [[np.asarray(w) for w in jax.tree.leaves(s.members.trainable.free.weights)] for s in states]
    biases = [np.asarray(s.members.trainable.other.biases[0]) for s in states]
    frozen = lab.steps // 4
    for step in range(lab.steps):
        same = [np.array_equal(a, b) for a, b in zip(weights[step], weights[step + 1], strict=True)]
        if step < frozen - 1:
            assert not any(same), step
        elif step + 1 == 2 * frozen:
            # The second prune cuts weights that no longer train: what is left has not moved.
            assert not any(same)
            for before, after in zip(weights[step], weights[step + 1], strict=True):
                np.testing.assert_array_equal(after[after != 0], before[after != 0])
        elif step >= frozen:
            assert all(same), step
        assert not np.array_equal(biases[step], biases[step + 1])
    share = np.mean(weights[-1][1] == 0, axis=(1, 2))
    np.testing.assert_allclose(share, 0.5)
    assert np.mean(weights[frozen][1] == 0) < 0.35

"""Training under masks. The published code lost its optimizer at the first prune; here nothing of the kind may happen.

Weights move on after a prune, a pruned one never moves again, a re-grown one starts at zero with fresh moments.
"""

import itertools
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from sparsedyn.sparsify import DSR, L1, Chain, MagnitudePruning, SequentialThresholding, Stages
from sparsedyn.training import engine


def pruning(sparsity: float, threshold: float = 0.0) -> Chain:
    """One structure, compiled once for many tests; a threshold of zero removes nothing."""
    magnitude = MagnitudePruning(sparsity, Stages((0.25, 0.5)), "layer")
    return Chain(L1(1e-3), SequentialThresholding(threshold, (0.4, 0.45)), magnitude)


FIRST, SECOND = 12, 24
SIZES = np.array([24, 64, 16])


def raw(state: Any) -> list[np.ndarray]:
    return [np.asarray(w) for w in jax.tree.leaves(state.members.trainable.free.weights)]


def mask(state: Any) -> list[np.ndarray]:
    """The masks of the last technique of a chain."""
    return [np.asarray(m) for m in jax.tree.leaves(state.memo[-1].mask)]


@pytest.mark.parametrize("method", ["adam", "momentum"])
def test_weights_train_on_after_a_prune_and_a_pruned_one_never_moves(lab: Any, tmp_path: Path, method: str):
    result, states = lab.states(tmp_path, pruning(0.6), method=method, validation=None)
    assert len(states) == lab.steps + 1
    for step, state in enumerate(states):
        due = 0.0 if step < FIRST else 0.3 if step < SECOND else 0.6
        for weight, alive, size in zip(raw(state), mask(state), SIZES, strict=True):
            np.testing.assert_array_equal(alive.sum(axis=(1, 2)), size - round(due * size))
            # Bitwise: a pruned weight is zero to the optimizer as well, so nothing of it can return.
            assert not weight[~alive].any(), step
    for step in range(lab.steps):
        before, after = states[step], states[step + 1]
        for old, new, alive in zip(raw(before), raw(after), mask(after), strict=True):
            moved = (old != new) & alive
            # Every step moves nearly every living weight of every member, before the prunes and after them.
            assert np.all(moved.sum(axis=(1, 2)) > 0.9 * alive.sum(axis=(1, 2))), step
        for old, new in zip(mask(before), mask(after), strict=True):
            assert np.all(new <= old)
    for weight, alive in zip(lab.weights(result.last), mask(states[-1]), strict=True):
        np.testing.assert_array_equal(weight != 0, alive[: lab.members])
    for member in range(lab.members):
        at_prune, end = states[SECOND], lab.loss(result.last, member, lab.data)
        model = result.last.__class__.__new__(result.last.__class__)
        for name, value in (
            ("weights", raw(at_prune)),
            ("biases", [np.asarray(b) for b in at_prune.members.trainable.other.biases]),
            ("skip", False),
        ):
            object.__setattr__(model, name, value)
        assert end < 0.8 * lab.loss(model, member, lab.data), "training after the last prune must help"


def test_moments_follow_a_prune(lab: Any, tmp_path: Path):
    _, states = lab.states(tmp_path, pruning(0.6), validation=None)
    for step in (FIRST, SECOND, lab.steps):
        adam = states[step].members.moments[0]
        np.testing.assert_array_equal(adam.count, step)
        for name in (adam.mu, adam.nu):
            for moment, alive in zip(jax.tree.leaves(name.free.weights), mask(states[step]), strict=True):
                moment = np.asarray(moment)
                assert not moment[~alive].any(), "the moments of what was pruned restart"
                assert np.mean(moment[alive] != 0) > 0.9, "all others go on"


@pytest.mark.slow
def test_regrown_weights_start_at_zero_with_fresh_moments(lab: Any, tmp_path: Path):
    technique = Chain(DSR(0.5, 20.0, threshold=0.3, period=0.125, end=0.625))
    _, states = lab.states(tmp_path, technique, validation=None)
    before = states[20]
    stacked = jax.tree.map(lambda leaf: np.full(len(before.stopped), leaf, np.float32), technique)
    keys = lab.models()[1]
    keys = keys[np.minimum(np.arange(len(before.stopped)), lab.members - 1)]
    arguments = (before.members, stacked, before.memo, before.stopped, keys, lab.data, np.arange(16, dtype=np.int32))
    members, memo = engine.revise(lab.program(), *arguments, np.int32(20), np.float32(0.375))

    threshold = np.asarray(before.memo[0].threshold)[:, None, None]
    old_moments, new_moments = before.members.moments[0], members.moments[0]
    grown_anywhere = 0
    layers = zip(
        raw(before), jax.tree.leaves(members.trainable.free.weights), mask(before), memo[0].mask.weights,
        *(tree.free.weights.weights for tree in (old_moments.mu, new_moments.mu, old_moments.nu, new_moments.nu)),
        strict=True,
    )  # fmt: skip
    for layer in layers:
        old, new, was, now, old_mu, mu, old_nu, nu = (np.asarray(a) for a in layer)
        cut = was & (np.abs(old) < threshold)
        grown = now & ~(was & ~cut)
        grown_anywhere += grown.sum()
        fresh = cut | grown
        assert not new[fresh].any()
        assert not mu[fresh].any()
        assert not nu[fresh].any()
        np.testing.assert_array_equal(new[~fresh], old[~fresh])
        np.testing.assert_array_equal(mu[~fresh], old_mu[~fresh])
        np.testing.assert_array_equal(nu[~fresh], old_nu[~fresh])
    assert grown_anywhere > 10
    np.testing.assert_array_equal(new_moments.count, old_moments.count)
    assert lab.equal(new_moments.mu.other, old_moments.mu.other), "biases are nobody's to restart"
    assert lab.equal(members.trainable.other, before.members.trainable.other)

    # Through the whole run the total never changes, and what has grown starts to move.
    totals = [sum(m.sum(axis=(1, 2)) for m in mask(state)) for state in states]
    assert all(np.array_equal(total, totals[0]) for total in totals)
    assert totals[0][0] == sum(size - round(0.5 * size) for size in SIZES)
    changes = [
        any((a != b).any() for a, b in zip(mask(s), mask(t), strict=True)) for s, t in itertools.pairwise(states)
    ]
    assert [step + 1 for step, changed in enumerate(changes) if changed] == [6, 12, 18, 24, 30]
    for step in (6, 12, 18, 24, 30):
        came = [n & ~o for o, n in zip(mask(states[step - 1]), mask(states[step]), strict=True)]
        assert not any(w[c].any() for w, c in zip(raw(states[step]), came, strict=True))
        later = [w[c] for w, c in zip(raw(states[step + 1]), came, strict=True)]
        assert np.mean(np.concatenate(later) != 0) > 0.5, "but for units without a way in or out"


MODELS: dict[str, dict[str, Any]] = {
    "plain": {},
    "skip, no biases": {"skip": True, "bias": False},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_zeros_of_a_mask_stay_zero_through_training(lab: Any, tmp_path: Path, name: str):
    options = {"model": MODELS[name], "validation": None}
    result, states = lab.states(tmp_path, pruning(0.4, threshold=0.1), **options)
    active = [np.asarray(m) for m in jax.tree.leaves(result.active)]
    for weight, alive in zip(lab.weights(result.last), active, strict=True):
        assert not weight[~alive].any()
        assert np.mean(weight[alive] != 0) > 0.95
    for state in states[30:]:
        for weight, alive in zip(raw(state), active, strict=True):
            assert not weight[: lab.members][~alive].any()
    kept = sum(alive.sum(axis=(1, 2)) for alive in active)
    size = sum(alive[0].size for alive in active)
    asked = sum(alive[0].size - round(0.4 * alive[0].size) for alive in active)
    assert np.all(kept <= asked)
    assert np.all(kept > 0.3 * size)
    assert all(np.allclose(record["sparsity"], 1 - kept / size) for record in result.history[-1:])

"""Magnitude pruning: exact counts at every stage, ties or not; monotone masks; the largest stay."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedyn.sparsify import AbstractTiming, Cubic, MagnitudePruning, OneShot, Stages, keep_largest

KEY = jax.random.key(0)
SHAPES = ((13, 9), (9, 9), (9, 4))
SIZES = np.array([a * b for a, b in SHAPES])
CUBIC, STAGES, ONE_SHOT = Cubic(0.1, 0.6, 12), Stages((0.1, 0.2, 0.3, 0.4)), OneShot(0.5)

revise = jax.jit(lambda technique, free, memo, turn: technique.revise(free, memo, free.weights, turn, key=KEY))


def drawn(seed: int, tied: bool) -> list[Any]:
    rng = np.random.default_rng(seed)
    values = [np.full(s, 0.5) * rng.choice([-1, 1], s) if tied else rng.normal(size=s) for s in SHAPES]
    return [jnp.asarray(v, jnp.float32) for v in values]


def traced(technique: MagnitudePruning) -> MagnitudePruning:
    """Hyperparameters as arrays, as training has them."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), technique)


def due(technique: MagnitudePruning, turn: float) -> float:
    """The sparsity that is due, from the definitions."""
    timing = technique.timing
    if isinstance(timing, Cubic):
        return technique.sparsity * (1 - (1 - (turn - timing.begin) / (timing.end - timing.begin)) ** 3)
    if isinstance(timing, Stages):
        return technique.sparsity * np.mean(np.array(timing.at) <= turn + 1e-12)
    return technique.sparsity


@pytest.mark.parametrize("tied", [False, True], ids=["random", "all equal"])
@pytest.mark.parametrize(
    ("timing", "scope"),
    [(CUBIC, "layer"), (CUBIC, "global"), (STAGES, "layer"), (ONE_SHOT, "global")],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_exact_counts_at_every_stage(timing: AbstractTiming, scope: Any, tied: bool):
    technique = MagnitudePruning(0.71, timing, scope)
    free, memo = technique.init(drawn(0, tied), key=KEY)
    arrays = traced(technique)
    rng = np.random.default_rng(1)
    for turn in timing.turns():
        before = [np.asarray(m) for m in memo.mask]
        magnitude = [np.abs(np.asarray(w)) for w in free.weights]
        result = revise(arrays, free, memo, jnp.float32(turn))
        free, memo = result.free, result.memo
        after = [np.asarray(m) for m in memo.mask]
        kept = np.array([m.sum() for m in after])
        share = due(technique, turn)
        if scope == "layer":
            np.testing.assert_array_equal(kept, SIZES - np.round(share * SIZES))
        else:
            assert kept.sum() == SIZES.sum() - round(share * SIZES.sum())
        pruned = [b & ~a for b, a in zip(before, after, strict=True)]
        assert all((a <= b).all() for a, b in zip(after, before, strict=True)), "masks only shrink"
        for fresh, gone in zip(result.fresh, pruned, strict=True):
            np.testing.assert_array_equal(fresh, gone)
        # Nothing that goes is larger than anything that stays: in its layer, or anywhere.
        pairs = list(zip(magnitude, pruned, after, strict=True))
        gone = [m[p] for m, p, _ in pairs]
        stay = [m[a] for m, _, a in pairs]
        if scope == "global":
            gone, stay = [np.concatenate(gone)], [np.concatenate(stay)]
        assert all(g.max(initial=0) <= s.min(initial=np.inf) for g, s in zip(gone, stay, strict=True))
        for w, a in zip(technique.effective(free, memo), after, strict=True):
            assert np.all(np.asarray(w)[~a] == 0)
        assert all(np.all(np.asarray(w)[~a] == 0) for w, a in zip(free.weights, after, strict=True))
        if not tied:  # The weights train on between turns.
            moved = [
                np.asarray(m) * (np.asarray(w) + rng.normal(size=w.shape))
                for w, m in zip(free.weights, memo.mask, strict=True)
            ]
            free = free._replace(weights=[jnp.asarray(w, jnp.float32) for w in moved])
    assert memo.mask[0].sum() < SIZES[0]


def test_a_pruned_weight_never_comes_back_however_large():
    technique = MagnitudePruning(0.5, Stages((0.2, 0.4)))
    free, memo = technique.init(drawn(0, False), key=KEY)
    first = revise(traced(technique), free, memo, jnp.float32(0.2))
    pushed = first.free._replace(
        weights=[jnp.where(m, w, 1e6) for w, m in zip(first.free.weights, first.memo.mask, strict=True)]
    )
    second = revise(traced(technique), pushed, first.memo, jnp.float32(0.4))
    for old, new, w in zip(first.memo.mask, second.memo.mask, second.free.weights, strict=True):
        assert np.all(np.asarray(new) <= np.asarray(old))
        assert np.abs(w).max() < 1e3
    for w in technique.effective(pushed, first.memo):
        assert np.abs(w).max() < 1e3, "the mask holds whatever the raw weight is"


def test_global_pruning_takes_from_the_layer_of_small_weights():
    weights = drawn(0, False)
    weights[1] = 0.01 * weights[1]
    technique = MagnitudePruning(0.3, OneShot(0.5), "global")
    free, memo = technique.init(weights, key=KEY)
    kept = [int(m.sum()) for m in revise(traced(technique), free, memo, jnp.float32(0.5)).memo.mask]
    assert sum(kept) == SIZES.sum() - round(0.3 * SIZES.sum())
    assert kept[1] < 0.3 * SIZES[1]
    assert kept[0] > 0.9 * SIZES[0]


def test_nothing_happens_between_turns():
    technique = MagnitudePruning(0.5, Stages((0.2, 0.4)))
    free, memo = technique.init(drawn(0, False), key=KEY)
    for moment in (0.0, 0.1, 0.2 + 1e-6, 0.3, 1.0):
        result = revise(traced(technique), free, memo, jnp.float32(moment))
        for new, old, fresh in zip(result.free.weights, free.weights, result.fresh, strict=True):
            np.testing.assert_array_equal(new, old)
            assert not np.any(fresh)
        assert all(np.all(m) for m in result.memo.mask)


def test_sparsities_are_a_vmapped_axis():
    shares = jnp.array([0.0, 0.2, 0.5, 0.9])
    weights = drawn(0, False)

    def one(share: jax.Array) -> jax.Array:
        technique = MagnitudePruning(share, OneShot(0.5), "layer")
        free, memo = technique.init(weights, key=KEY)
        mask = technique.revise(free, memo, weights, jnp.float32(0.5), key=KEY).memo.mask
        return jnp.stack([m.sum() for m in mask])

    expected = SIZES - np.round(np.asarray(shares, np.float64)[:, None] * SIZES)
    np.testing.assert_array_equal(jax.jit(jax.vmap(one))(shares), expected)


def test_the_asked_count_for_many_sizes_and_shares():
    # The count in float32 inside a compiled step is Python's, but for exact halves, which both round to even
    # only up to their own rounding errors.
    n = np.arange(1, 20_001)
    for percent in range(100):
        product = percent * n
        halves = product % 100 == 50
        counts = np.asarray(jnp.round(jnp.float32(percent / 100) * n))
        np.testing.assert_array_equal(counts[~halves], np.round(product[~halves] / 100))


jitted_keep = jax.jit(keep_largest)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=24, max_size=24),
    keep=st.integers(0, 24),
)
def test_keep_largest_is_exact_under_ties(values: list[float], keep: int):
    score = np.array(values, np.float32).reshape(4, 6)
    mask = np.asarray(jitted_keep(jnp.asarray(score), jnp.int32(keep)))
    assert mask.sum() == keep
    assert score[mask].min(initial=np.inf) >= score[~mask].max(initial=-np.inf)


@pytest.mark.parametrize("sparsity", [75.0, 1.0, -0.1])
def test_sparsity_is_a_share_of_zeros(sparsity: float):
    with pytest.raises(ValueError, match=r"sparsity.*0\.75.*expected"):
        MagnitudePruning(sparsity)


def test_scope_is_layer_or_global():
    scope: Any = "globally"
    with pytest.raises((ValueError, TypeError), match=r"scope"):
        MagnitudePruning(0.5, scope=scope)

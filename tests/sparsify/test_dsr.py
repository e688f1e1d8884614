"""DSR: the total never changes, regrowth is proportional to the decimal, the threshold follows its target."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedyn.sparsify import DSR, Free
from sparsedyn.sparsify.dsr import DSRMemo, largest_remainder

KEY = jax.random.key(0)
# Few shapes, each compiled once for all tests.
NETWORKS = (((13, 9), (9, 9), (9, 4)), ((20, 20), (20, 20)), ((200, 1),))

split = jax.jit(largest_remainder)
revise = jax.jit(lambda technique, free, memo, turn, key: technique.revise(free, memo, free.weights, turn, key=key))


init = jax.jit(lambda technique, weights, key: technique.init(weights, key=key))


def traced(technique: DSR) -> DSR:
    return jax.tree.map(np.float32, technique)


def weights_of(shapes: Any, rng: np.random.Generator, scale: float = 1.0) -> list[np.ndarray]:
    return [(scale * rng.normal(size=s)).astype(np.float32) for s in shapes]


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    shapes=st.sampled_from(NETWORKS),
    sparsity=st.floats(0.0, 0.95),
    reallocate=st.floats(1.0, 200.0),
    threshold=st.floats(1e-3, 3.0),
    seed=st.integers(0, 1000),
)
def test_the_total_is_exact_through_many_revisions(
    shapes: Any, sparsity: float, reallocate: float, threshold: float, seed: int
):
    technique = traced(DSR(sparsity, reallocate, threshold=threshold))
    rng = np.random.default_rng(seed)
    key = jax.random.key(seed)
    # Masks by hand: what `init` draws is tested below, and would be compiled for every example here.
    masks = [rng.random(s) >= sparsity for s in shapes]
    memo = DSRMemo(masks, np.float32(threshold))
    free = Free([m * w for m, w in zip(masks, weights_of(shapes, rng), strict=True)], None)
    total = sum(int(m.sum()) for m in masks)
    for turn in DSR().turns()[:12]:
        before, old_weights = [np.asarray(m) for m in memo.mask], [np.asarray(w) for w in free.weights]
        cut = [m & (np.abs(w) < float(memo.threshold)) for m, w in zip(before, old_weights, strict=True)]
        result = revise(technique, free, memo, np.float32(turn), jax.random.fold_in(key, int(turn * 1000)))
        free, memo = result.free, result.memo
        after = [np.asarray(m) for m in memo.mask]
        assert sum(m.sum() for m in after) == total
        for m, old, c, w, was, fresh in zip(after, before, cut, free.weights, old_weights, result.fresh, strict=True):
            survivors = old & ~c
            grown = m & ~survivors
            assert np.all(m[survivors]), "what is large enough stays"
            np.testing.assert_array_equal(fresh, c | grown)
            np.testing.assert_array_equal(np.asarray(w)[survivors], was[survivors])
            assert np.all(np.asarray(w)[~survivors] == 0), "re-grown weights start at zero"
        # The optimizer moves the active ones.
        steps = weights_of(shapes, rng, 0.3)
        moved = [np.asarray(m) * (np.asarray(w) + s) for m, w, s in zip(memo.mask, free.weights, steps, strict=True)]
        free = Free(moved, None)


@pytest.mark.parametrize("sparsity", [0.0, 0.31, 0.5, 0.9])
def test_initial_masks_have_the_exact_count_and_random_places(sparsity: float):
    technique = DSR(sparsity)
    weights = weights_of(NETWORKS[0], np.random.default_rng(0))
    free, memo = init(traced(technique), weights, KEY)
    for w, m, raw in zip(weights, memo.mask, free.weights, strict=True):
        assert int(m.sum()) == w.size - round(sparsity * w.size)
        np.testing.assert_array_equal(raw, np.where(m, w, 0))
    other = init(traced(technique), weights, jax.random.key(1))[1]
    if sparsity > 0:
        assert not np.array_equal(memo.mask[0], other.mask[0])
    assert float(memo.threshold) == pytest.approx(1e-3)


def adapted(technique: DSR, small: int, large: int) -> float:
    """The threshold after a turn at which `small` of the active weights lie below it."""
    values = np.concatenate([np.full(small, 0.01), np.full(large, 5.0)]).reshape(-1, 1)
    free = Free([jnp.asarray(values, jnp.float32)], None)
    memo = DSRMemo([jnp.ones(values.shape, bool)], jnp.float32(0.5))
    result = revise(traced(technique), free, memo, jnp.float32(technique.turns()[0]), KEY)
    return float(result.memo.threshold)


@pytest.mark.parametrize(
    ("small", "factor"), [(0, 2.0), (7, 2.0), (8, 1.0), (10, 1.0), (12, 1.0), (13, 0.5), (30, 0.5)]
)
def test_the_threshold_follows_the_target(small: int, factor: float):
    # Target 10, tolerance 20 %: 8 to 12 are as wanted.
    assert adapted(DSR(0.5, reallocate=10.0, tolerance=0.2), small, 200 - small) == 0.5 * factor


def test_a_target_beyond_a_tenth_of_the_weights_does_not_run_away():
    # 200 active weights: at most 20 count as wanted, so a hundred below the threshold are too many.
    assert adapted(DSR(0.5, reallocate=1e6), 100, 100) == 0.25


def test_nothing_happens_between_turns():
    technique = DSR(0.5)
    free, memo = init(traced(technique), weights_of(NETWORKS[0], np.random.default_rng(0)), KEY)
    result = revise(traced(technique), free, memo, jnp.float32(0.013), KEY)
    for new, old in zip(jax.tree.leaves((result.free, result.memo)), jax.tree.leaves((free, memo)), strict=True):
        np.testing.assert_array_equal(new, old)
    assert not any(np.any(f) for f in result.fresh)


def test_regrowth_goes_to_layers_by_their_survivors():
    # 100 survivors in the first, 50 in the second, 30 cut (all in the first): 20 and 10 come back.
    first = np.zeros((20, 20), np.float32)
    first.ravel()[:100], first.ravel()[100:130] = 1.0, 0.01
    second = np.zeros((20, 20), np.float32)
    second.ravel()[:50] = 1.0
    free = Free([jnp.asarray(first), jnp.asarray(second)], None)
    memo = DSRMemo([jnp.asarray(first != 0), jnp.asarray(second != 0)], jnp.float32(0.1))
    technique = DSR(0.5)
    result = revise(traced(technique), free, memo, jnp.float32(technique.turns()[0]), KEY)
    assert [int(m.sum()) for m in result.memo.mask] == [120, 60]
    again = revise(traced(technique), free, memo, jnp.float32(technique.turns()[0]), jax.random.key(5))
    assert not np.array_equal(again.memo.mask[0], result.memo.mask[0]), "places are random"


def test_a_network_cut_to_nothing_keeps_its_total():
    free = Free([jnp.full((20, 20), 0.01)] * 2, None)
    memo = DSRMemo([jnp.ones((20, 20), bool), jnp.zeros((20, 20), bool)], jnp.float32(1.0))
    technique = DSR(0.5)
    result = revise(traced(technique), free, memo, jnp.float32(technique.turns()[0]), KEY)
    assert sum(int(m.sum()) for m in result.memo.mask) == 400


def test_turns():
    assert len(DSR().turns()) == 30
    np.testing.assert_allclose(DSR().turns(), 0.02 * np.arange(1, 31))
    np.testing.assert_allclose(DSR(period=0.25, end=0.6).turns(), [0.25, 0.5])
    assert DSR(period=0.1, end=1.0).turns()[-1] == 1.0


# -- largest remainder --------------------------------------------------------------------------------------

counts = st.lists(st.integers(0, 20_000), min_size=4, max_size=4)


@settings(max_examples=200, deadline=None)
@given(share=counts, room=counts, part=st.floats(0, 1))
def test_largest_remainder_gives_out_everything_within_the_room(share: list[int], room: list[int], part: float):
    total = int(part * sum(room))
    given_ = np.asarray(split(np.int32(total), np.asarray(share, np.int32), np.asarray(room, np.int32)))
    assert given_.sum() == total
    assert np.all(given_ >= 0)
    assert np.all(given_ <= room)


@settings(max_examples=200, deadline=None)
@given(share=counts, total=st.integers(0, 20_000))
def test_largest_remainder_is_proportional_within_one(share: list[int], total: int):
    if sum(share) == 0:
        return
    room = np.full(4, total)
    given_ = np.asarray(split(np.int32(total), np.asarray(share, np.int32), np.asarray(room, np.int32)))
    exact = total * np.array(share) / sum(share)
    assert np.all(np.abs(given_ - exact) < 1 + 1e-3)


def test_largest_remainder_by_hand():
    def parts(total: int, share: list[int], room: list[int]) -> list[int]:
        out = split(np.int32(total), np.asarray(share, np.int32), np.asarray(room, np.int32))
        return np.asarray(out).tolist()

    # 10 in proportion 5:3:2:0; 7 in 5:3:2:0 is 3.5, 2.1, 1.4: the one left over goes to the largest remainder.
    assert parts(10, [5, 3, 2, 0], [99, 99, 99, 99]) == [5, 3, 2, 0]
    assert parts(7, [5, 3, 2, 0], [99, 99, 99, 99]) == [4, 2, 1, 0]
    # A full layer hands on what it cannot take, to the others in proportion.
    assert parts(10, [5, 3, 2, 0], [1, 99, 99, 99]) == [1, 5, 4, 0]
    # Only a layer without survivors has room.
    assert parts(10, [5, 3, 2, 0], [0, 0, 0, 99]) == [0, 0, 0, 10]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsity": 50.0}, r"sparsity"),
        ({"sparsity": -0.5}, r"sparsity"),
        ({"reallocate": -1.0}, r"reallocate"),
        ({"period": 0.0}, r"period, end: expected fractions of training"),
        ({"period": 0.5, "end": 0.2}, r"period, end: expected fractions of training"),
        ({"end": 60.0}, r"period, end: expected fractions of training"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        DSR(**arguments)


@pytest.mark.parametrize(("regrow", "variance"), [("fan-in", 2 / 200), ("fan-out", 2 / 100)])
def test_regrown_weights_may_start_at_he_draws(regrow: Any, variance: float):
    weights = [np.where(np.arange(100) < 50, np.float32(1e-4), np.float32(0.5)) * np.ones((200, 1), np.float32)]
    technique = traced(DSR(0.0, threshold=1e-2, regrow=regrow, period=0.5, end=0.5))
    free, memo = init(technique, weights, KEY)
    revised = revise(technique, free, memo, np.float32(0.5), KEY)
    grown = np.asarray(revised.free.weights[0])[np.asarray(revised.fresh[0])]
    assert grown.size == 10_000
    np.testing.assert_allclose(np.var(grown), variance, rtol=0.05)

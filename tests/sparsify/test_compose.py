"""Chains apply in their order; `On` touches what it is told to touch and nothing else."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import (
    DSR,
    L1,
    STR,
    AbstractSparsifier,
    Chain,
    Free,
    MagnitudePruning,
    On,
    OneShot,
    SequentialThresholding,
    Stages,
)

KEY = jax.random.key(0)
NOW = jnp.float32(0.5)
# Equal shapes: every operation is compiled once.
SHAPE = (6, 6)
T = 1 / (1 + np.exp(2.0))


def weights() -> list[Any]:
    """Three matrices, with a hole where a bias would be."""
    rng = np.random.default_rng(0)
    first, second, third = (jnp.asarray(rng.normal(size=SHAPE), jnp.float32) for _ in range(3))
    return [first, None, second, third]


def total(tree: Any, f: Any) -> float:
    return sum(float(f(np.asarray(w, np.float64))) for w in jax.tree.leaves(tree))


# -- chains -------------------------------------------------------------------------------------------------


def test_an_empty_chain_is_dense():
    technique = Chain()
    free, memo = technique.init(weights(), key=KEY)
    for a, b in zip(jax.tree.leaves(technique.effective(free, memo)), jax.tree.leaves(weights()), strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(technique.penalty(free, memo, NOW)) == 0.0
    assert technique.turns() == ()
    assert all(np.all(a) for a in jax.tree.leaves(technique.active(memo, weights())))


def test_the_order_decides_what_is_penalized():
    before, after = Chain(L1(0.1), STR(dense_start=False)), Chain(STR(dense_start=False), L1(0.1))
    for technique, seen in ((before, np.abs), (after, lambda w: np.maximum(np.abs(w) - T, 0))):
        free, memo = technique.init(weights(), key=KEY)
        expected = 0.1 * total(weights(), lambda w, seen=seen: seen(w).sum())
        assert float(technique.penalty(free, memo, NOW)) == pytest.approx(expected, rel=1e-5)
    one, other = (t.effective(*t.init(weights(), key=KEY)) for t in (before, after))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_masks_and_thresholds_work_one_after_the_other():
    technique = Chain(MagnitudePruning(0.5, OneShot(0.5), "layer"), STR(dense_start=False))
    free, memo = technique.init(weights(), key=KEY)
    revised = technique.revise(free, memo, weights(), NOW, key=KEY)
    effective = technique.effective(revised.free, revised.memo)
    for w, e, active in zip(
        *map(jax.tree.leaves, (weights(), effective, technique.active(revised.memo, weights()))), strict=True
    ):
        assert int(active.sum()) == w.size // 2
        expected = np.where(active, np.sign(w) * np.maximum(np.abs(w) - T, 0), 0)
        np.testing.assert_allclose(e, expected, atol=1e-6)


def test_penalties_add_up_and_turns_are_merged():
    technique = Chain(
        L1(0.1), L1(0.2), SequentialThresholding(0.1, (0.2, 0.6)), MagnitudePruning(0.5, Stages((0.4, 0.6)))
    )
    free, memo = technique.init(weights(), key=KEY)
    expected = 0.3 * total(weights(), lambda w: np.abs(w).sum())
    assert float(technique.penalty(free, memo, NOW)) == pytest.approx(expected, rel=1e-5)
    assert technique.turns() == (0.2, 0.4, 0.6)


def test_every_link_takes_its_own_turns_only():
    technique = Chain(SequentialThresholding(0.5, (0.2,)), MagnitudePruning(0.9, OneShot(0.6), "layer"))
    free, memo = technique.init(weights(), key=KEY)
    first = technique.revise(free, memo, weights(), jnp.float32(0.2), key=KEY)
    thresholded, pruned = first.memo
    for w, m in zip(jax.tree.leaves(weights()), jax.tree.leaves(thresholded.mask), strict=True):
        np.testing.assert_array_equal(m, np.abs(w) >= 0.5)
    assert all(np.all(m) for m in jax.tree.leaves(pruned.mask))
    second = technique.revise(first.free, first.memo, weights(), jnp.float32(0.6), key=KEY)
    for old, new in zip(*(jax.tree.leaves(m[0].mask) for m in (first.memo, second.memo)), strict=True):
        np.testing.assert_array_equal(old, new)
    for w, m in zip(jax.tree.leaves(weights()), jax.tree.leaves(second.memo[1].mask), strict=True):
        assert int(m.sum()) == w.size - round(0.9 * w.size)


def test_fresh_marks_of_all_links_are_gathered():
    technique = Chain(SequentialThresholding(0.3, (0.5,)), MagnitudePruning(0.5, OneShot(0.5), "layer"))
    free, memo = technique.init(weights(), key=KEY)
    revised = technique.revise(free, memo, weights(), NOW, key=KEY)
    active = technique.active(revised.memo, weights())
    for fresh, alive in zip(jax.tree.leaves(revised.fresh), jax.tree.leaves(active), strict=True):
        np.testing.assert_array_equal(fresh, ~np.asarray(alive))


def test_links_draw_different_numbers():
    technique = Chain(DSR(0.5), DSR(0.5))
    _, (one, other) = technique.init(weights(), key=KEY)
    assert not np.array_equal(jax.tree.leaves(one.mask)[0], jax.tree.leaves(other.mask)[0])


@pytest.mark.parametrize("link", ["l1", L1, None, 1e-4])
def test_a_chain_takes_instances(link: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)
    with pytest.raises(TypeError, match=r"Chain: expected sparsification techniques such as L1.*got .*instances"):
        Chain(L1(), link)


# -- On -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "chosen"),
    [(0, {0}), (-1, {2}), ((0, -1), {0, 2}), ((1, -2), {1}), ((-3, 0), {0}), ((0, 1, 2), {0, 1, 2}), ([2], {2})],
)
def test_on_is_confined(where: Any, chosen: set[int]):
    technique = On(where, MagnitudePruning(0.5, OneShot(0.5), "layer"))
    free, memo = technique.init(weights(), key=KEY)
    revised = technique.revise(free, memo, weights(), NOW, key=KEY)
    effective = technique.effective(revised.free, revised.memo)
    active = technique.active(revised.memo, weights())
    assert technique.turns() == (0.5,)
    assert jax.tree.structure(effective) == jax.tree.structure(weights())
    leaves = zip(
        *map(jax.tree.leaves, (weights(), effective, revised.free.weights, active, revised.fresh)), strict=True
    )
    for i, (w, e, r, a, f) in enumerate(leaves):
        if i in chosen:
            assert np.count_nonzero(e) == np.count_nonzero(r) == int(a.sum()) == w.size // 2
            np.testing.assert_array_equal(f, ~np.asarray(a))
        else:
            np.testing.assert_array_equal(e, w)
            np.testing.assert_array_equal(r, w)
            assert np.all(a)
            assert not np.any(f)


def test_penalties_and_trainables_of_the_chosen_ones_only():
    penalty = On((0, -1), L1(0.1))
    first, _, _, third = weights()
    free, memo = penalty.init(weights(), key=KEY)
    assert float(penalty.penalty(free, memo, NOW)) == pytest.approx(
        0.1 * total((first, third), lambda w: np.abs(w).sum()), rel=1e-5
    )
    gradient = jax.grad(lambda w: penalty.penalty(Free(w, free.aux), memo, NOW))(weights())
    assert not np.any(gradient[2])
    np.testing.assert_allclose(gradient[0], 0.1 * np.sign(first), rtol=1e-6)

    soft = On(1, STR(dense_start=False))
    free, memo = soft.init(weights(), key=KEY)
    assert len(jax.tree.leaves(free.aux)) == 1
    lowered = Free(free.weights, jax.tree.map(lambda s: s + 5.0, free.aux))
    np.testing.assert_array_equal(soft.effective(lowered, memo)[0], first)
    assert np.count_nonzero(soft.effective(lowered, memo)[2]) < 20


def test_different_treatment_of_different_layers():
    technique = Chain(
        On(0, MagnitudePruning(0.75, OneShot(0.5), "layer")), On((1, 2), MagnitudePruning(0.5, OneShot(0.5), "layer"))
    )
    free, memo = technique.init(weights(), key=KEY)
    revised = technique.revise(free, memo, weights(), NOW, key=KEY)
    kept = [int(np.count_nonzero(w)) for w in jax.tree.leaves(technique.effective(revised.free, revised.memo))]
    assert kept == [9, 18, 18]


def test_on_within_on_counts_what_it_sees():
    technique = On((1, 2), On(-1, SequentialThresholding(9.0, (0.5,))))
    free, memo = technique.init(weights(), key=KEY)
    revised = technique.revise(free, memo, weights(), NOW, key=KEY)
    counts = [int(np.count_nonzero(w)) for w in jax.tree.leaves(technique.effective(revised.free, revised.memo))]
    assert counts == [36, 36, 0]


@pytest.mark.parametrize("where", [3, -4, (0, 7)])
def test_matrix_numbers_out_of_range(where: Any):
    technique: AbstractSparsifier = On(where, L1())
    with pytest.raises(ValueError, match=r"On: expected matrix numbers from -3 to 2 \(the model has 3\); got"):
        technique.init(weights(), key=KEY)


@pytest.mark.parametrize(("where", "technique"), [((), L1()), ("first", L1()), (0, "l1"), (0, L1)])
def test_on_takes_numbers_and_a_technique(where: Any, technique: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)
    with pytest.raises(ValueError, match=r"(where|technique): expected"):
        On(where, technique)

"""The one loop: members are independent, a dead one disturbs nobody, the best is the best, averages are averages."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sparsedyn.data import Samples
from sparsedyn.sparsify import L1, Chain, MagnitudePruning, SequentialThresholding, Stages
from sparsedyn.training import EMA, SWA, Progress, derivative_matching, engine

SETTLED = 24


def pruning(sparsity: float, penalty: Any = 1e-3) -> Chain:
    return Chain(
        L1(penalty), SequentialThresholding(0.0, (0.4, 0.45)), MagnitudePruning(sparsity, Stages((0.25, 0.5)), "layer")
    )


def member(result: Any, i: int) -> Any:
    return jax.tree.map(lambda a: a[i], (result.last, result.best, result.averaged, result.active, result.alive))


def raw(state: Any) -> list[np.ndarray]:
    trainable = state.members.trainable
    return [np.asarray(a) for a in jax.tree.leaves((trainable.free.weights, trainable.other))]


# -- members do not know of each other ----------------------------------------------------------------------


def test_training_learns(lab: Any):
    result = lab.fit()
    assert result.steps == lab.steps
    assert result.alive.all()
    first, last = result.history[0], result.history[-1]
    assert np.all(np.array(last["loss"]) < 0.5 * np.array(first["loss"]))
    for i in range(lab.members):
        assert last["validation"][i] == pytest.approx(lab.loss(result.last, i, lab.validation), rel=1e-4)


@pytest.mark.slow
@pytest.mark.devices
def test_members_in_other_company_are_the_same(lab: Any):
    # Three on two devices, or on sixteen: what fills up the last device is not seen outside.
    result, together = lab.fit(ids=[3, 0, 1]), lab.fit()
    assert len(result.alive) == len(result.best_value) == len(result.history[0]["loss"]) == 3
    assert all(len(leaf) == 3 for leaf in jax.tree.leaves((result.last, result.best, result.averaged, result.active)))
    for ours, theirs in ((0, 3), (1, 0), (2, 1)):
        lab.close(member(result, ours), member(together, theirs))
        np.testing.assert_allclose(
            [r["loss"][ours] for r in result.history], [r["loss"][theirs] for r in together.history], rtol=1e-4
        )


def test_members_differ_by_their_rate_only_where_they_should(lab: Any):
    same = lab.fit(rates=[1e-2] * 4)
    other = lab.fit(rates=[1e-2, 3e-2, 1e-2, 1e-2])
    assert lab.equal(same, lab.fit()), "the same bits, run after run"
    for i in (0, 2, 3):
        assert lab.equal(member(same, i), member(other, i))
    assert not lab.equal(member(same, 1), member(other, 1))


@pytest.mark.slow
def test_hyperparameters_are_leaves(lab: Any):
    path = pruning(0.0, jnp.array([0.0, 1e-3, 1e-1, 1.0]))
    result = lab.fit(path, ids=[0, 0, 0, 0], rates=1e-3)
    size = [sum(np.abs(w[i]).sum() for w in lab.weights(result.last)) for i in range(4)]
    assert size == sorted(size, reverse=True)
    assert size[3] < 0.99 * size[0]


def test_members_are_drawn_apart(lab: Any):
    models, _ = lab.models()
    for weight in lab.weights(models):
        assert len(np.unique(weight[:, 0, 0])) == 4


@pytest.mark.devices
def test_own_orders_for_members(lab: Any):
    # The same network four times: with shared batches it stays so, with its own orders it does not.
    shared = lab.fit(ids=[0] * 4)
    own = lab.fit(ids=[0] * 4, shuffle="member")
    for i in range(1, 4):
        lab.close(member(shared, 0), member(shared, i))
        assert not np.allclose(own.last.weights[0][0], own.last.weights[0][i], atol=1e-5)
    # An order belongs to a member's number, not to its place.
    moved = lab.fit(ids=[0] * 4, shuffle="member", order_ids=[3, 2, 1, 0])
    lab.close(member(own, 0), member(moved, 3))
    lab.close(member(own, 2), member(moved, 1))


# -- members that blow up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e18, 1e30])
@pytest.mark.devices
def test_a_member_that_blows_up_is_frozen_and_its_neighbours_train_on(lab: Any, tmp_path: Path, rate: float):
    well = lab.fit()
    result, states = lab.states(tmp_path, rates=[1e-2, rate, 1e-2, 1e-2])
    np.testing.assert_array_equal(result.alive, [True, False, True, True])
    for i in (0, 2, 3):
        assert lab.equal(member(well, i), member(result, i)), "bit for bit"
    assert all(np.isfinite(w[1]).all() for w in lab.weights(result.last))
    died = next(step for step, state in enumerate(states) if not state.members.alive[1])
    assert 1 <= died < 10
    for state in states[died:]:
        assert not state.members.alive[1]
        for now, then in zip(raw(state), raw(states[died]), strict=True):
            np.testing.assert_array_equal(now[1], then[1])
    # Its mean loss is unknown from then on, not zero.
    assert np.isnan([record["loss"][1] for record in result.history[2:]]).all()
    assert [record["alive"] for record in result.history][-1] == [True, False, True, True]


def test_a_dead_member_stays_dead(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # One bad sample, which members with orders of their own meet at different steps; the next batch is fine again.
    broken = lab.data.dx.copy()
    broken[3] = np.nan
    monkeypatch.setattr(type(lab), "data", Samples(lab.data.x, lab.data.u, broken))
    result, states = lab.states(tmp_path, shuffle="member", validation=None)
    died = [int(np.argmin([bool(state.members.alive[i]) for state in states])) for i in range(lab.members)]
    assert not result.alive.any()
    assert len(set(died)) > 1
    assert result.steps == max(died)
    for i, step in enumerate(died):
        for arrays in zip(*(raw(state) for state in states[step - 1 :]), strict=True):
            assert all(np.array_equal(a[i], arrays[0][i]) for a in arrays)


def test_non_finite_data_kills_everyone_and_ends_the_run(lab: Any, monkeypatch: pytest.MonkeyPatch):
    broken = Samples(lab.data.x, lab.data.u, np.full_like(lab.data.dx, np.nan))
    monkeypatch.setattr(type(lab), "data", broken)
    seen: list[Progress] = []
    result = lab.fit(on_progress=seen.append)
    assert not result.alive.any()
    assert result.steps < lab.steps
    assert all(np.isfinite(w).all() for w in lab.weights(result.last))
    assert seen[-1].alive == 0


# -- validation: the best, and early stopping ---------------------------------------------------------------


def test_the_best_is_counted_after_the_last_mask_change_only(lab: Any):
    # Cut hard and late, then train slowly: everything before the cut was better.
    result = lab.fit(pruning(0.9), rates=2e-3)
    history = [(record["step"], np.array(record["validation"])) for record in result.history]
    assert [step for step, _ in history] == [6, 12, 18, 24, 30, 36, 42, 48]
    before = np.min([value for step, value in history if step < SETTLED], axis=0)
    after = np.min([value for step, value in history if step >= SETTLED], axis=0)
    assert np.any(before < after), "or the test shows nothing"
    np.testing.assert_array_equal(result.best_value, after.astype(np.float32))
    for i in range(lab.members):
        assert lab.loss(result.best, i, lab.validation) == pytest.approx(after[i], rel=1e-4)
    for weight, active in zip(lab.weights(result.best), jax.tree.leaves(result.active), strict=True):
        np.testing.assert_array_equal(weight != 0, active)


def test_a_running_average_is_judged_and_kept_like_any_weights(lab: Any):
    """Two members average, two do not; all are judged by one criterion, least at the last validation but one."""
    seen: list[Any] = []

    def criterion(models: Any) -> np.ndarray:
        seen.append(models)
        return np.full(lab.members, float(abs(len(seen) - 7)))

    average = SWA(start=0.5, snapshots=12, active=jnp.array([1.0, 0.0, 1.0, 0.0]))
    result = lab.fit(average=average, criterion=criterion)
    assert len(seen) == 8
    for name, kept, judged in (("best", result.best, seen[6]), ("averaged", result.averaged, seen[7])):
        for a, b in zip(jax.tree.leaves(kept), jax.tree.leaves(judged), strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
    for last, end in zip(lab.weights(result.last), lab.weights(seen[7]), strict=True):
        np.testing.assert_array_equal((last == end).all(axis=(1, 2)), [False, True, False, True])


def test_an_average_that_has_not_begun_is_not_chosen(lab: Any):
    calls = iter(range(100))
    average = SWA(start=0.5, snapshots=12, active=jnp.array([1.0, 0.0, 1.0, 0.0]))
    result = lab.fit(average=average, criterion=lambda _: np.full(lab.members, float(next(calls))))
    # The first validation is the best one of all, but there is no average then.
    assert result.best_value[1] == result.best_value[3] == 0
    assert np.all(result.best_value[[0, 2]] >= 3)


def test_a_criterion_decides_in_place_of_the_loss(lab: Any):
    seen: list[tuple[Any, np.ndarray]] = []

    def criterion(models: Any) -> np.ndarray:
        # Anything that gives a number per member, here one that the loss would not choose.
        values = np.abs(np.stack([w[:, 0, 0] for w in models.weights])).sum(axis=0).astype(np.float64)
        seen.append((models, values))
        return values

    result = lab.fit(pruning(0.5), criterion=criterion)
    # Asked from the last mask change on only: at 24, 30, 36, 42, 48.
    assert len(seen) == 5
    values = np.stack([value for _, value in seen])
    np.testing.assert_allclose(result.best_value, values.min(axis=0), rtol=1e-6)
    for i, best in enumerate(values.argmin(axis=0)):
        for ours, theirs in zip(result.best.weights, seen[best][0].weights, strict=True):
            np.testing.assert_array_equal(ours[i], theirs[i])
    # The history still tells the loss.
    plain = lab.fit(pruning(0.5))
    assert [r["validation"] for r in result.history] == [r["validation"] for r in plain.history]
    assert lab.equal(result.last, plain.last)


def test_without_validation_the_best_is_the_last(lab: Any):
    result = lab.fit(validation=None)
    assert lab.equal(result.best, result.last)
    assert np.isinf(result.best_value).all()
    assert np.isnan(result.history[-1]["validation"]).all()


def test_evaluation_is_the_mean_over_the_whole_set(lab: Any):
    # More rows than one block holds, and not a multiple of it.
    rng = np.random.default_rng(5)
    many = Samples(*(rng.normal(size=(4096 * 2 + 37, n)).astype(np.float32) for n in (2, 1, 2)))
    state = lab.start()
    models, _ = lab.models()
    got = engine.evaluate(lab.program(), state.members.trainable, Chain(), (), many)
    expected = [lab.loss(models, i, many) for i in range(lab.members)]
    np.testing.assert_allclose(np.asarray(got)[: lab.members], expected, rtol=1e-4)


def test_early_stopping(lab: Any, tmp_path: Path):
    # A member that does not move never gains: its first validation is its best, then two without gain.
    result, states = lab.states(tmp_path, rates=[1e-2, 0.0, 1e-2, 0.0], patience=2)
    stopped = [np.flatnonzero([bool(state.stopped[i]) for state in states]) for i in range(4)]
    assert stopped[1][0] == stopped[3][0] == 18
    assert not len(stopped[0])
    assert result.steps == lab.steps
    assert lab.equal(member(result, 0), member(lab.fit(), 0))

    everyone = lab.fit(rates=0.0, patience=2)
    assert everyone.steps == 18
    assert [record["step"] for record in everyone.history] == [6, 12, 18]


def test_a_stopped_member_stays_as_it_is(lab: Any, tmp_path: Path):
    # Too large a rate: validation gets worse and worse.
    result, states = lab.states(tmp_path, rates=[1e-2, 3.0, 1e-2, 1e-2], patience=1)
    first = next(step for step, state in enumerate(states) if state.stopped[1])
    assert first < lab.steps
    for state in states[first:]:
        for now, then in zip(raw(state), raw(states[first]), strict=True):
            np.testing.assert_array_equal(now[1], then[1])
    assert result.alive[1]
    later = [record["loss"][1] for record in result.history if record["step"] > first]
    assert later
    assert np.isnan(later).all(), "no step, no loss"


def test_patience_counts_from_the_last_mask_change(lab: Any):
    result = lab.fit(pruning(0.5), rates=0.0, patience=2)
    # Settled at 24, where the first value counts; 30 and 36 bring no gain.
    assert result.steps == 36


# -- averages -----------------------------------------------------------------------------------------------


def mean_of(states: list[Any], weights: list[float]) -> list[np.ndarray]:
    """The weighted sum of the raw trainables, in NumPy."""
    arrays = zip(*(raw(state) for state in states), strict=True)
    return [np.tensordot(weights, np.stack(a).astype(np.float64), axes=1) for a in arrays]


def test_swa_is_the_plain_mean_of_its_snapshots(lab: Any, tmp_path: Path):
    average = SWA(start=0.75, snapshots=4)
    result, states = lab.states(tmp_path, pruning(0.6), average=average)
    expected = mean_of([states[step] for step in (39, 42, 45, 48)], [0.25] * 4)
    got = [*lab.weights(result.averaged), *(np.asarray(b) for b in result.averaged.biases)]
    for ours, mean in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, mean[: lab.members], rtol=1e-5, atol=1e-6)
    for weight, active in zip(lab.weights(result.averaged), jax.tree.leaves(result.active), strict=True):
        np.testing.assert_array_equal(weight != 0, active)
    assert not lab.equal(result.averaged, result.last)
    # Averaging watches, it does not touch.
    assert lab.equal(result.last, lab.fit(pruning(0.6)).last)


def test_ema_forgets(lab: Any, tmp_path: Path):
    average = EMA(start=0.75, snapshots=4, memory=2.0)
    result, states = lab.states(tmp_path, average=average)
    # Weights 1, 1/2, 1/2, 1/2 of what is new.
    expected = mean_of([states[step] for step in (39, 42, 45, 48)], [0.125, 0.125, 0.25, 0.5])
    for ours, mean in zip(lab.weights(result.averaged), expected[:3], strict=True):
        np.testing.assert_allclose(ours, mean[: lab.members], rtol=1e-5, atol=1e-6)


def test_averaging_can_be_on_for_some_members_only(lab: Any):
    average = SWA(start=0.75, snapshots=4, active=jnp.array([1.0, 0.0, 1.0, 0.0]))
    result = lab.fit(average=average)
    for weight, last in zip(result.averaged.weights, result.last.weights, strict=True):
        same = [np.array_equal(a, b) for a, b in zip(weight, last, strict=True)]
        assert same == [False, True, False, True]


# -- progress and the rest ----------------------------------------------------------------------------------


def test_progress_and_history(lab: Any):
    seen: list[Progress] = []
    result = lab.fit(pruning(0.6), on_progress=seen.append)
    assert [p.step for p in seen] == list(range(lab.steps + 1))
    assert all(p.steps == lab.steps and p.members == lab.members and p.alive == lab.members for p in seen)
    assert np.isnan(seen[0].loss)
    assert np.isfinite([p.loss for p in seen[1:]]).all()
    by_layer = sum(n - round(0.6 * n) for n in (24, 64, 16)) / 104
    assert seen[-1].sparsity == pytest.approx(1 - by_layer)
    assert seen[11].sparsity == 0.0
    assert seen[-1].validation == pytest.approx(np.mean(result.history[-1]["validation"]))
    assert [len(r["loss"]) for r in result.history] == [4] * 8


def test_the_recorded_loss_is_the_mean_since_the_last_record(lab: Any, tmp_path: Path):
    # And every epoch goes through its own order, batch by batch.
    result, states = lab.states(tmp_path, validation=None)
    features = np.concatenate([lab.data.x, lab.data.u], axis=1).astype(np.float64)
    for epoch in (0, 1, 7):
        order = np.random.default_rng([0, epoch]).permutation(len(features))
        losses = []
        for step in range(lab.epoch):
            rows = order[step * lab.batch : (step + 1) * lab.batch]
            *weights, b1, b2, b3 = (a[1] for a in raw(states[epoch * lab.epoch + step]))
            hidden = features[rows]
            for layer, (weight, bias) in enumerate(zip(weights, (b1, b2, b3), strict=True)):
                hidden = hidden @ weight + bias
                hidden = np.tanh(hidden) if layer < 2 else hidden
            losses.append(np.mean((hidden - lab.data.dx[rows]) ** 2))
        assert result.history[epoch]["loss"][1] == pytest.approx(np.mean(losses), rel=1e-4)


def test_derivative_matching_is_the_mean_squared_error(lab: Any):
    models, keys = lab.models()
    values = eqx.filter_jit(eqx.filter_vmap(derivative_matching, in_axes=(0, None, 0)))(models, lab.validation, keys)
    np.testing.assert_allclose(values, [lab.loss(models, i, lab.validation) for i in range(lab.members)], rtol=1e-5)


def lottery(model: Any, batch: Any, key: jax.Array) -> jax.Array:
    """A loss that is nothing but chance."""
    return jax.random.uniform(key) + 0.0 * jnp.sum(model.weights[0])


def test_every_step_of_every_member_draws_its_own_numbers(lab: Any):
    result = lab.fit(objective=lottery, validation=None)
    _, keys = lab.models()
    each = jax.vmap(jax.vmap(lambda key, i: jax.random.uniform(jax.random.fold_in(key, i)), (None, 0)), (0, None))
    drawn = np.asarray(jax.jit(each)(keys, np.arange(lab.steps)))
    assert len(np.unique(drawn)) == drawn.size
    expected = drawn.reshape(lab.members, -1, lab.epoch).mean(axis=2).T
    np.testing.assert_allclose([record["loss"] for record in result.history], expected, rtol=1e-5)


def test_any_optax_optimizer_will_do(lab: Any):
    result = lab.fit(method="sgd", optimizer=optax.chain(optax.clip(0.1), optax.sgd(1.0)), validation=None)
    assert result.alive.all()
    assert result.history[-1]["loss"][0] < result.history[0]["loss"][0]

"""Learning rates over training, optimizers at unit rate, pauses, and the orders of samples."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedyn.training import EMA, OPTIMIZERS, SCHEDULES, SWA, learning_rates, optimizer, raised
from sparsedyn.training.averaging import Averaged
from sparsedyn.training.orders import Orders
from sparsedyn.training.timeline import last_revision, timeline

# -- learning rates -----------------------------------------------------------------------------------------


def test_constant():
    np.testing.assert_array_equal(learning_rates("constant", 1e-3, 5), np.full(5, 1e-3, np.float32))


def test_cosine_warms_up_and_falls_to_a_hundredth():
    rates = learning_rates("cosine", 2e-3, 1000)
    assert rates.shape == (1000,)
    assert rates[0] == pytest.approx(2e-4)
    assert rates.argmax() == 20
    assert rates.max() == pytest.approx(2e-3)
    k = np.arange(20, 1000)
    half = 0.5 * (1 + np.cos(np.pi * (k - 20) / 980))
    np.testing.assert_allclose(rates[20:], 2e-5 + (2e-3 - 2e-5) * half, rtol=1e-4)
    np.testing.assert_allclose(np.diff(rates[:21]), (2e-3 - 2e-4) / 20, rtol=1e-3)


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_cosine_of_a_tiny_run(steps: int):
    rates = learning_rates("cosine", 1e-3, steps)
    assert rates.shape == (steps,)
    assert np.all((rates > 0) & (rates <= 1.001e-3))


def test_step_divides_by_ten():
    rates = learning_rates("step", 1.0, 100)
    np.testing.assert_allclose(rates[[0, 39, 40, 69, 70, 89, 90, 99]], [1, 1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3])
    np.testing.assert_allclose(learning_rates("step", 1.0, 10, drops=(0.5,)), [1] * 5 + [0.1] * 5)


def test_any_function_of_the_step():
    schedule = optax.exponential_decay(1.0, 10, 0.5)
    np.testing.assert_allclose(learning_rates(schedule, 123.0, 21)[[0, 10, 20]], [1, 0.5, 0.25], rtol=1e-5)


def test_an_unknown_schedule_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"schedule: expected one of constant, cosine, step.*got 'cosin'"):
        learning_rates("cosin", 1e-3, 10)
    assert SCHEDULES == ("constant", "cosine", "step")


def test_raised():
    rates = np.linspace(1, 0.1, 8).astype(np.float32)
    changed = raised(rates, 0.75, 0.5)
    np.testing.assert_array_equal(changed[:6], rates[:6])
    np.testing.assert_array_equal(changed[6:], [0.5, 0.5])
    assert rates[7] == np.float32(0.1), "the given array is left alone"


# -- optimizers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_descends(name: str):
    made = optimizer(name)
    gradient = lambda w: 2 * (w - jnp.array([1.0, -2.0]))  # noqa: E731

    @jax.jit
    def descend(w: jax.Array) -> jax.Array:
        state = made.init(w)
        for _ in range(30):
            updates, state = made.update(gradient(w), state, w)
            w = w + 0.05 * updates
        return w

    end = np.asarray(descend(jnp.zeros(2)))
    assert np.sum((end - [1, -2]) ** 2) < 0.5 * 5


def test_adam_takes_unit_steps_first():
    made = optimizer("adam")
    updates, _ = made.update(jnp.array([1e-3, -50.0]), made.init(jnp.zeros(2)), jnp.zeros(2))
    np.testing.assert_allclose(updates, [-1, 1], rtol=1e-4)


def test_clipping_bounds_the_global_norm():
    made = optimizer("sgd", 1.0)
    gradient = (jnp.array([30.0]), jnp.array([40.0]))
    updates, _ = made.update(gradient, made.init(gradient), gradient)
    np.testing.assert_allclose(jnp.concatenate(updates), [-0.6, -0.8], rtol=1e-5)


def test_the_same_object_comes_back():
    # Compiled training is looked up by it.
    assert optimizer("adam") is optimizer("adam")
    assert optimizer("adam", 1.0) is optimizer("adam", 1.0)
    assert optimizer("adam", 1.0) is not optimizer("adam", 2.0)


def test_an_unknown_optimizer_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"optimizer: expected one of adam, .*lion; got 'adaam'"):
        optimizer("adaam")


# -- averages -----------------------------------------------------------------------------------------------


def test_running_averages_by_hand():
    values = [3.0, 5.0, 10.0, 2.0]
    for average, expected in ((SWA(), [3, 4, 6, 5]), (EMA(memory=2.0), [3, 4, 7, 4.5])):
        averaged = average.init(jnp.asarray(99.0))
        for value, mean in zip(values, expected, strict=True):
            averaged = average.update(averaged, jnp.asarray(value))
            assert float(averaged.value) == pytest.approx(mean)
        assert float(averaged.snapshots) == 4
        assert float(average.read(averaged, jnp.asarray(-1.0))) == pytest.approx(expected[-1])


def test_an_average_without_snapshots_or_switched_off_reads_the_last():
    last = jnp.asarray(-1.0)
    assert float(SWA().read(SWA().init(jnp.asarray(7.0)), last)) == -1.0
    assert float(SWA(active=0.0).read(Averaged(jnp.asarray(7.0), jnp.asarray(3.0)), last)) == -1.0


def test_average_turns():
    np.testing.assert_allclose(SWA(start=0.75, snapshots=5).turns(), [0.8, 0.85, 0.9, 0.95, 1.0])
    assert len(EMA().turns()) == 100


@pytest.mark.parametrize("average", [SWA(start=1.0), SWA(start=-0.1), EMA(start=75.0), SWA(snapshots=0)])
def test_averages_have_times_within_training(average: SWA | EMA):
    with pytest.raises(ValueError, match=r"expected"):
        average.turns()


# -- the timeline -------------------------------------------------------------------------------------------


def test_timeline_by_hand():
    pauses = timeline(steps=20, epoch=5, revisions=(0.5, 0.25, 0.52), snapshots=(0.8, 1.0), validations=2)
    at = {pause.step: pause for pause in pauses}
    assert [pause.step for pause in pauses] == sorted(at)
    assert pauses[-1].step == 20
    assert at[5].revisions == (0.25,)
    assert at[10].revisions == (0.5, 0.52), "two turns that fall on one step, in their order"
    assert [step for step, pause in at.items() if pause.snapshot] == [16, 20]
    assert [step for step, pause in at.items() if pause.validate] == [10, 20]
    assert last_revision(20, (0.25, 0.52)) == 10
    assert last_revision(20, ()) == 0


@given(
    steps=st.integers(1, 400),
    epoch=st.integers(1, 500),
    revisions=st.lists(st.floats(0, 1), max_size=8),
    snapshots=st.lists(st.floats(0, 1), max_size=8),
    validations=st.integers(0, 30),
)
def test_timelines(steps: int, epoch: int, revisions: list[float], snapshots: list[float], validations: int):
    pauses = timeline(steps=steps, epoch=epoch, revisions=revisions, snapshots=snapshots, validations=validations)
    places = [pause.step for pause in pauses]
    assert places == sorted(set(places))
    assert places[0] >= 0
    assert places[-1] == steps
    assert sorted(r for pause in pauses for r in pause.revisions) == sorted(revisions)
    # No stretch of training reaches over the end of an epoch: there the order of samples changes.
    stops = [0, *places]
    assert all(a // epoch == (b - 1) // epoch for a, b in itertools.pairwise(stops) if b > a)
    assert pauses[-1].validate
    assert sum(pause.validate for pause in pauses) <= validations + 1
    assert not any(pause.snapshot for pause in pauses if pause.step == 0)


# -- orders -------------------------------------------------------------------------------------------------

SHARDING = jax.sharding.SingleDeviceSharding(jax.devices()[0])


def test_an_order_is_a_permutation_and_a_function_of_seed_and_epoch():
    orders, again = Orders(3, 50, SHARDING), Orders(3, 50, SHARDING)
    first, second = np.asarray(orders(0)), np.asarray(orders(1))
    np.testing.assert_array_equal(np.sort(first), np.arange(50))
    assert not np.array_equal(first, second)
    # A resumed run asks for a later epoch first.
    np.testing.assert_array_equal(again(1), second)
    np.testing.assert_array_equal(again(0), first)
    assert not np.array_equal(Orders(4, 50, SHARDING)(0), first)
    np.testing.assert_array_equal(orders.first(0, 8), first[:8])


def test_members_have_orders_of_their_own():
    drawn = np.asarray(Orders(3, 50, SHARDING, [0, 1, 5])(2))
    assert drawn.shape == (3, 50)
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(50), (3, 1)))
    assert len({tuple(row) for row in drawn}) == 3
    np.testing.assert_array_equal(Orders(3, 50, SHARDING, [5])(2)[0], drawn[2])
    np.testing.assert_array_equal(Orders(3, 50, SHARDING, [0, 1, 5]).first(2, 8), drawn[0, :8])

"""Excitations: ranges, hold times, sums, channels, feedback."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.systems import APRBS, Channels, Chirp, Constant, Feedback, Impulses, Sine, Sum


def signal(excitation, steps, dt, seed=0):
    with jax.enable_x64(True):
        return np.asarray(eqx.filter_jit(excitation.signal)(jax.random.key(seed), steps, dt))


def holds(wave):
    return np.diff(np.flatnonzero(np.diff(wave)) + 1)


def test_aprbs_holds_random_levels_for_random_times():
    wave = signal(APRBS(-2, 3, shortest=1.0, longest=3.0), 20000, 0.1)[:, 0]
    assert -2 <= wave.min() < -1.9
    assert 2.9 < wave.max() <= 3
    assert (holds(wave).min(), holds(wave).max()) == (10, 30)
    # Uniform over the whole numbers 10..30: mean 20, standard deviation 6.06.
    assert holds(wave).mean() == pytest.approx(20, abs=0.8)
    assert holds(wave).std() == pytest.approx(np.sqrt((21**2 - 1) / 12), abs=0.5)
    levels = np.unique(wave)
    assert levels.mean() == pytest.approx(0.5, abs=0.2)


def test_aprbs_rests_first_where_asked():
    for seed in range(5):
        wave = signal(APRBS(1, 2, shortest=5, longest=6, rest=0, first=(20, 30)), 100, 1.0, seed)[:, 0]
        change = np.flatnonzero(wave)[0]
        assert 20 <= change <= 30
        assert wave[change:].min() >= 1
    free = signal(APRBS(1, 2, shortest=5, longest=6), 100, 1.0)[:, 0]
    assert free.min() >= 1


def test_impulses_last_one_sample():
    wave = signal(Impulses(1, 20, shortest=50, longest=200, first=(10, 30)), 50000, 10.0)[:, 0]
    rows = np.flatnonzero(wave)
    assert 1 <= rows[0] <= 3
    assert (np.diff(rows).min(), np.diff(rows).max()) == (5, 20)
    assert 1 <= wave[rows].min() < 1.1
    assert 19.9 < wave[rows].max() <= 20


@pytest.mark.slow
def test_a_longer_signal_starts_with_the_shorter_one_and_keys_differ():
    random = (APRBS(-1, 1, shortest=0.5, longest=2), Impulses(1, 2, shortest=0.5, longest=2), Sine(1, 0.3))
    excitation = Channels(*random, Chirp(1, 0.1, 0.5, duration=20), APRBS(0, 1, shortest=0.1, longest=9) + Constant(3))
    long = signal(excitation, 500, 0.1)
    np.testing.assert_allclose(signal(excitation, 130, 0.1), long[:130], rtol=1e-12, atol=1e-12)
    assert (signal(excitation, 500, 0.1, seed=1) != long).any(axis=0).all()


def test_very_short_holds_still_take_a_sample():
    wave = signal(APRBS(-1, 1, shortest=1e-6, longest=1e-6), 200, 0.1)[:, 0]
    assert len(np.unique(wave)) == 200


def test_sine_and_chirp_by_formula():
    time = np.arange(300) * 0.02
    np.testing.assert_allclose(
        signal(Sine(2, 0.5, phase=0.3), 300, 0.02)[:, 0], 2 * np.sin(2 * np.pi * 0.5 * time + 0.3), atol=1e-12
    )
    chirp = signal(Chirp(3, 1, 2, duration=4, phase=0), 300, 0.02)[:, 0]
    swept = 3 * np.sin(2 * np.pi * (time + time**2 / 8))
    np.testing.assert_allclose(chirp[:200], swept[:200], atol=1e-12)
    # After the sweep it stays at two cycles, and the phase does not jump: 4 + 2 cycles are over at t = 4.
    np.testing.assert_allclose(chirp[200:], 3 * np.sin(2 * np.pi * 2 * (time[200:] - 4)), atol=1e-11)
    whole = signal(Chirp(3, 1, 2, phase=0), 300, 0.02)[:, 0]
    np.testing.assert_allclose(whole, signal(Chirp(3, 1, 2, duration=6, phase=0), 300, 0.02)[:, 0], atol=1e-12)


def test_random_phases_differ_from_draw_to_draw():
    waves = [signal(Sine(1, 0.5), 50, 0.1, seed)[:, 0] for seed in range(3)]
    assert np.abs(waves[0] - waves[1]).max() > 0.01
    assert np.abs(waves[1] - waves[2]).max() > 0.01


def test_sums_and_channels_put_signal_and_feedback_together():
    push = Feedback(lambda x, dt: x[0] / dt)
    excitation = Channels(push + Constant(1) + Constant(2), Constant(4), Channels(Constant(5), push))
    assert excitation.channels == 4
    np.testing.assert_array_equal(signal(excitation, 3, 0.5), [[3, 4, 5, 0]] * 3)
    np.testing.assert_array_equal(excitation.feedback(jnp.array([2.0, 7.0]), 0.5), [4, 0, 0, 4])
    both = Channels(Constant(1), push) + Channels(push, Constant(2))
    np.testing.assert_array_equal(signal(both, 1, 0.5), [[1, 2]])
    np.testing.assert_array_equal(both.feedback(jnp.array([2.0]), 0.5), [4, 4])


def test_equal_parts_draw_differently():
    part = APRBS(-1, 1, shortest=1, longest=2)
    pair = signal(Channels(part, part), 50, 0.1)
    assert not np.array_equal(pair[:, 0], pair[:, 1])
    doubled = signal(part + part, 50, 0.1)[:, 0]
    assert not np.array_equal(doubled, 2 * signal(part, 50, 0.1)[:, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: APRBS(1, 0, shortest=1, longest=2),
            "APRBS: low must not exceed high, got low=1.0, high=0.0",
        ),
        (lambda: APRBS(0, 1, shortest=2, longest=1), "APRBS: shortest and longest must be times with 0 <"),
        (lambda: APRBS(0, 1, shortest=0, longest=1), "APRBS: shortest and longest"),
        (lambda: Impulses(0, 1, shortest=1, longest=2, first=(3, 2)), "Impulses: first must be times"),
        (lambda: Impulses(0, 1, shortest=1, longest=np.inf), "Impulses: shortest and longest"),
        (lambda: Impulses(np.nan, 1, shortest=1, longest=2), "Impulses: low must not exceed high"),
        (lambda: Chirp(1, 0.1, 1, duration=0), "Chirp: duration must be positive or None"),
        (lambda: Constant(1) + Channels(Constant(1), Constant(2)), r"same number of channels, got \[1, 2\]"),
        (Sum, "got no excitation"),
    ],
)
def test_impossible_excitations_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

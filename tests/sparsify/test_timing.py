"""When, and how much by then: turns and levels of one-shot, staged and cubic pruning."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedyn.sparsify import AbstractTiming, Cubic, OneShot, SequentialThresholding, Stages
from sparsedyn.sparsify.arguments import evenly


def levels(timing: AbstractTiming, at: tuple[float, ...] | None = None) -> np.ndarray:
    return np.array([float(timing.level(jnp.float32(t))) for t in (timing.turns() if at is None else at)])


def test_cubic_formula():
    timing = Cubic(begin=0.2, end=0.6, times=8)
    turns = np.array(timing.turns())
    np.testing.assert_allclose(turns, 0.2 + 0.05 * np.arange(1, 9), rtol=1e-12)
    np.testing.assert_allclose(levels(timing), 1 - (1 - (turns - 0.2) / 0.4) ** 3, atol=1e-6)
    assert levels(timing)[-1] == 1.0, "the last cut is exact"
    # Outside: nothing before, everything after.
    np.testing.assert_array_equal(levels(timing, (0.0, 0.1, 0.2, 0.6, 0.9, 1.0)), [0, 0, 0, 1, 1, 1])


@given(begin=st.floats(0, 0.9), length=st.floats(0.05, 1), times=st.integers(1, 60))
def test_cubic_ramps_are_increasing_and_end_exactly(begin: float, length: float, times: int):
    end = min(1.0, begin + length)
    turns = evenly(begin, end, times)
    assert len(turns) == times
    assert all(a < b for a, b in zip((begin, *turns), turns, strict=False))
    assert turns[-1] == pytest.approx(end, rel=1e-12)
    # What the last cut reaches must not depend on a rounding error of its time.
    assert np.float32(turns[-1]) == np.float32(end)


def test_stages_share_equally():
    timing = Stages((0.1, 0.2, 0.3, 0.4))
    assert timing.turns() == (0.1, 0.2, 0.3, 0.4)
    np.testing.assert_allclose(levels(timing), [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(levels(timing, (0.05, 0.25, 1.0)), [0, 0.5, 1.0])


def test_one_shot():
    assert OneShot(0.3).turns() == (0.3,)
    np.testing.assert_array_equal(levels(OneShot(0.3)), [1.0])


def test_sequential_thresholding_turns():
    assert SequentialThresholding(at=[0.2, 0.5]).turns() == (0.2, 0.5)


@pytest.mark.parametrize(("begin", "end"), [(0.5, 0.5), (0.6, 0.5), (-0.1, 0.5), (0.0, 1.5), (10.0, 20.0)])
def test_cubic_times_are_fractions(begin: float, end: float):
    with pytest.raises(ValueError, match=r"expected fractions of training.*shares of the run.*not steps"):
        Cubic(begin, end)


def test_cubic_needs_a_cut():
    with pytest.raises(ValueError, match=r"times: expected at least 1; got 0"):
        Cubic(times=0)


@pytest.mark.parametrize("at", [(), (0.5, 0.5), (0.5, 0.2), (-0.1, 0.5), (0.5, 1.1), (10.0, 20.0, 30.0)])
def test_stage_times_are_increasing_fractions(at: tuple[float, ...]):
    with pytest.raises(ValueError, match=r"at: expected increasing fractions of training in \[0, 1\]"):
        Stages(at)


@pytest.mark.parametrize("at", [1.5, -0.1, 20.0])
def test_one_shot_time_is_a_fraction(at: float):
    with pytest.raises(ValueError, match=r"at: expected"):
        OneShot(at)


@pytest.mark.parametrize("at", [(2.0,), (0.5, 0.2), (-0.5, 0.5)])
def test_thresholding_times_are_increasing_fractions(at: tuple[float, ...]):
    with pytest.raises(ValueError, match=r"at: expected"):
        SequentialThresholding(0.1, at)


def test_stages_with_shares_of_their_own():
    timing = Stages((0.1, 0.2, 0.4), (0.75, 0.9, 1.0))
    np.testing.assert_allclose(levels(timing, (0.0, 0.1, 0.15, 0.2, 0.3, 0.4, 1.0)), [0, 0.75, 0.75, 0.9, 0.9, 1, 1])


@pytest.mark.parametrize("shares", [(0.5,), (0.5, 0.4, 1.0), (0.2, 0.5, 0.9), (0.0, 0.5, 1.0)])
def test_shares_of_stages_increase_to_one(shares: tuple[float, ...]):
    with pytest.raises(ValueError, match="shares: expected 3 increasing shares"):
        Stages((0.1, 0.2, 0.4), shares)

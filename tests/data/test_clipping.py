"""Sensors at the end of their range are told from rest, rounding and switching."""

import numpy as np
import pytest

from sparsedyn.data import overview
from sparsedyn.data.clipping import Clipped, clipping

T = 0.05 * np.arange(1000)
WAVE = np.sin(T) + 0.5 * np.sin(2.3 * T)
RNG = np.random.default_rng(0)
SWITCHED = np.repeat(RNG.random(50) > 0.5, 20).astype(float)


def lag(u: np.ndarray, rate: float = 0.1) -> np.ndarray:
    x = np.zeros(len(u))
    for k in range(len(u) - 1):
        x[k + 1] = x[k] * np.exp(-rate) + u[k] * (1 - np.exp(-rate))
    return x


PULSED = lag(np.resize(np.repeat([1.0, 0.0], [100, 400]), 2000), 0.05)


@pytest.mark.parametrize("measured", [WAVE, WAVE + 0.01 * RNG.normal(size=1000), np.round(127 * np.sin(T)) / 127])
def test_an_end_that_is_cut_off_is_found(measured: np.ndarray):
    assert clipping([measured]) == Clipped()
    cut = clipping([np.clip(measured, -0.75, np.inf)[:600], np.clip(measured, -0.75, 0.8)[600:]])
    assert (cut.floor, cut.ceiling) == (-0.75, np.inf)
    low, high = (np.sum(np.clip(measured, -0.75, 0.8) == end) for end in (-0.75, 0.8))
    assert clipping([np.clip(measured, -0.75, 0.8)]) == (-0.75, 0.8, low, high)


@pytest.mark.parametrize("digits", [1, 2, 3, 15])
@pytest.mark.parametrize("x", [lag(SWITCHED), np.r_[np.zeros(100), lag(SWITCHED)], PULSED, SWITCHED])
def test_rest_rounding_and_switching_are_no_ends(x: np.ndarray, digits: int):
    assert clipping([np.round(x, digits)]) == Clipped()


def test_it_is_shown_before_any_fit():
    import pandas as pd

    (t, y, z) = overview(pd.DataFrame({"t": T, "y": np.clip(WAVE, -9, 1.0), "z": WAVE})).columns
    assert y.findings == ("cut off at its greatest value 1 in 118 rows",)
    assert t.findings == z.findings == ()

"""Inputs that stand in another row than that in which they act are named at the end of a fit."""

import numpy as np
import pytest

from sparsedyn import SparsedynWarning, Trajectories
from sparsedyn.estimators._timing import misplaced

RNG = np.random.default_rng(0)
ROWS = 240


def plant(*, late: int = 0, hold: int = 5, noise: float = 0.0, gain: float = 0.0, smooth: bool = False) -> Trajectories:
    """An oscillator whose input acts `late` rows after it was logged, and answers to the states by `gain`."""
    u = np.repeat(RNG.normal(size=ROWS + 8), hold)[: ROWS + 8]
    if smooth:
        u = np.sin(0.07 * np.arange(ROWS + 8)) + np.cos(0.031 * np.arange(ROWS + 8))
    x = [np.array([0.3, 0.0])]
    for k in range(ROWS + 7):
        u[k] -= gain * x[-1][0]
        y = x[-1]
        x.append(np.array([0.99 * y[0] + 0.09 * y[1], -0.18 * y[0] + 0.94 * y[1] + 0.09 * u[k]]) - 0.01 * y**3)
    states = np.array(x)[4 : ROWS + 4] + noise * RNG.normal(size=(ROWS, 2))
    return Trajectories(states, u[4 + late : ROWS + 4 + late, None], dt=0.1)


@pytest.mark.parametrize("given", [{}, {"hold": 1}, {"noise": 0.02}, {"smooth": True}, {"gain": 2.0, "hold": 20}])
def test_nothing_is_said_of_inputs_in_their_rows(given: dict[str, float]):
    assert misplaced(plant(**given), mapped=False) == []


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_dead_time_and_a_late_log_are_named(noise: float):
    (found,) = misplaced(plant(late=3, noise=noise), mapped=False)
    assert found.check == "input-in-another-row"
    assert "u1 of 3 rows before foretells" in found.message
    assert ".shift(3)" in found.message
    assert "time='discrete', lags='auto'" in found.message
    (found,) = misplaced(plant(late=1, noise=noise), mapped=True)
    assert "u1 of the row before" in found.message
    assert "or take lags='auto'" in found.message
    (found,) = misplaced(plant(late=-1, noise=noise), mapped=False)
    assert "u1 of the next row" in found.message
    assert ".shift(-1)" in found.message


def test_a_fit_warns_of_them():
    from sparsedyn import SINDy

    with pytest.warns(SparsedynWarning, match="u1 of 3 rows before"):
        SINDy(degree=1, threshold=0.01, time="discrete").fit(plant(late=3))


def test_positions_alone_say_nothing_of_dead_times():
    from sparsedyn import SINDy

    rng, dt = np.random.default_rng(0), 0.05
    volt = np.repeat(rng.uniform(-12, 12, 30), 10)
    angle, speed = [0.0], 0.0
    for value in volt[:-1]:
        # Exact over a row: the speed decays towards that of its voltage.
        gone, rest = 1 - np.exp(-2 * dt), 15 * value
        angle.append(angle[-1] + rest * dt + (speed - rest) * gone / 2)
        speed += (rest - speed) * gone
    model = SINDy(1, order=2).fit(np.array(angle)[:, None], dt, volt[:, None])
    assert "input-in-another-row" not in [finding.check for finding in model.report_]
    np.testing.assert_allclose(model.coefficients_[[2, 3], -1], [-2, 30], rtol=0.05)

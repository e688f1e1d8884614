"""Inputs that are held, and jump at every row: what is learned of them is exact, or it is said that it is not."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sparsedyn import EquationLearner, SINDy, SparsedynWarning, SparseTimeStepper, Trajectories
from sparsedyn.data import pieces
from sparsedyn.data.pieces import jumping
from sparsedyn.equations import text
from sparsedyn.estimators.sindy._rows import held_samples

DT = 0.1
NAMES: dict[str, Any] = {"dt": DT, "state_names": ["x"], "input_names": ["u"]}


def tank(rows: int = 200, seed: int = 0, cubic: float = 0.0) -> Trajectories:
    """`dx/dt = 3 u - 2 x - cubic x^3` under an input that is new at every row."""
    u = np.random.default_rng(seed).uniform(-1, 1, rows)
    x = [0.2]
    for value in u[:-1]:
        if cubic:
            found = solve_ivp(lambda _, y, v=value: 3 * v - 2 * y - cubic * y**3, (0, DT), x[-1:], rtol=1e-10)
            x.append(found.y[0, -1])
        else:
            x.append(1.5 * value + (x[-1] - 1.5 * value) * np.exp(-2 * DT))
    return Trajectories([np.asarray(x)[:, None]], [u[:, None]], **NAMES)


@pytest.mark.parametrize(("cubic", "off"), [(0.0, 1e-9), (0.5, 2e-3)])
def test_derivatives_within_rows_do_not_see_the_jumps(cubic: float, off: float):
    data = tank(cubic=cubic)
    assert jumping(data)
    x, u, dx = held_samples(data)
    np.testing.assert_allclose(dx, 3 * u - 2 * x - cubic * x**3, atol=off * np.abs(dx).max())
    np.testing.assert_array_equal(u, data.inputs[0][:-1])


def test_inputs_that_run_smoothly_between_rows_are_left_to_splines():
    t = DT * np.arange(200)
    x = np.sin(t) + np.exp(-2 * t)
    u = (np.cos(t) + 2 * np.sin(t)) / 3
    assert held_samples(Trajectories([x[:, None]], [u[:, None]], **NAMES)) is None


def test_a_jump_near_an_end_is_cut_off():
    x, u = np.arange(40.0)[:, None], np.ones((40, 1))
    u[:3] = 0.0
    found = pieces(Trajectories([x], [u], **NAMES))
    assert found.lengths == (37,)
    assert not jumping(Trajectories([x], [u], **NAMES))


@pytest.mark.slow
def test_the_learner_finds_the_effect_of_an_input_that_is_new_at_every_row():
    settings: dict[str, Any] = {"primitives": {"identity": 2}, "hidden": 1, "generations": 1, "steps": 40}
    fitted = EquationLearner(1, **settings).fit(tank(120), progress=False)
    assert text(fitted.equations(digits=4)[0]) == "3*u - 2*x"


@pytest.mark.slow
def test_derivatives_by_name_across_jumps_are_warned_of():
    data = tank()
    sindy = SINDy(1, 0.1, weak=False, derivative="spline")
    stepper = SparseTimeStepper((4,), members=1, epochs=1, derivative="central")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        for model in (sindy, stepper):
            model.fit(data)
            assert "derivative-across-jumps" in [finding.check for finding in model.report_]
    assert not SINDy(1, 0.1, weak=False).fit(data).report_


@pytest.mark.slow
def test_networks_are_trained_on_derivatives_within_pieces():
    # A ramp that turns at each jump: across it, central differences are zero.
    u = np.repeat([1.0, -1.0, 1.0], 20)
    x = np.concatenate([[0.0], np.cumsum(u[:-1])]) * DT
    data = Trajectories([x[:, None]], [u[:, None]], **NAMES)
    stepper = SparseTimeStepper((4,), members=1, epochs=1, derivative="central")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        stepper.fit(data)
    np.testing.assert_allclose(stepper.scaling_.dx_std, np.std([1.0] * 38 + [-1.0] * 19), rtol=0.02)


def test_the_score_of_the_right_equation_is_one():
    fitted = SINDy(1, 0.1).fit(tank())
    assert fitted.score(tank(seed=1)) > 1 - 1e-9
    wrong = SINDy(1, 0.1, known={"x": "u"}).fit(tank())
    assert wrong.score(tank(seed=1)) > 1 - 1e-9
    wrong.known_ = None
    assert wrong.score(tank(seed=1)) < 0.9

"""Inputs that follow from states are told; inputs that move by themselves are not."""

from typing import Any

import numpy as np
import pytest

import sparsedyn
from sparsedyn import SINDy, SparsedynWarning, Trajectories
from sparsedyn.estimators._feedback import feedback, turned_round


def heated(control: Any, rows: int = 400, seed: int = 0, noise: float = 0.0) -> Trajectories:
    """A room, T' = (q - T) / 20, at rows of one second, an input of `control(k, T, q)` per row."""
    rng = np.random.default_rng(seed)
    level, q, states, inputs = 0.2, 0.0, [], []
    for k in range(rows):
        measured = level + noise * rng.normal()
        q = control(k, measured, q)
        states.append([measured])
        inputs.append([q])
        level = q + (level - q) * np.exp(-1 / 20)
    return Trajectories([states], [inputs], dt=1.0, state_names=["T"], input_names=["q"])


def pulses(seed: int) -> np.ndarray:
    return np.repeat(
        np.random.default_rng(seed).integers(0, 2, 60), np.random.default_rng(seed + 1).integers(3, 30, 60)
    )


def thermostat(k: int, level: float, q: float) -> float:
    return 1.0 if level < 0.4 else 0.0 if level > 0.6 else q


CLOSED: dict[str, Any] = {
    "proportional": lambda k, level, q: 2.0 - 3.0 * level + 0.001 * np.sin(k),
    "thermostat": thermostat,
}
OPEN: dict[str, Any] = {
    "noise": lambda k, level, q: float(np.random.default_rng(k).normal()),
    "pulses": lambda k, level, q: float(pulses(1)[k]),
    "square": lambda k, level, q: float(k // 25 % 2),
    "long square": lambda k, level, q: float(k // 100 % 2),
    "sine": lambda k, level, q: float(np.sin(0.1 * k)),
}


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_controllers_are_told(kind: str, noise: float):
    found = feedback(heated(CLOSED[kind], noise=noise))
    assert found is not None
    assert found.check == "closed-loop"
    assert "on these data q nearly follow from the states" in found.message


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_inputs_that_move_by_themselves_are_not(kind: str, noise: float):
    assert feedback(heated(OPEN[kind], noise=noise)) is None


@pytest.mark.parametrize("seed", range(20))
def test_random_pulses_are_no_thermostat(seed: int):
    u = pulses(seed)
    assert feedback(heated(lambda k, level, q: float(u[k]), rows=min(400, len(u)))) is None


@pytest.mark.parametrize(
    "name", ["duffing", *(pytest.param(name, marks=pytest.mark.slow) for name in ("lotka-volterra", "lorenz63"))]
)
def test_plants_under_excitations_are_not(name: str):
    assert feedback(sparsedyn.simulate(name, trajectories=3, steps=400, seed=0)) is None


def answering(wave: Any, direct: float, noise: float, seed: int = 0) -> Trajectories:
    """A plant, x' = 0.95 x + 0.2 u, whose output x + direct u has noise."""
    rng = np.random.default_rng(seed)
    x, outputs, inputs = 0.0, [], []
    for k in range(500):
        u = wave(k, x, 0.0)
        outputs.append([x + direct * u + noise * rng.normal()])
        inputs.append([u])
        x = 0.95 * x + 0.2 * u + 0.1 * noise * rng.normal()
    return Trajectories([outputs], [inputs], dt=1.0, state_names=["y"], input_names=["u"])


def controlled(added: float) -> Trajectories:
    """The plant under u = -0.5 y, and noise added to it."""
    rng = np.random.default_rng(1)
    y, u = np.zeros(800), np.zeros(800)
    for k in range(800):
        u[k] = -0.5 * y[k] + added * rng.normal()
        if k < 799:
            y[k + 1] = 0.95 * y[k] + 0.2 * u[k] + 0.1 * rng.normal()
    return Trajectories([y[:, None]], [u[:, None]], dt=1.0, state_names=["y"], input_names=["u"])


def test_a_controller_that_may_be_turned_round_is_told():
    found = turned_round(controlled(0.0))
    assert found is not None
    assert found.check == "closed-loop"
    assert "there follow u from the outputs and y from the inputs" in found.message
    assert turned_round(controlled(0.1)) is None


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("direct", [0.0, 1.0, 10.0])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_plants_that_answer_at_once_are_not(kind: str, direct: float, noise: float):
    assert turned_round(answering(OPEN[kind], direct, noise)) is None


def test_a_plant_without_memory_is_not_where_it_has_noise():
    rng = np.random.default_rng(0)
    u = rng.normal(size=(800, 1))
    data = Trajectories([2 * u + 0.04 * rng.normal(size=u.shape)], [u], dt=1.0)
    assert turned_round(data) is None


def test_a_model_of_outputs_warns_of_them():
    with pytest.warns(SparsedynWarning, match="likely the controller turned round"):
        fitted = sparsedyn.SparseStateSpace(1, units="none").fit(controlled(0.0).head(300), progress=False)
    assert [finding.check for finding in fitted.report_] == ["closed-loop"]


def test_a_fit_warns_of_them():
    with pytest.warns(SparsedynWarning, match="inputs of a controller"):
        fitted = SINDy(1, 0.001).fit(heated(thermostat))
    assert [finding.check for finding in fitted.report_] == ["closed-loop"]
    np.testing.assert_allclose(fitted.coefficients()["T"], [0, -0.05, 0.05], atol=1e-7)
    assert not SINDy(1, 0.001).fit(heated(OPEN["pulses"])).report_

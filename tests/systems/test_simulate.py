"""Simulation: seeds, given starts and inputs, drawing again, and wrong arguments."""

import logging
import re
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from sparsedyn.data import DataError
from sparsedyn.systems import (
    APRBS,
    AbstractSystem,
    AluminumCell,
    Channels,
    Constant,
    Duffing,
    Feedback,
    SimulationError,
    Sine,
    simulate,
)


def upwards(x, dt):
    """A feedback: one object, so that what is compiled with it is compiled once."""
    return jnp.maximum(-x[0], 0.0)


class Explosive(AbstractSystem):
    """x' = x^3 + u: reaches infinity in finite time from x > 0; starts at -1 or, one time in two, at 1."""

    name: ClassVar[str] = "explosive"
    state_names: ClassVar[tuple[str, ...]] = ("x",)
    state_units: ClassVar[tuple[str, ...]] = ("",)
    input_names: ClassVar[tuple[str, ...]] = ("u",)
    input_units: ClassVar[tuple[str, ...]] = ("",)
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.1
    sampled: ClassVar[bool] = True

    def field(self, t, x, u):
        return jnp.sign(x) * x**2 * (x > 0) + u

    def readout(self, x, u):
        return jnp.zeros(0)

    def initial(self, key):
        return jnp.where(jax.random.bernoulli(key, shape=(1,)), 1.0, -1.0)

    def excitation(self):
        return Constant(0)


class SmoothExplosive(AbstractSystem):
    """The same, integrated adaptively, under a feedback that lets negative states decay."""

    name: ClassVar[str] = "smooth-explosive"
    state_names: ClassVar[tuple[str, ...]] = ("x",)
    state_units: ClassVar[tuple[str, ...]] = ("",)
    input_names: ClassVar[tuple[str, ...]] = ("u",)
    input_units: ClassVar[tuple[str, ...]] = ("",)
    output_names: ClassVar[tuple[str, ...]] = ()
    output_units: ClassVar[tuple[str, ...]] = ()
    dt: ClassVar[float] = 0.1
    sampled: ClassVar[bool] = False

    def field(self, t, x, u):
        return Explosive().field(t, x, u)

    def readout(self, x, u):
        return jnp.zeros(0)

    def initial(self, key):
        return Explosive().initial(key)

    def excitation(self):
        return Feedback(upwards)


@pytest.mark.slow
@pytest.mark.parametrize(("system", "rate"), [(Explosive(), 1.0), (SmoothExplosive(), 0.9)])
def test_trajectories_that_blow_up_are_drawn_again(system, rate, caplog):
    with caplog.at_level(logging.INFO, logger="sparsedyn.systems.simulate"):
        data = simulate(system, trajectories=100, steps=20, seed=0)
    states, _ = data.stack()
    # x' = -x_i, held: each step takes off a tenth, and not 1 - exp(-0.1).
    np.testing.assert_allclose(states[..., 0], np.broadcast_to(-(rate ** np.arange(20)), (100, 20)), rtol=1e-12)
    # Half of the draws are lost, so as many are drawn again as are kept, give or take.
    assert 60 < data.attrs["redrawn"] < 150
    assert f"{data.attrs['redrawn']} draws blew up" in caplog.text
    again = simulate(system, trajectories=100, steps=20, seed=0)
    assert again.attrs == data.attrs


def test_drawing_again_leaves_the_good_trajectories_alone():
    # Starts survive, pushes above the barrier do not.
    excitation = APRBS(-1, 0.4, shortest=2, longest=4, rest=-0.5)
    one = simulate(Explosive(), trajectories=80, steps=40, seed=3, excitation=excitation)
    few = simulate(Explosive(), trajectories=7, steps=40, seed=3, excitation=excitation)
    assert one.attrs["redrawn"] > few.attrs["redrawn"] > 0
    for i in range(7):
        np.testing.assert_array_equal(one.states[i], few.states[i])
        np.testing.assert_array_equal(one.inputs[i], few.inputs[i])


def test_a_plant_that_always_blows_up_is_an_error():
    with pytest.raises(SimulationError, match=r"explosive: 3 of 3 trajectories do not stay finite in 20 draws; traj"):
        simulate(Explosive(), trajectories=3, steps=20, x0=[1.0])
    with pytest.raises(SimulationError, match=r"1 of 2 .* from the x0 and inputs given; trajectory 1 blows up at row"):
        simulate(Explosive(), trajectories=2, steps=20, x0=[[-1.0], [1.0]], inputs=np.zeros((20, 1)))
    with pytest.raises(SimulationError, match=r"Use fewer steps, a smaller dt, or a gentler x0 or excitation\."):
        simulate(Explosive(), trajectories=2, steps=20, x0=[1.0])


@pytest.mark.parametrize("name", ["aluminum-cell", "duffing"])
def test_a_trajectory_depends_on_seed_and_number_only(name):
    many = simulate(name, trajectories=70, steps=120, seed=4)
    one = simulate(name, trajectories=1, steps=120, seed=4)
    np.testing.assert_array_equal(one.states[0], many.states[0])
    np.testing.assert_array_equal(one.inputs[0], many.inputs[0])
    other = simulate(name, trajectories=1, steps=120, seed=5)
    assert not np.array_equal(other.states[0], one.states[0])
    assert not np.array_equal(many.states[0], many.states[64])
    with jax.enable_x64(True):
        np.testing.assert_array_equal(simulate(name, trajectories=1, steps=120, seed=4).states[0], one.states[0])


def test_a_longer_trajectory_starts_with_the_shorter_one():
    short, long = (simulate(Explosive(), 1, steps, excitation=APRBS(-1, 0, 1, 2), x0=[-2]) for steps in (20, 40))
    np.testing.assert_allclose(long.states[0][:20], short.states[0], rtol=1e-9)


def test_all_at_once_equals_one_step_at_a_time():
    cell = AluminumCell()
    states, inputs = simulate(cell, trajectories=3, steps=120, seed=9).stack()
    with jax.enable_x64(True):
        expected = np.asarray(cell.step(states[:, :-1], inputs[:, :-1]))
        dosed = np.asarray(jax.jit(jax.vmap(lambda x: cell.excitation().feedback(x, 10.0)))(states[0]))
    np.testing.assert_allclose(states[:, 1:], expected, rtol=1e-13)
    np.testing.assert_allclose(inputs[0, :, 3], dosed[:, 3], rtol=1e-12)


def test_given_starts_and_inputs_are_taken_as_they_are():
    generator = np.random.default_rng(0)
    starts = generator.uniform(-3, -2, (3, 1))
    inputs = generator.uniform(-1, 0, (3, 20, 1))
    data = simulate(Explosive(), trajectories=3, steps=20, x0=starts, inputs=inputs)
    np.testing.assert_array_equal(np.stack(data.inputs), inputs)
    expected = starts[:, None] + 0.1 * np.cumsum(inputs, axis=1)[:, :-1]
    np.testing.assert_allclose(np.stack(data.states)[:, 1:], expected, rtol=1e-13)
    np.testing.assert_array_equal(np.stack(data.states)[:, 0], starts)
    shared = simulate(Explosive(), trajectories=3, steps=20, x0=starts[0], inputs=inputs[0].tolist())
    for x in shared.states:
        np.testing.assert_array_equal(x, data.states[0])
    mixed = simulate(Explosive(), trajectories=3, steps=20, x0=starts, excitation=APRBS(-1, 0, 1, 2))
    assert [x[0, 0] for x in mixed.states] == list(starts[:, 0])
    assert len({tuple(u[:, 0]) for u in mixed.inputs}) == 3


def test_feedback_sees_the_current_state_and_is_held_for_a_sample():
    data = simulate(Explosive(), trajectories=2, steps=20, x0=[-2], excitation=Feedback(upwards))
    np.testing.assert_array_equal(data.inputs[1], -data.states[1])
    # x' = -x_i, held: each step takes off a tenth, and not 1 - exp(-0.1).
    np.testing.assert_allclose(data.states[1][:, 0], -2 * 0.9 ** np.arange(20), rtol=1e-13)


def test_another_sample_time_and_excitation():
    data = simulate(Explosive(), trajectories=2, steps=40, dt=2, x0=[-2], excitation=Sine(0.1, 0.01, phase=np.pi))
    assert data.dt == data.attrs["dt"] == 2.0
    expected = -0.1 * np.sin(2 * np.pi * 0.01 * 2 * np.arange(40))
    np.testing.assert_allclose(data.inputs[1][:, 0], expected, atol=1e-14)
    assert data.time[1][-1] == pytest.approx(78)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"system": "aluminium-cell"},
            ValueError,
            r"Unknown system 'aluminium-cell'; there are .* mean 'aluminum-cell'\?",
        ),
        ({"system": "zzz"}, ValueError, r"Unknown system 'zzz'; there are [^.]*\.$"),
        (
            {"system": Duffing},
            TypeError,
            "system must be a plant or its name, got the class Duffing; write Duffing\\(\\)",
        ),
        ({"system": 3}, TypeError, "system must be a plant or its name, got int"),
        ({"trajectories": 0}, ValueError, "trajectories must be at least 1, got 0"),
        ({"trajectories": 2.5}, TypeError, "trajectories must be a whole number, got 2.5"),
        ({"steps": 1}, ValueError, "steps must be at least 2, got 1"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": 2**63}, ValueError, "seed must be at most 9223372036854775807"),
        ({"seed": "x"}, TypeError, "seed must be a whole number, got 'x'"),
        ({"dt": 0.0}, ValueError, "dt must be a positive time, got 0.0"),
        ({"dt": -1.0}, ValueError, "dt must be a positive time"),
        ({"dt": float("nan")}, ValueError, "dt must be a positive time"),
        ({"dt": "fast"}, TypeError, "dt must be a positive time, got 'fast'"),
        (
            {"x0": [1.0]},
            DataError,
            r"x0 must have shape \(2,\) .* or \(3, 2\), got \(1,\); columns: position, vel",
        ),
        ({"x0": np.zeros((4, 2))}, DataError, r"got \(4, 2\)"),
        ({"x0": [np.nan, 0.0]}, DataError, r"x0\[0\] is not finite"),
        ({"x0": ["a", "b"]}, DataError, "x0 must be an array of numbers"),
        (
            {"inputs": np.zeros((9, 1))},
            DataError,
            r"inputs must have shape \(10, 1\) .* or \(3, 10, 1\), got \(9, 1\)",
        ),
        ({"inputs": np.full((10, 1), np.inf)}, DataError, r"inputs\[0, 0\] is not finite"),
        ({"inputs": np.zeros((10, 1)), "excitation": Constant(1)}, ValueError, "were both given"),
        (
            {"excitation": Channels(Constant(1), Constant(1))},
            ValueError,
            r"has 2 channels, but duffing has 1 inputs \(fo",
        ),
        ({"excitation": np.zeros((10, 1))}, TypeError, r"got ndarray; pass arrays as inputs="),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error) as caught:
        simulate(**({"system": "duffing", "trajectories": 3, "steps": 10} | arguments))
    # Where annotations are checked at run time, that check comes first and has its own words.
    if not isinstance(caught.value, TypeCheckError):
        assert type(caught.value) is error
        assert re.search(message, str(caught.value))

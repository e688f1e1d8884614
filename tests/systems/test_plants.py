"""The smooth plants: order of the step, invariants, fixed points; and what every plant promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.systems import (
    SYSTEMS,
    AluminumCell,
    Duffing,
    Lorenz63,
    LotkaVolterra,
    TwoTanks,
    get_system,
    simulate,
)
from sparsedyn.systems.base import AbstractSystem, runge_kutta

PLANTS = [system() for system in SYSTEMS.values()]


def point(system: AbstractSystem) -> tuple[np.ndarray, np.ndarray]:
    """A state and an input in the range of operation."""
    if isinstance(system, AluminumCell):
        x = np.array([3000.0, 560.0, 1540.0, 11900.0, 9900.0, 975.0, 800.0, 580.0])
        return x, np.array([14.5, 130000.0, 3.0, 0.0, 0.052])
    if isinstance(system, TwoTanks):
        return np.array([12.0, 9.0]), np.array([3.0, 1.1])
    x = np.array([1.2, 0.7, 21.0])[: len(system.state_names)]
    return x, np.full(len(system.input_names), 0.2)


@pytest.mark.parametrize("system", PLANTS, ids=lambda system: system.name)
def test_the_step_is_of_order_four(system):
    x, u = point(system)
    # The cell and the tanks move within minutes, the others within a tenth of their unit of time.
    span = 160.0 if isinstance(system, AluminumCell | TwoTanks) else 0.4

    @jax.jit
    def integrate(count):
        held = jnp.asarray(u)
        return jax.lax.fori_loop(0, count, lambda _, x: runge_kutta(system, x, held, span / count), jnp.asarray(x))

    with jax.enable_x64(True):
        truth, *coarse = (np.asarray(integrate(count)) for count in (4096, 8, 16, 32))
        errors = [np.linalg.norm((x - truth) / (1 + np.abs(truth))) for x in coarse]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4, atol=0.35)


@pytest.mark.parametrize("system", PLANTS, ids=lambda system: system.name)
def test_step_and_outputs_broadcast_and_compute_in_the_precision_jax_is_set_to(system):
    x, u = point(system)
    generator = np.random.default_rng(0)
    xs = x * generator.uniform(0.98, 1.02, (3, 2, len(x)))
    us = u * generator.uniform(0.98, 1.02, (2, len(u)))
    with jax.enable_x64(True):
        steps, outputs = system.step(xs, us), system.outputs(xs, us)
        assert steps.dtype == outputs.dtype == np.float64
        assert steps.shape == (3, 2, len(x))
        assert outputs.shape == (3, 2, len(system.output_names))
        for i, j in np.ndindex(3, 2):
            np.testing.assert_allclose(steps[i, j], system.step(xs[i, j], us[j]), rtol=1e-14)
            np.testing.assert_allclose(outputs[i, j], system.outputs(xs[i, j], us[j]), rtol=1e-14)
        double = np.asarray(system.step(x, u))
        # Numbers of single precision are computed with in double precision where that is on.
        single = system.step(x.astype(np.float32), u.astype(np.float32))
        assert single.dtype == np.float64
        np.testing.assert_allclose(single, double, rtol=1e-5)
    assert system.outputs(x, u).dtype == np.float32
    single = system.step(x, u)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-5)


def test_step_takes_one_input_for_many_states_and_any_sample_time():
    system, (x, u) = Duffing(), point(Duffing())
    with jax.enable_x64(True):
        assert system.step(np.broadcast_to(x, (3, 2, 2)), u).shape == (3, 2, 2)
        half = system.step(system.step(x, u, dt=system.dt / 2), u, dt=system.dt / 2)
        np.testing.assert_allclose(half, system.step(x, u), rtol=1e-5)


@pytest.mark.parametrize("system", PLANTS, ids=lambda system: system.name)
def test_every_plant_names_its_columns_and_excites_its_inputs(system):
    assert get_system(system.name).name == system.name
    assert len(system.state_names) == len(system.state_units) == len(set(system.state_names))
    assert len(system.input_names) == len(system.input_units) == len(set(system.input_names))
    assert len(system.output_names) == len(system.output_units)
    excitation, key = system.excitation(), jax.random.key(0)
    assert excitation.channels == len(system.input_names)
    start = jax.eval_shape(system.initial, key)
    assert start.shape == (len(system.state_names),)
    assert system.dt > 0
    signal = jax.eval_shape(lambda key: excitation.signal(key, 120, system.dt), key)
    feedback = jax.eval_shape(lambda x: excitation.feedback(x, system.dt), start)
    assert signal.shape == (120, *feedback.shape) == (120, len(system.input_names))
    assert jax.eval_shape(system.field, 0.0, start, feedback).shape == start.shape


@pytest.mark.parametrize("name", ["aluminum-cell", "duffing"])
def test_a_simulation_has_the_names_and_the_shapes_of_its_plant(name):
    system = get_system(name)
    data = simulate(name, trajectories=2, steps=120, seed=4)
    assert [x.shape for x in data.states] == [(120, len(system.state_names))] * 2
    assert [u.shape for u in data.inputs] == [(120, len(system.input_names))] * 2
    assert data.states[0].dtype == np.float64
    assert (data.state_names, data.input_names) == (system.state_names, system.input_names)
    assert (data.state_units, data.input_units) == (system.state_units, system.input_units)
    assert data.attrs["system"] == name


def test_duffing_by_hand():
    with jax.enable_x64(True):
        rates = Duffing(delta=0.2, alpha=-1, beta=2).field(0.0, jnp.array([0.5, 3.0]), jnp.array([0.7]))
    np.testing.assert_allclose(rates, [3.0, 0.7 - 0.6 + 0.5 - 0.25], rtol=1e-14)


def rates(system: AbstractSystem, x: np.ndarray) -> np.ndarray:
    """The field at the columns of `x`, without inputs, in float64."""
    with jax.enable_x64(True):
        rest = jnp.zeros(len(system.input_names))
        return np.asarray(jax.jit(jax.vmap(lambda x: system.field(0.0, x, rest), in_axes=1, out_axes=1))(x))


def test_duffing_without_damping_and_force_conserves_energy():
    x = np.random.default_rng(0).uniform(-2, 2, (2, 100))
    forward, faster = rates(Duffing(delta=0, alpha=-1, beta=1), x)
    position, velocity = x
    np.testing.assert_allclose(velocity * faster + (position**3 - position) * forward, 0, atol=1e-13)


def test_two_tanks_rest_where_in_and_outflow_are_equal():
    system = TwoTanks()
    voltage, valve = 3.0, 0.9
    upper = (system.pump_flow * voltage / system.outlet) ** 2 / (2 * system.gravity)
    with jax.enable_x64(True):
        rates = system.field(0.0, jnp.array([upper, upper / valve**2]), jnp.array([voltage, valve]))
        np.testing.assert_allclose(rates, 0, atol=1e-12)
        empty = system.field(0.0, jnp.array([-1e-9, 0.0]), jnp.array([0.0, 1.0]))
        np.testing.assert_array_equal(empty, 0)


def test_lotka_volterra_without_harvest_conserves_its_invariant():
    # 1.1 prey - 0.9 ln prey + 1.3 predators - 0.7 ln predators
    x = np.random.default_rng(0).uniform(0.1, 3, (2, 100))
    births, growth = rates(LotkaVolterra(alpha=0.7, beta=1.3, gamma=0.9, delta=1.1), x)
    prey, predators = x
    np.testing.assert_allclose((1.1 - 0.9 / prey) * births + (1.3 - 0.7 / predators) * growth, 0, atol=1e-13)


def test_lotka_volterra_rests_where_growth_and_harvest_balance():
    system = LotkaVolterra(alpha=0.7, beta=1.3, gamma=0.9, delta=1.1)
    rest = np.array([(0.9 + 0.2) / 1.1, (0.7 - 0.2) / 1.3])
    with jax.enable_x64(True):
        np.testing.assert_allclose(system.step(rest, np.array([0.2])), rest, rtol=1e-14)


def test_lorenz_rests_at_its_fixed_points_and_stays_on_its_attractor():
    system = Lorenz63()
    height = np.sqrt(8 / 3 * 27)
    rest = np.array([[0, 0, 0], [height, height, 27], [-height, -height, 27]])
    with jax.enable_x64(True):
        np.testing.assert_allclose(system.step(rest, np.zeros((3, 0))), rest, atol=1e-12)

        @jax.jit
        @jax.vmap
        def late(key):
            start, still = system.initial(key), jnp.zeros(0)
            return jax.lax.scan(lambda x, _: (runge_kutta(system, x, still, 0.01),) * 2, start, length=3000)[1][1000:]

        late = np.asarray(late(jax.random.split(jax.random.key(0), 10)))
    assert (np.abs(late[..., :2]) < [22, 30]).all()
    assert late[..., 2].min() > 0
    assert late[..., 2].max() < 50


def test_smooth_plants_are_integrated_to_the_tolerance():
    # Against Runge-Kutta steps a hundred times finer, across the jumps of the input.
    system = Duffing()
    data = simulate(system, trajectories=30, steps=120, seed=4)
    states, inputs = max(zip(data.states, data.inputs, strict=True), key=lambda pair: len(np.unique(pair[1])))
    assert len(np.unique(inputs)) > 2

    def fine(x, u):
        return jax.lax.fori_loop(0, 100, lambda _, x: runge_kutta(system, x, u, 0.05 / 100), x), x

    with jax.enable_x64(True):
        _, expected = jax.jit(lambda start, inputs: jax.lax.scan(fine, start, inputs))(states[0], inputs)
    np.testing.assert_allclose(states, expected, atol=2e-8)


def test_step_says_which_shape_it_wants():
    with pytest.raises(ValueError, match=r"duffing: states must end in an axis of 2 \(position, velocity\), got"):
        Duffing().step(np.zeros(3), np.zeros(1))
    with pytest.raises(ValueError, match=r"lorenz63: inputs must end in an axis of 0 \(none\), got shape \(1,\)"):
        Lorenz63().step(np.zeros(3), np.zeros(1))
